package k0s

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// byVersion declares a file for k0s from v1.36 on, of whatever form; before that the machine has another one there.
func byVersion(s *Session, f *farm, host, content string) (path string) {
	declareFile(s, f, lifecycle.HostFile{Path: "etc/k0s/new.conf", Content: []byte(content), Since: lifecycle.Version{Major: 1, Minor: 36}})
	f.fakes[host].write("etc/k0s/new.conf", "former\n", 0o640)
	return "etc/k0s/new.conf"
}

// TestHazard_H41_FileComesWithItsVersion: a file that is for the new version is put while k0s is stopped for it, never before, and the
// former one is back with the former k0s.
func TestHazard_H41_FileComesWithItsVersion(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	file := byVersion(s, f, "w1", "later\n")
	declareFile(s, f, lifecycle.HostFile{Path: "etc/k0s/added.conf", Content: []byte("added\n"), Since: lifecycle.Version{Major: 1,
		Minor: 36}})
	declareFile(s, f, lifecycle.HostFile{Path: "etc/any.conf", Content: []byte("any\n"), Restart: true})
	f.commands()
	f.do(s, v136, "w1/files", "w1/stage")
	if said := f.commands(); m.read(file) != "former\n" || m.read("etc/any.conf") != "any\n" || strings.Contains(said, "systemctl stop") {
		t.Fatalf("ahead of the upgrade it has %q, %q:\n%s", m.read(file), m.read("etc/any.conf"), said)
	}
	f.do(s, "", "w1/files")
	if m.read(file) != "former\n" {
		t.Errorf("the former k0s was given %q", m.read(file))
	}
	f.commands()
	if err := s.Do(t.Context(), upgradeWithWayBack("w1", v135, v136), nil); err != nil {
		t.Fatal(err)
	}
	said := f.commands()
	stop, put, start := strings.Index(said, "systemctl stop"), strings.Index(said, "new.conf.kiban-new"), strings.LastIndex(said,
		"systemctl start")
	if m.read(file) != "later\n" || m.read("etc/k0s/added.conf") != "added\n" || stop < 0 || put < stop || start < put {
		t.Errorf("with the new k0s it has %q, %q:\n%s", m.read(file), m.read("etc/k0s/added.conf"), said)
	}
	if h := f.state(s, "w1"); h.Former != mustVersion(v135) || len(h.Staged) > 0 {
		t.Errorf("what is kept beside it reads as %s, %v", h.Former, h.Staged)
	}
	if err := s.Do(t.Context(), back("w1", v135), nil); err != nil {
		t.Fatal(err)
	}
	if m.read(file) != "former\n" {
		t.Errorf("the former k0s came back to %q", m.read(file))
	}
	if st, err := os.Stat(filepath.Join(m.root, file)); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("the former file came back as %v, %v", st, err)
	}
	if _, err := os.Stat(filepath.Join(m.root, "etc/k0s/added.conf")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that was not there before is still there: %v", err)
	}
	if got := m.kept(); len(got) > 0 {
		t.Errorf("left behind: %q", got)
	}
}

// TestHazard_H41_InterruptedUpgradeIsFinishedWithItsFiles: cut off anywhere, a machine never has the former k0s with files that it does not
// take, and the same step again ends with both of the new version.
func TestHazard_H41_InterruptedUpgradeIsFinishedWithItsFiles(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	file := byVersion(s, f, "w1", "later\n")
	f.do(s, v136, "w1/stage")
	m.write("fail-start", "", 0o644)
	if err := s.Do(t.Context(), upgradeWithWayBack("w1", v135, v136), nil); err == nil {
		t.Fatal("it started all the same")
	}
	_ = os.Remove(filepath.Join(m.root, "fail-start"))
	m.write(file, "former\n", 0o640) // cut off behind the binary
	if err := s.Do(t.Context(), upgradeWithWayBack("w1", v135, v136), nil); err != nil {
		t.Fatal(err)
	}
	if h := f.state(s, "w1"); m.read(file) != "later\n" || h.Running != mustVersion(v136) || h.Former != mustVersion(v135) {
		t.Errorf("it runs %s with %q and keeps %s", h.Running, m.read(file), h.Former)
	}
	if err := s.Do(t.Context(), back("w1", v135), nil); err != nil || m.read(file) != "former\n" {
		t.Errorf("on the way back it has %q: %v", m.read(file), err)
	}
}

// TestJoinsWithFilesOfItsVersion: a machine that joins at the former version is not given what is for the next one.
func TestJoinsWithFilesOfItsVersion(t *testing.T) {
	for version, want := range map[string]string{v135: "former\n", v136: "later\n"} {
		f := newFarm(t, "c1")
		s := f.open(version)
		file := byVersion(s, f, "c1", "later\n")
		f.do(s, version, "c1/prepare", "c1/stage", "c1/initialize")
		if got := f.fakes["c1"].read(file); got != want {
			t.Errorf("with %s it has %q", version, got)
		}
	}
}

// TestWatchedFileIsTakenBack: a file that containerd does not start with is taken back while k0s runs, and what was there before is back.
func TestWatchedFileIsTakenBack(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	m.write("ours.toml", "former", 0o600)
	path := filepath.Join(m.root, "ours.toml")
	change := lifecycle.FileChange{HostFile: lifecycle.HostFile{Path: path, Content: []byte("bad"), Digest: digest([]byte("bad"))},
		Have: lifecycle.FileState{Path: path, Digest: digest([]byte("former"))}}
	added := change
	added.Path, added.Have = path+".added", lifecycle.FileState{}
	w1 := &task{Session: s, step: lifecycle.Step{ID: "w1/files", Target: "w1", Action: lifecycle.ActionFiles}, ctx: t.Context(),
		progress: func(string) {}, refused: &refusals{}}
	if err := w1.attachTarget(); err != nil {
		t.Fatal(err)
	}
	facts, err := w1.gatherFacts(t.Context(), w1.on)
	if err != nil {
		t.Fatal(err)
	}
	takes, due := watched{restarts: 1, within: 1e8}, []lifecycle.FileChange{change, added}
	err = w1.putWatched(t.Context(), facts, mustVersion(v135), due, takes)
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "has the former ones again") {
		t.Fatalf("error is %v", err)
	}
	if _, err := os.Stat(added.Path); m.read("ours.toml") != "former" || !errors.Is(err, os.ErrNotExist) || len(m.kept()) > 0 {
		t.Errorf("it has %q, %v, and keeps %q", m.read("ours.toml"), err, m.kept())
	}
	takes.within = 3e10 // it answers at once, and the machine that runs this may be busy
	m.write("bin/k0s", strings.Replace(standIn(v135), "kubectl) exit 0", "ctr) exit 0 ;;\nkubectl) exit 0", 1), 0o755)
	if err := w1.putWatched(t.Context(), facts, mustVersion(v135), due, takes); err != nil || m.read("ours.toml") != "bad" {
		t.Errorf("where containerd answers: %v, %q", err, m.read("ours.toml"))
	}
}
