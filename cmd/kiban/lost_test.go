package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// A control plane that is lost is no new cluster: status says so by what is kept here, and names the command that brings it back.
func TestStatusOfALostControlPlane(t *testing.T) {
	fleet := t.TempDir()
	f := &fakeSite{state: lifecycle.State{API: lifecycle.APIState{NotYet: true}}}
	if r := f.kiban(t, fleet, nil, "status", "lab"); r.code != exitDone || !strings.Contains(r.out, "there is no cluster yet") ||
		strings.Contains(r.out, "lost") {
		t.Errorf("a site that never had one: exit %d\n%s%s", r.code, r.out, r.err)
	}
	const name = "lab-v1.36.3+k0s.2-20261121T020000Z.tar.gz"
	folder := filepath.Join(fleet, ".kiban", "backups", "lab")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := f.kiban(t, fleet, nil, "status", "lab")
	text := strings.Join(strings.Fields(r.out), " ") // however it is wrapped
	for _, want := range []string{"the control plane is lost, and this is not a new cluster", "2026-11-21 02:00 UTC", folder,
		"kiban restore lab --from " + name, "kiban apply lab --new-cluster"} {
		if !strings.Contains(strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(want, " ", "")) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	if strings.Contains(text, "no cluster yet") || strings.Contains(text, "k0s reset") {
		t.Errorf("it takes it for a new one:\n%s", r.out)
	}
}

// To begin anew over a lost control plane takes the site's name, and not a yes.
func TestANewClusterTakesTheSitesName(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		args         []string
		applied      bool
	}{
		{"a yes is too quickly said", "yes\n", nil, false},
		{"another name", "tokyo\n", nil, false},
		{"the name", "lab\n", nil, true},
		{"said beforehand", "", []string{"--yes"}, true},
	} {
		p := planOf("f", "controller-1/initialize")
		p.Anew = true
		f := &fakeSite{plans: []lifecycle.Plan{p}}
		at := func(s *Streams) { s.InTTY, s.In = true, strings.NewReader(tt.answer) }
		r := f.kiban(t, t.TempDir(), at, append([]string{"apply", "lab", "--new-cluster"}, tt.args...)...)
		if (len(f.applied) == 1) != tt.applied || (r.code == exitDone) != tt.applied {
			t.Errorf("%s: exit %d, applied %d times\n%s", tt.name, r.code, len(f.applied), r.err)
		}
		if asked := strings.Contains(r.err, "Type the site's name"); asked != (tt.args == nil) {
			t.Errorf("%s: asked is %v\n%s", tt.name, asked, r.err)
		}
	}
}
