package apply

import (
	"context"
	"errors"
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

// TestATakenLockIsSaidToBeTaken: what fails in a step while another takes the lock is told as that. It is no word against the version, and
// no way back is taken.
func TestATakenLockIsSaidToBeTaken(t *testing.T) {
	for _, role := range []lifecycle.Role{lifecycle.RoleController, lifecycle.RoleWorker} {
		for _, by := range []string{"run-2", ""} {
			t.Run(string(role)+" "+by, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, w := &place{}, talking{world: newWorld(), lines: []string{"stopped by another"}}
					f := fenceOf(t, p)
					defer f.Release(context.Background())
					w.onLog = func(string) { p.takenBy(by, "bob@ws2") }
					w.gates[lifecycle.GateNodeReady] = func(lifecycle.Gate) lifecycle.GateResult {
						return lifecycle.GateResult{State: lifecycle.GateFailed, Reason: "k0s does not run"}
					}
					site := lifecycle.Site{Name: "lab"}
					site.Cluster.Hosts = []lifecycle.Host{{Name: "w1", Role: role}}
					step := lifecycle.Step{ID: "w1/upgrade", Stage: "s", Action: lifecycle.ActionUpgrade, Target: "w1", From: older,
						Version: newer, After: []lifecycle.Gate{{Kind: lifecycle.GateNodeReady, Target: "w1", Timeout: time.Minute}}}
					if role == lifecycle.RoleWorker {
						step.OnFailure = []lifecycle.Step{{ID: "w1/restore-former", Action: lifecycle.ActionRestoreFormer, Target: "w1",
							Version: older}}
					}
					d := w.deps()
					d.Fence, d.Logs = onlyChecks{f}, w
					found := one(t, Run(t.Context(), site, lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}},
						Steps: []lifecycle.Step{step}}, d))
					want := "another run has taken the lock over during w1/upgrade, which is left as it is"
					if by == "" {
						want = "somebody took the lock away from this run during w1/upgrade, which is left as it is"
					}
					if found.Summary != want || found.Severity != lifecycle.SeverityBlocked {
						t.Errorf("%s %q, want %q", found.Severity, found.Summary, want)
					}
					if all := found.Error() + found.Hint; strings.Contains(all, "did not come up") || !strings.Contains(all, "k0s does not run") ||
						!strings.Contains(all, "stopped by another") {
						t.Errorf("it says %s", all)
					}
					if slices.Contains(w.log, "w1/restore-former") {
						t.Errorf("it acted without the lock: %v", w.log)
					}
				})
			})
		}
	}
}

// silent is a fence that lets the first step through, and then can't tell, and takes its time.
type silent struct {
	onlyChecks
	asked int
}

func (f *silent) Check(ctx context.Context, _ lifecycle.Step) error {
	if f.asked++; f.asked == 1 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * time.Minute):
		return errors.New("it can't be told whether the run still has the lock")
	}
}

// TestNobodyWaitsForTheLockToTellOfAFailure: a controller that is out of reach, and its lock with it, keeps nobody from hearing so.
func TestNobodyWaitsForTheLockToTellOfAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.takes["c1/upgrade"] = time.Minute
		w.errs["c1/upgrade"] = lifecycle.ErrConnectionLost
		site := lifecycle.Site{Name: "lab"}
		site.Cluster.Hosts = []lifecycle.Host{{Name: "c1", Role: lifecycle.RoleController}}
		d := w.deps()
		d.Fence = &silent{}
		start := time.Now()
		found := one(t, Run(t.Context(), site, lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}}, Steps: []lifecycle.Step{
			{ID: "c1/upgrade", Stage: "s", Action: lifecycle.ActionUpgrade, Target: "c1", From: older, Version: newer}}}, d))
		if took := time.Since(start); took > 80*time.Second || !strings.Contains(found.Summary, "the connection to c1 was lost") {
			t.Errorf("after %s: %s", took, found.Summary)
		}
	})
}
