package lifecycle

import (
	"strings"
	"testing"
	"time"
)

// TestEmulating: what is pinned says so of all three programs, keeps the rest as it was, and can be told from what is not.
func TestEmulating(t *testing.T) {
	v := Version{Major: 1, Minor: 35, Patch: 7}
	declared := `{"spec":{"api":{"extraArgs":{"v":"4"},"port":6443,"sans":["a&b"]}}}`
	held, err := Emulating([]byte(declared), v)
	want := `{"spec":{"api":{"extraArgs":{"emulated-version":"1.35","v":"4"},"port":6443,"sans":["a&b"]},` +
		`"controllerManager":{"extraArgs":{"emulated-version":"1.35"}},"scheduler":{"extraArgs":{"emulated-version":"1.35"}}}}`
	if err != nil || string(held) != want {
		t.Errorf("got %s, %v", held, err)
	}
	for config, want := range map[string]string{
		string(held): "1.35", declared: "", "": "", "[]": "", "null": "",
		strings.Replace(string(held), `"1.35"`, `"kube=1.35"`, 1):    "1.35",
		strings.Replace(string(held), `"1.35"`, `"1.34"`, 1):         "",
		`{"spec":{"api":{"extraArgs":{"emulated-version":"1.35"}}}}`: "",
	} {
		if got := Emulated([]byte(config)); got != want {
			t.Errorf("%s acts as %q, want %q", config, got, want)
		}
	}
}

// TestSoakingIsTold: until when it can go back, and who says that it is for good.
func TestSoakingIsTold(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	p := Pinned{Former: Version{Major: 1, Minor: 35, Patch: 7}, To: Version{Major: 1, Minor: 36, Patch: 3}, Since: at, Soaks: at}
	site := Site{Name: "lab", Policy: Policy{ControlPlane: TwoStep{Soak: 48 * time.Hour}}}
	if got := p.Soaking(site, at).Detail; !strings.Contains(got, "until 2026-11-05 09:00 UTC; the next run after that commits it") {
		t.Error(got)
	}
	site.Policy.ControlPlane.Commit = CommitManual
	if got := p.Soaking(site, at).Detail; !strings.Contains(got, "until somebody commits it") || strings.Contains(got, "is over") {
		t.Error(got)
	}
	if got := p.Soaking(site, at.Add(49*time.Hour)).Detail; !strings.Contains(got, "is over") {
		t.Error(got)
	}
}
