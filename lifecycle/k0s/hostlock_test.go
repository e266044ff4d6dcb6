package k0s

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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

// Many at once: one gets it, be it free or a dead holder's.
func TestHazard_H13_HostLockHasOneWinner(t *testing.T) {
	f := newFarm(t, "c1")
	h := hostLock(f)
	for round := range 3 {
		seen, err := h.ReadLock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := h.WriteLock(t.Context(), lifecycle.Lock{Holder: fmt.Sprintf("run-%d-%d", round, i), Epoch: seen.Epoch + 1,
					Version: seen.Version})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, lifecycle.ErrLockMoved) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("round %d: %d winners", round, won.Load())
		}
		if held, _ := filepath.Glob(h.dir + "/lock/*"); len(held) != 1 {
			t.Errorf("round %d: %v", round, held)
		}
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
