package apply

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// place keeps a lock in memory.
type place struct {
	mu   sync.Mutex
	lock lifecycle.Lock
}

func (p *place) ReadLock(context.Context) (lifecycle.Lock, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lock, nil
}

func (p *place) WriteLock(_ context.Context, l lifecycle.Lock) (lifecycle.Lock, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.Version != p.lock.Version {
		return lifecycle.Lock{}, lifecycle.ErrLockMoved
	}
	written, _ := strconv.Atoi(p.lock.Version)
	l.Version = strconv.Itoa(written + 1)
	l.Beat = l.Version
	p.lock = l
	return l, nil
}

// takenBy has another run take the lock over.
func (p *place) takenBy(run, who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lock = lifecycle.Lock{Holder: run, Epoch: 2, Version: "other", Who: who}
}

// fenceOf is the fence of a run that has the lock.
func fenceOf(t *testing.T, p *place) *lock.Fence {
	t.Helper()
	c := lock.NewContest(lock.Claim{Site: "lab", Lock: lifecycle.Lock{Holder: "run-1", Who: "alice@ws1"}})
	h, err := c.Acquire(t.Context(), lock.Group{Seats: []lock.Seat{{Name: "lease", Place: p}}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := &lock.Fence{Site: "lab"}
	f.Add(h)
	return f
}

// onlyChecks is a fence that ends no step in hand.
type onlyChecks struct{ Fence }

func (onlyChecks) Guard(ctx context.Context, _ lifecycle.Step) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

// A run that lost its lock does not begin another step, and leaves the node to the run that has it now.
func TestHazard_H13_FenceStopsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := &place{}, newWorld()
		f := fenceOf(t, p)
		defer f.Release(context.Background())
		w.takes["w1/drain"] = time.Minute
		w.onLog = func(key string) {
			if key == "w1/drain" {
				p.takenBy("run-2", "bob@ws2")
			}
		}
		d := w.deps()
		d.Fence = onlyChecks{f} // the step in hand goes on to its end
		err := Run(t.Context(), lifecycle.Site{}, rollout(2, lifecycle.Stage{Width: 1}), d)
		if want := []string{"w1/cordon", "w1/drain"}; !slices.Equal(w.log, want) {
			t.Errorf("did %v, want %v", w.log, want)
		}
		if ds := lifecycle.AsDiagnostics(err, ""); !ds.Has(lifecycle.SeverityBlocked) || !strings.Contains(err.Error(), "bob@ws2") {
			t.Errorf("findings %v", err)
		}
		_ = f.Release(t.Context())
		if now, _ := p.ReadLock(t.Context()); now.Holder != "run-2" {
			t.Error("the loser released the winner's lock")
		}
	})
}

// As soon as a renewal finds the lock taken, what is under way ends as if the process had been killed: no way back is tried, nothing is
// given back.
func TestLostLockEndsTheStepInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := &place{}, newWorld()
		f := fenceOf(t, p)
		for i := range 3 {
			w.takes[fmt.Sprintf("w%d/upgrade", i+1)] = time.Hour
		}
		w.onLog = func(key string) {
			if key == "w1/upgrade" {
				p.takenBy("run-2", "bob@ws2")
			}
		}
		plan := rollout(3, lifecycle.Stage{Width: 3})
		plan.Steps[2].OnFailure = []lifecycle.Step{{ID: "w1/restore-former", Action: lifecycle.ActionRestoreFormer, Target: "w1"}}
		d := w.deps()
		d.Fence = f
		start := time.Now()
		err := Run(t.Context(), lifecycle.Site{}, plan, d)
		if took := time.Since(start); took > 2*lifecycle.LockRenewal {
			t.Errorf("ended after %s", took)
		}
		if slices.Contains(w.log, "w1/restore-former") || slices.Contains(w.log, "w1/uncordon") {
			t.Errorf("went on without the lock: %v", w.log)
		}
		ds := lifecycle.AsDiagnostics(err, "")
		if len(ds) != 1 || ds[0].Severity != lifecycle.SeverityBlocked || !strings.Contains(err.Error(), "bob@ws2") {
			t.Errorf("findings %v, want the one that names who has the lock", err)
		}
		_ = f.Release(t.Context())
	})
}
