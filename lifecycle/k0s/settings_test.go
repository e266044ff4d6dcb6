package k0s

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// setting is a step that changes what a machine runs with, and keeps what that was.
func setting(target string, a lifecycle.Action) lifecycle.Step {
	return lifecycle.Step{ID: target + "/" + string(a), Target: target, Action: a, Version: mustVersion(v135), Keeps: true}
}

func restoring(target string) lifecycle.Step {
	a := lifecycle.ActionRestoreSettings
	return lifecycle.Step{ID: target + "/" + string(a), Target: target, Action: a, Version: mustVersion(v135)}
}

// TestSettingsAreKeptAndPutBack: what k0s ran with before a change is kept once, is told, and is what runs again after the way back,
// which leaves nothing behind; a second time there is nothing to do.
func TestSettingsAreKeptAndPutBack(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	before := strings.Replace(m.read("unit/k0sworker.service"), " worker", " worker --debug=true", 1)
	m.write("unit/k0sworker.service", before, 0o644)
	if h := f.state(s, "w1"); !h.Kept.IsZero() {
		t.Fatalf("it keeps something since %s", h.Kept)
	}
	if err := s.Do(t.Context(), setting("w1", lifecycle.ActionReinstall), nil); err != nil {
		t.Fatal(err)
	}
	if h := f.state(s, "w1"); h.Kept.IsZero() || len(h.Staged) > 0 || !h.Former.IsZero() || m.read("unit/k0sworker.service") == before {
		t.Fatalf("after the change it keeps since %s, %q", h.Kept, m.read("unit/k0sworker.service"))
	}
	for range 2 {
		if err := s.Do(t.Context(), restoring("w1"), nil); err != nil {
			t.Fatal(err)
		}
		h := f.state(s, "w1")
		if got := m.read("unit/k0sworker.service"); got != before || !h.Kept.IsZero() || h.Running != mustVersion(v135) {
			t.Errorf("its service is %q, was %q; it runs %s and keeps since %s", got, before, h.Running, h.Kept)
		}
		if got := m.kept(); len(got) > 0 {
			t.Errorf("left behind: %q", got)
		}
	}
}

// TestKeepCommand: in the shell of a machine: files, one that is not there, a second turn's, and the way back at any point of it.
func TestKeepCommand(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	m := newFarm(t, "w1").fakes["w1"]
	sh := func(command string) {
		t.Helper()
		cmd := exec.Command("sh", "-c", command)
		cmd.Env = append(os.Environ(), "ROOT="+m.root, "PATH="+m.root+"/bin:"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, out, command)
		}
	}
	kept := at("k0s.kiban-kept")
	write("unit", "one")
	write("k0s.yaml", "config")
	write("a b", "spaces")
	write("b ", "a blank at its end")
	if err := os.Mkdir(at("folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	keep := keepCommand(kept, "k0sworker", []string{at("unit"), at("k0s.yaml"), at("a b"), at("b "), at("none"), at("folder")})
	sh(keep)
	write("unit", "two")
	write("none", "new")
	sh(keep) // the second step of the turn keeps nothing anew
	sh(keepCommand(kept, "k0sworker", []string{at("unit"), at("later")}))
	write("a b", "other")
	write("b ", "other")
	write("later", "x")
	stat := func(name string) string {
		i, err := os.Stat(at(name))
		if err != nil {
			return ""
		}
		return fmt.Sprint(i.ModTime(), i.Mode())
	}
	config := stat("k0s.yaml")
	for _, file := range mustGlob(t, kept+".file*") {
		if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("others may read what is kept: %v, %v", i.Mode(), err)
		}
	}
	sh(returnCommand(kept, at("k0s.yaml")))
	sh(forgetCommand(kept))
	if i, err := os.Stat(at("unit")); err != nil || i.Mode().Perm() != 0o640 {
		t.Errorf("it comes back as %v, %v", i.Mode(), err)
	}
	for name, want := range map[string]string{"unit": "one", "k0s.yaml": "config", "a b": "spaces", "b ": "a blank at its end",
		"none": "", "later": ""} {
		got, _ := os.ReadFile(at(name))
		if string(got) != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if stat("k0s.yaml") != config {
		t.Error("k0s.yaml was the same and was written anew")
	}
	if left, _ := filepath.Glob(kept + "*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	write("k0s.kiban-kept.list", "of a turn that was cut off before all was kept\n")
	sh(keep)
	list, _ := os.ReadFile(kept + ".list")
	if n := strings.Count(string(list), "\n"); n != 5 || !slices.Contains(strings.Fields(string(list)), at("unit")) {
		t.Errorf("the list is %q", list)
	}
}

// TestStaleSettingsAreForgotten: a step without this way back leaves nothing that is older than what it changes.
func TestStaleSettingsAreForgotten(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	debug := func() {
		unit := m.read("unit/k0sworker.service")
		m.write("unit/k0sworker.service", strings.Replace(unit, " worker", " worker --debug=true", 1), 0o644)
	}
	debug()
	if err := s.Do(t.Context(), setting("w1", lifecycle.ActionReinstall), nil); err != nil || f.state(s, "w1").Kept.IsZero() {
		t.Fatalf("nothing is kept: %v", err)
	}
	debug()
	later := setting("w1", lifecycle.ActionReinstall)
	later.Keeps = false
	if err := s.Do(t.Context(), later, nil); err != nil || !f.state(s, "w1").Kept.IsZero() {
		t.Errorf("it keeps what was before: %v", err)
	}
}

// TestATimeOutOfRangeIsNone: a machine that says it kept something in the year 11476 does not break what is written as JSON.
func TestATimeOutOfRangeIsNone(t *testing.T) {
	site := lyingSite()
	w := heard(t, site.Cluster.Hosts[1], []byte("@@ facts=1\n@@ kept=300000000000\n@@ done=1\n"))
	w.host.Name = "w1"
	shown(t, site, []facts{heard(t, site.Cluster.Hosts[0], []byte("@@ facts=1\n@@ done=1\n")), w})
	if !w.host.Kept.IsZero() {
		t.Errorf("kept %s", w.host.Kept)
	}
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: nothing, %v", pattern, err)
	}
	return found
}
