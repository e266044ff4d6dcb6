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

// back is the way back from an upgrade of a machine.
func back(target, version string) lifecycle.Step {
	return lifecycle.Step{ID: target + "/restore-former", Target: target, Action: lifecycle.ActionRestoreFormer, Version: mustVersion(version)}
}

func mustVersion(s string) lifecycle.Version {
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v
}

// upgradeWithWayBack is an upgrade as plans have it for workers.
func upgradeWithWayBack(target, from, to string) lifecycle.Step {
	return lifecycle.Step{ID: target + "/upgrade", Target: target, Action: lifecycle.ActionUpgrade, From: mustVersion(from),
		Version:   mustVersion(to),
		OnFailure: []lifecycle.Step{back(target, from)}}
}

// kept are the names of what kiban keeps on the machine.
func (f *fake) kept() []string {
	names, _ := filepath.Glob(filepath.Join(f.root, "bin", "*k0s.kiban-*"))
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	return names
}

// TestFormerIsKeptAndPutBack: an upgrade with a way back keeps binary, service and environment; the way back makes them what runs, and
// leaves nothing behind. What is kept is not taken for a staged binary.
func TestFormerIsKeptAndPutBack(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	before := m.read("unit/k0sworker.service")
	f.do(s, v136, "w1/stage")
	if err := s.Do(t.Context(), upgradeWithWayBack("w1", v135, v136), nil); err != nil {
		t.Fatal(err)
	}
	h := f.state(s, "w1")
	if h.Running != mustVersion(v136) || h.Former != mustVersion(v135) || len(h.Staged) != 0 {
		t.Fatalf("after the upgrade it runs %s, keeps %s, has staged %v", h.Running, h.Former, h.Staged)
	}
	m.write("unit/k0sworker.service", "ExecStart="+m.root+"/bin/k0s worker --changed=true\n", 0o644)
	for range 2 { // the second time there is nothing left to do
		if err := s.Do(t.Context(), back("w1", v135), nil); err != nil {
			t.Fatal(err)
		}
		h = f.state(s, "w1")
		if h.Running != mustVersion(v135) || h.Binary != mustVersion(v135) || !h.Former.IsZero() {
			t.Errorf("after the way back it runs %s with %s in place and keeps %s", h.Running, h.Binary, h.Former)
		}
		if got := m.read("unit/k0sworker.service"); got != before {
			t.Errorf("its service is %q, was %q", got, before)
		}
		if got := m.kept(); len(got) > 0 {
			t.Errorf("left behind: %q", got)
		}
	}
}

// TestWayBackIsResumed: cut off at any point, the way back reaches the same end when it is walked again; and so does the upgrade.
func TestWayBackIsResumed(t *testing.T) {
	for _, tt := range []struct {
		name string
		cut  func(*fake)
	}{
		{"nothing was replaced", func(m *fake) { m.write("bin/k0s", standIn(v135), 0o755) }},
		{"only stopped", func(m *fake) { _ = os.Remove(filepath.Join(m.root, "running/k0sworker")) }},
		{"a new binary that does not run", func(m *fake) { m.write("bin/k0s", "#!/bin/sh\nexit 1\n", 0o755) }},
		{"binary and service put back, not started", func(m *fake) {
			_ = os.Remove(filepath.Join(m.root, "running/k0sworker"))
			_ = os.Rename(filepath.Join(m.root, "bin/k0s.kiban-former-"+v135), filepath.Join(m.root, "bin/k0s"))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, s := bootstrap(t, "c1", "w1")
			f.do(s, v136, "w1/stage")
			if err := s.Do(t.Context(), upgradeWithWayBack("w1", v135, v136), nil); err != nil {
				t.Fatal(err)
			}
			tt.cut(f.fakes["w1"])
			if err := s.Do(t.Context(), back("w1", v135), nil); err != nil {
				t.Fatal(err)
			}
			if h := f.state(s, "w1"); h.Running != mustVersion(v135) || h.Binary != mustVersion(v135) || !h.Former.IsZero() {
				t.Errorf("it runs %s with %s in place and keeps %s", h.Running, h.Binary, h.Former)
			}
			f.do(s, v136, "w1/stage")
			if err := s.Do(t.Context(), upgradeWithWayBack("w1", v135, v136), nil); err != nil {
				t.Fatal(err)
			}
			f.do(s, v136, "w1/forget-former")
			if h := f.state(s, "w1"); h.Running != mustVersion(v136) || !h.Former.IsZero() || len(f.fakes["w1"].kept()) > 0 {
				t.Errorf("at last it runs %s and keeps %s, %q", h.Running, h.Former, f.fakes["w1"].kept())
			}
		})
	}
}

// TestNoWayBackToWhatIsNotThere: the machine is not stopped for a former version that it does not have.
func TestNoWayBackToWhatIsNotThere(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	err := s.Do(t.Context(), back("w1", "v1.34.10+k0s.0"), nil)
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "is not on the machine") {
		t.Errorf("error is %v", err)
	}
	if h := f.state(s, "w1"); h.Service != lifecycle.ServiceRunning {
		t.Errorf("its service is %s", h.Service)
	}
}

// TestUpgradeKeepsWhatAPlanRemoves: a controller's former k0s stays until a step removes it, a worker's where the upgrade has a way back.
// What no plan will remove must not be left on the machine.
func TestUpgradeKeepsWhatAPlanRemoves(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.do(s, v136, "c1/stage", "c1/upgrade", "w1/stage", "w1/upgrade")
	if got := f.fakes["w1"].kept(); len(got) > 0 {
		t.Errorf("w1 keeps %q", got)
	}
	if h := f.state(s, "c1"); h.Former != mustVersion(v135) {
		t.Errorf("c1 keeps %s", h.Former)
	}
	f.do(s, v136, "c1/reinstall")
	f.do(s, v136, "c1/forget-former")
	if got := f.fakes["c1"].kept(); len(got) > 0 {
		t.Errorf("c1 keeps %q", got)
	}
}

func TestLastLog(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.fakes["w1"].write("bin/journalctl", "#!/bin/sh\necho \"$@\" > $ROOT/asked\nfor i in 1 2 3 4 5; do echo \"line $i\"; done\n", 0o755)
	got, err := s.LastLog(t.Context(), "w1", 3)
	if want := []string{"line 3", "line 4", "line 5"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if asked := f.fakes["w1"].read("asked"); !strings.Contains(asked, "-u k0sworker -n 3") {
		t.Errorf("asked %q", asked)
	}
	f.fakes["w1"].write("bin/journalctl", "#!/bin/sh\necho no journal >&2; exit 1\n", 0o755)
	if _, err := s.LastLog(t.Context(), "w1", 3); err == nil || !strings.Contains(err.Error(), "no journal") {
		t.Errorf("error is %v", err)
	}
}
