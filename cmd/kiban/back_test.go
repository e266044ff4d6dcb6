package main

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// TestBackSaysWhatTakesThePinAway: by what is declared, once the control plane has its former version.
func TestBackSaysWhatTakesThePinAway(t *testing.T) {
	former := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	site := lifecycle.Site{Name: "lab"}
	for declared, want := range map[lifecycle.Version]string{
		former:                          "kiban apply lab takes that away",
		{Major: 1, Minor: 36, Patch: 3}: "to take that away, declare that version, too, and apply",
	} {
		site.Cluster.Version = declared
		if got := wentBack(site, former); !strings.HasSuffix(got, want) || !strings.Contains(got, "is still pinned to it") {
			t.Errorf("%s is declared: %s", declared, got)
		}
	}
	p := planOf("f", "controller-1/restore-former")
	p.Target = former
	f := &fakeSite{planners: session.Planners{Back: func(lifecycle.Site, lifecycle.State) lifecycle.Plan { return p }}}
	r := f.kiban(t, t.TempDir(), nil, "back", "lab", "--yes")
	said := strings.Join(strings.Fields(r.out), " ")
	if r.code != exitDone || !strings.Contains(said, "is still pinned to it; to take that away, declare") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
	}
}
