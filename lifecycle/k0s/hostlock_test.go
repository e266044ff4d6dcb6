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
	"time"

	"kiban.dev/kiban/lifecycle"
)

func hostLock(f *farm) *HostLock {
	h := f.open(v135).HostLock("c1")
	h.dir = filepath.Join(f.fakes["c1"].root, "run", "kiban")
	return h
}

// A whole life of the lock, and no write over what was not read: what the cluster's lock shows, too.
func TestHostLock(t *testing.T) {
	f := newFarm(t, "c1")
	h := hostLock(f)
	ctx := t.Context()
	free, err := h.ReadLock(ctx)
	if err != nil || free.Held() || free.Version != "" {
		t.Fatalf("before anybody: %+v, %v", free, err)
	}
	if _, err := os.Stat(h.dir); err == nil {
		t.Error("reading the lock wrote something")
	}
	now := time.Now().Truncate(time.Second)
	claim := lifecycle.Lock{Holder: "run-1", Epoch: 1, Who: "alice's @ws1", Doing: "apply of\nrevision \"abc\"", Since: now, Renewed: now}
	got, err := h.WriteLock(ctx, claim)
	if err != nil {
		t.Fatal(err)
	}
	read, err := h.ReadLock(ctx)
	if err != nil || !read.Same(claim) || read.Who != claim.Who || read.Doing != claim.Doing || !read.Since.Equal(now) ||
		!read.Renewed.Equal(now) || read.Version != got.Version || read.Where != h.dir+" on c1" {
		t.Fatalf("read back: %+v, %v\nwritten %+v", read, err, got)
	}
	if _, err := h.WriteLock(ctx, lifecycle.Lock{Holder: "run-2", Epoch: 1}); !errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("taken a second time: %v", err)
	}
	got.Renewed = now.Add(5 * time.Second)
	renewed, err := h.WriteLock(ctx, got)
	if err != nil || renewed.Beat == read.Beat || !renewed.Same(read) {
		t.Fatalf("renewed: %+v, %v", renewed, err)
	}
	read.Holder, read.Epoch = "run-2", 2
	if _, err := h.WriteLock(ctx, read); !errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("taken over after a renewal that was not seen: %v", err)
	}
	over, err := h.WriteLock(ctx, lifecycle.Lock{Holder: "run-2", Epoch: 2, Renewed: now, Version: renewed.Version})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteLock(ctx, renewed); !errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("the former holder renews: %v", err)
	}
	if _, err := h.WriteLock(ctx, lifecycle.Lock{Epoch: 1, Version: renewed.Version}); !errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("the former holder releases: %v", err)
	}
	if read, err = h.ReadLock(ctx); err != nil || read.Holder != "run-2" || read.Version != over.Version {
		t.Errorf("%+v, %v", read, err)
	}
	if _, err := h.WriteLock(ctx, lifecycle.Lock{Epoch: 2, Version: over.Version}); err != nil {
		t.Fatal(err)
	}
	if read, err = h.ReadLock(ctx); err != nil || read.Held() {
		t.Errorf("released: %+v, %v", read, err)
	}
	if left, _ := filepath.Glob(h.dir + "/*"); len(left) > 0 {
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
