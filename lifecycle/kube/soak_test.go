package kube

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// gains is an account that gains a version each time that it is made anew.
func gains(version string) func(lifecycle.Soak) lifecycle.Soak {
	return func(prev lifecycle.Soak) lifecycle.Soak {
		prev.Format, prev.Site = lifecycle.SoakFormat, "lab"
		prev.Observed = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
		prev.Versions = append(prev.Versions, lifecycle.SoakVersion{Name: "k0s", Version: version, Longest: time.Hour})
		return prev
	}
}

func named(s lifecycle.Soak) string {
	var out []string
	for _, v := range s.Versions {
		out = append(out, v.Version)
	}
	return strings.Join(out, " ")
}

func TestTheClusterKeepsHowLongItRanWhat(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	if s, err := c.Soak(t.Context()); err != nil || s.Format != "" || s.Versions != nil {
		t.Fatalf("before the first look: %+v, %v", s, err)
	}
	for _, v := range []string{"a", "b"} {
		if _, err := c.KeepSoak(t.Context(), gains(v)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Soak(t.Context())
	if err != nil || named(s) != "a b" || s.Versions[0].Longest != time.Hour || s.Site != "lab" || s.Observed.Hour() != 6 {
		t.Errorf("%+v, %v", s, err)
	}
	writes := 0
	f.refuse = func(r *http.Request) (int, bool) {
		if r.Method != http.MethodGet {
			writes++
		}
		return 0, false
	}
	if _, err := c.KeepSoak(t.Context(), func(prev lifecycle.Soak) lifecycle.Soak { return prev }); err != nil || writes != 0 {
		t.Errorf("an account that stays the same was written %d times, %v", writes, err)
	}
}

// Two that look at once: the API refuses one of them, whose look is added to the other's.
func TestNoLookIsLostToAnotherWriter(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	c.pause = time.Millisecond
	if _, err := c.KeepSoak(t.Context(), gains("a")); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	f.refuse = func(r *http.Request) (int, bool) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, soakName) {
			once.Do(func() { // between its read and its write, another's arrives
				f.mu.Lock()
				defer f.mu.Unlock()
				o := f.objects["configmaps"]["kube-system/"+soakName]
				o["data"].(map[string]any)[soakKey] = `{"format":"1.0","site":"lab","versions":[{"name":"k0s","version":"theirs"}]}`
				f.put("configmaps", o)
			})
		}
		return 0, false
	}
	s, err := c.KeepSoak(t.Context(), gains("ours"))
	if err != nil || named(s) != "theirs ours" {
		t.Errorf("given: %q, %v", named(s), err)
	}
	if s, err = c.Soak(t.Context()); err != nil || named(s) != "theirs ours" {
		t.Errorf("kept: %q, %v", named(s), err)
	}
}

func TestAnotherFormatIsNotWrittenOver(t *testing.T) {
	for text, foreign := range map[string]bool{
		`{"format":"2.0","site":"lab","versions":[]}`:       true,
		`{"format":"2.0","versions":"another form"}`:        true,
		`{"format":"1.7","site":"lab","tomorrow":true}`:     false,
		`{"format":"1.0","versions":"nobody's idea of it"}`: false,
		"by hand": false,
	} {
		f := newFakeAPI()
		c := connect(t, f)
		f.put("configmaps", object{"metadata": map[string]any{"namespace": "kube-system", "name": soakName},
			"data": map[string]any{soakKey: text}})
		_, err := c.KeepSoak(t.Context(), gains("a"))
		if (err != nil) != foreign {
			t.Errorf("%s: %v", text, err)
		}
		if s, err := c.Soak(t.Context()); err != nil || (s.Versions == nil) != foreign {
			t.Errorf("%s: then %+v, %v", text, s, err)
		}
	}
}

func TestARefusedLookIsAnError(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	c.pause = time.Millisecond
	f.refuse = func(r *http.Request) (int, bool) { return http.StatusForbidden, r.Method != http.MethodGet }
	if _, err := c.KeepSoak(t.Context(), gains("a")); err == nil || !strings.Contains(fmt.Sprint(err), soakName) {
		t.Errorf("a refused write: %v", err)
	}
}

// A pin that stays as it is, and one that never was, is read and not written.
func TestAPinThatStaysIsNotWritten(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	writes := 0
	f.refuse = func(r *http.Request) (int, bool) {
		if r.Method != http.MethodGet {
			writes++
		}
		return 0, false
	}
	same := func(prev lifecycle.Pinned) lifecycle.Pinned { return prev }
	if err := c.KeepPinned(t.Context(), same); err != nil || writes != 0 {
		t.Errorf("one that never was: %d writes, %v", writes, err)
	}
	since := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	open := lifecycle.Pinned{Format: lifecycle.PinnedFormat, Former: lifecycle.Version{Major: 1, Minor: 35}, Since: since,
		Why: []string{"a"}, Storage: map[string]string{"api/v1/pods": "b"}}
	for range 2 {
		if err := c.KeepPinned(t.Context(), func(lifecycle.Pinned) lifecycle.Pinned { return open }); err != nil || writes != 1 {
			t.Errorf("one that is opened: %d writes, %v", writes, err)
		}
	}
	if err := c.KeepPinned(t.Context(), same); err != nil || writes != 1 {
		t.Errorf("one that stays: %d writes, %v", writes, err)
	}
	if p, err := c.Pinned(t.Context()); err != nil || !p.Since.Equal(since) || !p.Open() {
		t.Errorf("%+v, %v", p, err)
	}
}
