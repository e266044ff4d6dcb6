package backup

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/depot/depottest"
)

// TestA7_BackupOutlivesItsMachine: a backup counts when every place has it and has given it back unaltered. It can be fetched from there
// when nothing is left here.
func TestA7_BackupOutlivesItsMachine(t *testing.T) {
	key, recipient := keyFile(t)
	one, two := &depottest.Memory{}, &depottest.Memory{}
	s := store(t, recipient)
	s.Places, s.Run = []Place{one, two}, "run-1"
	var told []string
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), func(line string) { told = append(told, line) })
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(path)
	for _, p := range []*depottest.Memory{one, two} {
		if got := p.Names(); !slices.Equal(got, []string{name, name + ".json"}) {
			t.Errorf("it has %q", got)
		}
	}
	if len(told) != 4 {
		t.Errorf("told is %q", told)
	}
	kept, ds := s.All(t.Context())
	if len(kept) != 3 || len(ds) > 0 {
		t.Fatalf("listed are %+v, %v", kept, ds)
	}
	for _, k := range kept {
		if k.Name != name || k.Version != v135 || k.Taken != "2026-11-21T12:00:00Z" || k.Verified == "" || k.Size == 0 || !k.Encrypted ||
			k.Place == "memory" && (k.Run != "run-1" || len(k.Recipients) != 1) {
			t.Errorf("listed is %+v", k)
		}
	}
	s.Dir = filepath.Join(t.TempDir(), "another machine")
	fetched, err := s.Fetch(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if src, err := Open(fetched, key); err != nil || src.Version != v135 {
		t.Errorf("it opens as %+v, %v", src, err)
	}
	if _, err := s.Fetch(t.Context(), strings.Replace(name, "1.35", "1.34", 1)); err == nil || !strings.Contains(err.Error(),
		"no place has") {
		t.Errorf("one that there is not: %v", err)
	}
}

// TestA7_WhatAPlaceDoesToABackup: a place that loses, alters or refuses it makes it no backup, and leaves none that looks like one.
func TestA7_WhatAPlaceDoesToABackup(t *testing.T) {
	refused := errors.New("access denied")
	only := func(method string) func(string, string) error {
		return func(m, _ string) error {
			if m == method {
				return refused
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		place *depottest.Memory
		says  string
		left  int
	}{
		"it gives back something else": {&depottest.Memory{Alter: func(_ string, b []byte) []byte {
			b = bytes.Clone(b)
			b[len(b)/2] ^= 1
			return b
		}}, "is not the one that was written", 0},
		"it gives back half": {&depottest.Memory{Alter: func(_ string, b []byte) []byte { return b[:len(b)/2] }},
			"is not the one that was written", 0},
		"it takes nothing": {&depottest.Memory{Fail: only("put")}, "access denied", 0},
		"it gives nothing": {&depottest.Memory{Fail: only("open")}, "access denied", 1},
	} {
		s := store(t)
		s.Places = []Place{c.place}
		_, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if got := c.place.Names(); len(got) != c.left || slices.ContainsFunc(got, func(n string) bool {
			return strings.HasSuffix(n,
				".json")
		}) {
			t.Errorf("%s: left is %q", name, got)
		}
	}
}

// TestRetentionInPlaces: older ones go from each place; one that was never verified counts for nothing, and a place that lets nothing go
// is
// a warning.
func TestRetentionInPlaces(t *testing.T) {
	var p depottest.Memory
	s := store(t)
	s.Places, s.Rules.Keep, s.Rules.KeepFor = []Place{&p}, 2, 0
	put := func(name string) {
		if err := p.Put(t.Context(), name, strings.NewReader("{}"), 2); err != nil {
			t.Fatal(err)
		}
	}
	var old []string
	for hour := range 4 {
		f := File{Site: s.Site, Version: v135, Taken: noon.Add(time.Duration(hour-9) * time.Hour)}
		old = append(old, f.Name())
		put(f.Name())
		if hour != 3 {
			put(f.Name() + ".json")
		}
	}
	put("osaka-v1.35.7+k0s.0-20261121T010000Z.tar.gz")
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"osaka-v1.35.7+k0s.0-20261121T010000Z.tar.gz", old[2], old[2] + ".json", old[3], filepath.Base(path),
		filepath.Base(path) + ".json"}
	slices.Sort(want)
	if got := p.Names(); !slices.Equal(got, want) {
		t.Errorf("kept are %q, want %q", got, want)
	}
	var warned []lifecycle.Diagnostic
	s.Warn = func(d lifecycle.Diagnostic) { warned = append(warned, d) }
	p.Fail = func(method, _ string) error {
		if method == "remove" {
			return errors.New("object lock")
		}
		return nil
	}
	if _, err := s.Keep(t.Context(), v135, writes(whole(t)), nil); err != nil || len(warned) != 1 {
		t.Errorf("%v, warned %v", err, warned)
	}
}

// TestFetchedIsWhatWasVerified: what a place has altered since is refused, and nothing of it stays here.
func TestFetchedIsWhatWasVerified(t *testing.T) {
	var p depottest.Memory
	s := store(t)
	s.Places = []Place{&p}
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Alter = func(name string, b []byte) []byte {
		if strings.HasSuffix(name, ".json") {
			return b
		}
		return append(bytes.Clone(b), 'x')
	}
	s.Dir = t.TempDir()
	_, err = s.Fetch(t.Context(), filepath.Base(path))
	if err == nil || !strings.Contains(err.Error(), "is not what it was") || errors.Is(err, ErrUnread) {
		t.Errorf("error is %v", err)
	}
	if entries, _ := os.ReadDir(s.Dir); len(entries) > 0 {
		t.Errorf("left is %v", entries)
	}
	p.Alter, p.Fail = nil, func(string, string) error { return errors.New("no answer") }
	if _, err := s.Fetch(t.Context(), filepath.Base(path)); !errors.Is(err, ErrUnread) || err.Error() != "no answer" {
		t.Errorf("a place that can't be asked says of the backup: %v", err)
	}
	p.Fail = nil
	if _, err := s.Fetch(t.Context(), "../"+filepath.Base(path)); err == nil {
		t.Error("a path was taken for a name")
	}
}

func TestFresh(t *testing.T) {
	one, two := &depottest.Memory{}, &depottest.Memory{}
	s := store(t)
	s.Places = []Place{one, two}
	fresh := func(want bool) {
		t.Helper()
		name, err := s.Fresh(t.Context(), time.Hour)
		if err != nil || (name != "") != want {
			t.Errorf("fresh is %q, %v, want %v", name, err, want)
		}
	}
	fresh(false)
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh(true)
	if err := two.Remove(t.Context(), filepath.Base(path)+".json"); err != nil { // never verified there
		t.Fatal(err)
	}
	fresh(false)
	s.Places = s.Places[:1]
	s.Now = func() time.Time { return noon.Add(2 * time.Hour) }
	fresh(false)
	one.Fail = func(string, string) error { return fs.ErrPermission }
	if _, err := s.Fresh(t.Context(), time.Hour); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a place that cannot be asked: %v", err)
	}
}

// TestWayBackIsNotPushedOut: a run that is carried on after its first controller has changed takes a backup at the new version. The one
// from before the run stays, however many follow, for as long as backups are kept.
func TestWayBackIsNotPushedOut(t *testing.T) {
	v136 := lifecycle.Version{Major: 1, Minor: 36}
	at := func(days int, v lifecycle.Version) File {
		return File{Site: "s", Version: v, Taken: noon.Add(-time.Duration(days) * 24 * time.Hour)}
	}
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		files []File
		rules lifecycle.Backups
		gone  []int
	}{
		"carried on":            {[]File{at(0, v136), at(1, v135), at(2, v135)}, lifecycle.Backups{Keep: 1}, []int{2}},
		"carried on twice":      {[]File{at(0, v136), at(0, v136), at(1, v135)}, lifecycle.Backups{Keep: 1}, []int{1}},
		"carried on much later": {[]File{at(0, v136), at(9, v135)}, lifecycle.Backups{KeepFor: day}, nil},
		"done long ago":         {[]File{at(0, v136), at(8, v136), at(9, v135)}, lifecycle.Backups{KeepFor: 7 * day}, []int{1, 2}},
		"many since, not so old": {[]File{at(0, v136), at(1, v136), at(2, v136), at(3, v135)}, lifecycle.Backups{Keep: 2, KeepFor: 7 * day},
			[]int{2}},
	} {
		var want []File
		for _, i := range c.gone {
			want = append(want, c.files[i])
		}
		if got := Expired(c.files, c.rules, noon); !slices.Equal(got, want) {
			t.Errorf("%s: gone are %v, want %v", name, got, want)
		}
	}
}

// TestProofLiesBesideTheBackup: wherever the backup is, and only where it is the one that was proven. A place that does not take it is an
// error, after the others.
func TestProofLiesBesideTheBackup(t *testing.T) {
	one, two := &depottest.Memory{}, &depottest.Memory{}
	s := store(t)
	s.Places = []Place{one, two}
	path, err := s.Keep(t.Context(), v135, writes(whole(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := readBeside(path)
	if err != nil {
		t.Fatal(err)
	}
	proof := lifecycle.Proof{Backup: filepath.Base(path), Digest: n.Digest, At: "2026-11-21T13:00:00Z", Took: time.Minute, By: "ann"}
	at, err := s.Prove(t.Context(), []string{s.Dir, t.TempDir()}, proof)
	if err != nil || len(at) != 3 {
		t.Errorf("written at %q, %v", at, err)
	}
	earlier := proof
	earlier.At, earlier.By = "2026-11-21T12:30:00Z", "bob"
	if _, err := s.Prove(t.Context(), []string{s.Dir}, earlier); err != nil {
		t.Fatal(err)
	}
	another := proof
	another.Digest, another.At = "sha256:another", "2026-11-22T13:00:00Z"
	if at, err := s.Prove(t.Context(), []string{s.Dir}, another); err != nil || len(at) > 0 {
		t.Errorf("another archive's proof is written at %q, %v", at, err)
	}
	kept, ds := s.All(t.Context())
	if ds.Err() != nil || len(kept) != 3 {
		t.Fatalf("%v %v", kept, ds)
	}
	for _, k := range kept {
		if k.Proven == nil || k.Proven.By != "ann" || k.Verified == "" || k.Size == 0 {
			t.Errorf("%s: %+v", k.Place, k.Proven)
		}
	}
	one.Fail = func(method, _ string) error {
		if method == "put" {
			return errors.New("append only")
		}
		return nil
	}
	proof.At = "2026-11-23T13:00:00Z"
	if at, err := s.Prove(t.Context(), []string{s.Dir}, proof); err == nil || len(at) != 2 {
		t.Errorf("written at %q, %v", at, err)
	}
}
