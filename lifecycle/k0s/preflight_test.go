package k0s

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// What k0s v1.36.3 prints where a drop-in is of the former form: the checks, then its error. Shortened.
const refusesDropIn = `time="2026-11-29 13:00:00" level=info msg="[sysinfo] begins"
[
  {"path": ["os"], "displayName": "Operating system", "prop": "Linux", "message": "", "category": "pass", "error": null},
  {"path": ["os", "linux:apparmor"], "displayName": "AppArmor", "prop": "unavailable", "message": "", "category": "warning", "error": null},
  {"path": ["containerd:configSnippets", "file:nvidia.toml"], "displayName": "Containerd config snippet: nvidia.toml",
   "prop": "/etc/k0s/containerd.d/nvidia.toml", "message": "unsupported containerd configuration version: expected 3, got 2",
   "category": "rejected", "error": null},
  {"path": ["nameResolution:localhost"], "displayName": "Name resolution: localhost", "prop": "", "message": "", "category": "error",
   "error": {"Err": "no such host"}}
]Error: sysinfo failed
`

func TestSysinfoIsRead(t *testing.T) {
	dropIn := "Containerd config snippet: nvidia.toml: /etc/k0s/containerd.d/nvidia.toml (unsupported containerd configuration version: " +
		"expected 3, got 2)"
	const lookup = "Name resolution: localhost (the check itself failed)"
	for name, tt := range map[string]struct {
		said             string
		changed          []string
		rejected, warned []string
		why              string
	}{
		"what it rejects and warns of": {said: refusesDropIn, rejected: []string{dropIn, lookup}, warned: []string{"AppArmor: unavailable"}},
		"a file that the upgrade changes": {said: refusesDropIn, changed: []string{"nvidia.toml"}, rejected: []string{lookup},
			warned: []string{"AppArmor: unavailable"}},
		"another file": {said: refusesDropIn, changed: []string{"mirror.toml"}, rejected: []string{dropIn, lookup},
			warned: []string{"AppArmor: unavailable"}},
		"all is well":        {said: `[{"displayName": "Operating system", "category": "pass"}]`},
		"before v1.32":       {said: "Error: unknown shorthand flag: 'o' in -o\n", why: "unknown shorthand flag"},
		"not there":          {said: "sh: /usr/local/bin/k0s.kiban-v1.36.3: not found\n", why: "not found"},
		"nothing":            {said: "\n", why: "it says nothing"},
		"an empty list":      {said: "[]", why: `"[]"`},
		"another outcome":    {said: `[{"displayName": "Kernel", "category": "maybe"}]`, why: "not understood"},
		"cut off":            {said: refusesDropIn[:400], why: "not understood"},
		"another form":       {said: `{"probes": []}`, why: "not understood"},
		"a list of no check": {said: `["pass"]`, why: "not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			probes, why := parseSysinfo([]byte(tt.said))
			rejected, warned := verdict(probes, tt.changed)
			if !slices.Equal(rejected, tt.rejected) || !slices.Equal(warned, tt.warned) || !strings.Contains(why, tt.why) ||
				(why == "") != (tt.why == "") {
				t.Errorf("rejected %q, warned %q, why %q", rejected, warned, why)
			}
		})
	}
}

// A declared file of containerd is put while k0s is stopped for the version: what it replaces does not count, and what is there already
// does.
func TestDeclaredFilesThatAreStillToCome(t *testing.T) {
	there := lifecycle.HostFile{Path: lifecycle.ContainerdDropIns + "/a.toml", Digest: digest([]byte("there\n"))}
	comes := lifecycle.HostFile{Path: lifecycle.ContainerdDropIns + "/b.toml", Digest: digest([]byte("comes\n"))}
	said := "1\n" + strings.TrimPrefix(there.Digest, "sha256:") + " *" + there.Path + "\n" + strings.Repeat("0", 64) + " *" + comes.Path + "\n"
	if got := coming([]lifecycle.HostFile{there, comes}, said); !slices.Equal(got, []string{"b.toml"}) {
		t.Errorf("still to come: %v", got)
	}
}

// The staged k0s is asked with one command, for what the machine does, and the installed one goes on.
func TestPreflight(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	f.do(s, v136, "w1/stage")
	for _, machine := range s.machines {
		machine.host.Arguments = nil
	}
	ask := func() (said string, err error) {
		err = s.Do(t.Context(), lifecycle.Step{ID: "w1/preflight", Target: "w1", Action: lifecycle.ActionPreflight, Version: mustVersion(v136)},
			func(line string) { said += line + "\n" })
		return said, err
	}
	f.commands()
	if said, err := ask(); err != nil || said != "" {
		t.Fatalf("a machine that is fit: %q, %v", said, err)
	}
	if sent := f.commands(); strings.Count(sent, "\n") != 1 || strings.Contains(sent, "systemctl") {
		t.Errorf("it sent:\n%s", sent)
	}
	if got, want := m.read("asked"), "sysinfo -o json --controller=false --worker=true --data-dir="+m.root+"/data\n"; got != want {
		t.Errorf("it was asked %q, want %q", got, want)
	}

	m.write("sysinfo", refusesDropIn, 0o644)
	said, err := ask()
	var d lifecycle.Diagnostic
	if !errors.As(err, &d) || d.Severity != lifecycle.SeverityBlocked || d.Subject != "w1" ||
		!strings.Contains(d.Detail, "expected 3, got 2") || !strings.Contains(said, "warns of AppArmor: unavailable") {
		t.Errorf("a machine that is refused: %q, %v", said, err)
	}
	for _, machine := range s.machines {
		machine.host.Files = []lifecycle.HostFile{{Path: lifecycle.ContainerdDropIns + "/nvidia.toml", Content: []byte("version = 3\n"),
			Digest: digest([]byte("version = 3\n"))}}
	}
	if _, err := ask(); err == nil || strings.Contains(err.Error(), "nvidia.toml") || !strings.Contains(err.Error(), "localhost") {
		t.Errorf("a file that the upgrade replaces: %v", err)
	}
	for _, machine := range s.machines {
		machine.host.Arguments = []string{"--ignore-pre-flight-checks"}
	}
	if said, err := ask(); err != nil || !strings.Contains(said, "localhost") {
		t.Errorf("k0s that starts all the same: %q, %v", said, err)
	}
	for _, machine := range s.machines {
		machine.host.Arguments = nil
	}
	m.write("sysinfo", "Error: unknown shorthand flag: 'o' in -o\n", 0o644)
	if said, err := ask(); err != nil || !strings.Contains(said, "not known") || !strings.Contains(said, "unknown shorthand flag") {
		t.Errorf("k0s that has no such answer: %q, %v", said, err)
	}
	if err := os.Remove(filepath.Join(m.root, "bin", "k0s.kiban-"+v136)); err != nil {
		t.Fatal(err)
	}
	if said, err := ask(); err != nil || !strings.Contains(said, "not known") {
		t.Errorf("k0s that is not there: %q, %v", said, err)
	}
}
