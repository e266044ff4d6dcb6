package k0s

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock/locktest"
)

func hostLock(f *farm) *HostLock {
	h := f.open(v135).HostLock("c1")
	h.dir = filepath.Join(f.fakes["c1"].root, "run", "kiban")
	return h
}

// A controller keeps the lock as a cluster does. Reading it leaves no trace; giving it up leaves the epoch.
func TestHostLock(t *testing.T) {
	f := newFarm(t, "c1")
	h := hostLock(f)
	if _, err := h.ReadLock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(h.dir); err == nil {
		t.Error("reading the lock wrote something")
	}
	locktest.Conform(t, h, h.dir+" on c1")
	held, err := h.ReadLock(t.Context())
	if err != nil || !held.Held() {
		t.Fatal(held, err)
	}
	if _, err := h.WriteLock(t.Context(), lifecycle.Lock{Epoch: held.Epoch, Version: held.Version}); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(h.dir + "/*"); len(left) != 1 || filepath.Base(left[0]) != fmt.Sprint("epoch.", held.Epoch) {
		t.Errorf("left on the machine: %v", left)
	}
	for _, c := range f.audit {
		if c.Step != "lock" || c.Host != "c1" {
			t.Errorf("a command that is not the lock's: %+v", c)
		}
	}
}

// Many at once: one gets it, and nothing is left of the others.
func TestHazard_H13_HostLockHasOneWinner(t *testing.T) {
	h := hostLock(newFarm(t, "c1"))
	locktest.OneWinner(t, h)
	if held, _ := filepath.Glob(h.dir + "/lock/*"); len(held) != 1 {
		t.Errorf("of the lock there is %v", held)
	}
}

// A contender that was killed half way leaves no lock that nobody can have.
func TestHostLockAfterAKill(t *testing.T) {
	f := newFarm(t, "c1")
	h := hostLock(f)
	for _, left := range []string{"lock/", "new.run-9/run-9", "beat.run-9"} { // an empty lock directory; a claim that was not put in place
		path := filepath.Join(h.dir, left)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(left, "9") {
			if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if l, err := h.ReadLock(t.Context()); err != nil || l.Held() {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := h.WriteLock(t.Context(), lifecycle.Lock{Holder: "run-9", Epoch: 1}); err != nil {
		t.Error(err)
	}
}

func TestHostLockNeverLeavesItsFolder(t *testing.T) {
	h := hostLock(newFarm(t, "c1"))
	for _, bad := range []string{"../x", "a b", ".", "a\nb"} {
		if _, err := h.WriteLock(t.Context(), lifecycle.Lock{Holder: bad}); err == nil {
			t.Errorf("%q was taken for a run", bad)
		}
	}
}

func TestParseHostLock(t *testing.T) {
	for _, tt := range []struct{ name, out, holder, err string }{
		{"free", "n1 none", "", ""},
		{"held", "n1 held run-1 3 1700000000\n{\"epoch\":1,\"who\":\"a\"}\nn1 none", "run-1", ""},
		{"raised", "n1 epoch 3\nn1 held run-1 3 1700000000 7\n{\"epoch\":1}\nn1 none", "run-1", ""},
		{"released while it was read", "n1 held run-1 3 1700000000\n\nn1 none", "", ""},
		{"cut short", "n1 held run-1 3", "", "cut short"},
		{"not a lock", "n1 held run-1 3 1\n{\nn1 none", "", "cannot be read"},
		{"noise before it", "Last login: today\nn1 held run-1 3 1700000000\n{\"epoch\":1}\nn1 none", "run-1", ""},
	} {
		l, err := parseHostLock(tt.out, "n1", "here")
		if l.Holder != tt.holder || (err != nil) != (tt.err != "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %+v, %v", tt.name, l, err)
		}
	}
}

// A machine whose connection ends in the middle is told as what was being done with the lock, not as the script that did it.
func TestHostLockSaysWhatFailed(t *testing.T) {
	f := newFarm(t, "c1")
	h := hostLock(f)
	held, err := h.WriteLock(t.Context(), lifecycle.Lock{Holder: "run-1", Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	f.fakes["c1"].set(func() { f.fakes["c1"].says = func(io.Writer, io.Writer) {} })
	for doing, do := range map[string]func() error{
		"looking for the site's lock": func() error { _, err := h.ReadLock(t.Context()); return err },
		"renewing the site's lock":    func() error { _, err := h.WriteLock(t.Context(), held); return err },
		"giving up the site's lock": func() error {
			_, err := h.WriteLock(t.Context(), lifecycle.Lock{Epoch: 1, Version: held.Version})
			return err
		},
		"taking the site's lock": func() error {
			_, err := h.WriteLock(t.Context(), lifecycle.Lock{Holder: "run-2", Epoch: 2, Version: held.Version})
			return err
		},
	} {
		if err := do(); err == nil || !strings.HasPrefix(err.Error(), doing+" fails on c1: ") || strings.ContainsAny(err.Error(), "\n`$") {
			t.Errorf("%s: %v", doing, err)
		}
	}
}

// TestFailuresNameTheirCommandBriefly: a message holds a command, and of a script its first line alone.
func TestFailuresNameTheirCommandBriefly(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for command, want := range map[string]string{
		"systemctl stop k0sworker": "`systemctl stop k0sworker` fails on w1: gone",
		"set -e\nrm x\nmv y x":     "`set -e …` fails on w1: gone",
		"echo " + long:             "`echo " + long[:295] + " …` fails on w1: gone",
	} {
		err := &commandError{host: "w1", command: command, err: errors.New("gone")}
		if err.Error() != want {
			t.Errorf("%q", err)
		}
	}
}
