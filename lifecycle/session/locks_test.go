package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// keeper keeps a lock in memory, for as long as it answers.
type keeper struct {
	mu     sync.Mutex
	name   string
	lock   lifecycle.Lock
	writes int
	away   bool
}

func (k *keeper) ReadLock(context.Context) (lifecycle.Lock, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.away {
		return lifecycle.Lock{}, errors.New("no answer")
	}
	now := k.lock
	now.Where = k.name
	return now, nil
}

func (k *keeper) WriteLock(_ context.Context, l lifecycle.Lock) (lifecycle.Lock, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.away:
		return lifecycle.Lock{}, errors.New("no answer")
	case l.Version != k.lock.Version:
		return lifecycle.Lock{}, lifecycle.ErrLockMoved
	}
	k.writes++
	l.Version, l.Beat, l.Where = fmt.Sprint(k.writes), fmt.Sprint(k.writes), k.name
	k.lock = l
	return l, nil
}

func (k *keeper) Connected() bool { return true }

func (k *keeper) set(away bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.away = away
}

func (k *keeper) holder() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lock.Holder
}

// yard is a site's places of the lock: its API, and those of its controllers.
type yard struct {
	site lifecycle.Site
	api  *keeper
	on   map[string]*keeper
}

func newYard(controllers int) *yard {
	y := &yard{site: lifecycle.Site{Name: "lab"}, api: &keeper{name: "lease kube-system/kiban"}, on: map[string]*keeper{}}
	for i := range controllers {
		name := fmt.Sprint("controller-", i+1)
		y.site.Cluster.Hosts = append(y.site.Cluster.Hosts, lifecycle.Host{Name: name, Role: lifecycle.RoleController})
		y.on[name] = &keeper{name: "/run/kiban on " + name}
	}
	y.site.Cluster.Hosts = append(y.site.Cluster.Hosts, lifecycle.Host{Name: "worker-1", Role: lifecycle.RoleWorker})
	return y
}

func (y *yard) locks() Locker {
	return LockIn(y.site, func(name string) lock.Place { return y.on[name] }, y.api)
}

func (y *yard) run(name string) Contender {
	return y.locks().Contend(lock.Claim{Site: "lab", Lock: lifecycle.Lock{Holder: name, Who: name + "@ws", Doing: "apply"}})
}

// seen is what a run sees that reaches everything but these.
func (y *yard) seen(api bool, away ...string) lifecycle.State {
	st := lifecycle.State{Site: "lab"}
	if !api {
		st.API.Unknown = "connection refused"
	}
	for _, h := range y.site.Cluster.Hosts {
		hs := lifecycle.HostState{Name: h.Name}
		for _, a := range away {
			if a == h.Name {
				hs.Problem, hs.Why = lifecycle.HostUnreachable, "no route to it"
			}
		}
		st.Hosts = append(st.Hosts, hs)
	}
	return st
}

func upgrade(target string) lifecycle.Step {
	return lifecycle.Step{ID: target + "/upgrade", Target: target, Action: lifecycle.ActionUpgrade}
}

// alice restarts the only API server under the cluster's lock. bob sees no API, and is told of alice all the same: the controllers have her
// lock, too.
func TestA4_TheLeasesHolderHoldsTheControllers(t *testing.T) {
	for _, n := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			y := newYard(n)
			fence, release, err := y.run("alice").Take(t.Context(), y.seen(true))
			if err != nil {
				t.Fatal(err)
			}
			if y.api.holder() != "alice" || y.on["controller-1"].holder() != "alice" {
				t.Fatalf("of %d: the cluster's lock is %q's, the controller's %q's", n, y.api.holder(), y.on["controller-1"].holder())
			}
			y.api.set(true) // what she does takes the API away
			time.Sleep(5 * time.Minute)
			if _, _, err := y.run("bob").Take(t.Context(), y.seen(false)); !errors.Is(err, lock.ErrHeld) ||
				!strings.Contains(err.Error(), "alice@ws") {
				t.Errorf("of %d: bob: %v", n, err)
			}
			if err := fence.Check(t.Context(), upgrade("controller-1")); err != nil {
				t.Errorf("of %d: alice: %v", n, err)
			}
			y.api.set(false)
			release()
			if y.api.holder() != "" || y.on["controller-1"].holder() != "" {
				t.Errorf("of %d: not given back: %q, %q", n, y.api.holder(), y.on["controller-1"].holder())
			}
		})
	}
}

// alice works without an API, on the controllers' lock. Whoever has one is told of her, and leaves the cluster's lock free.
func TestA4_ARunWithAnAPISeesOneWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(3)
		_, release, err := y.run("alice").Take(t.Context(), y.seen(false))
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if _, err := y.run("bob").Await(t.Context(), y.seen(true)); !errors.Is(err, lock.ErrHeld) {
			t.Errorf("bob waits: %v", err)
		}
		if _, _, err := y.run("bob").Take(t.Context(), y.seen(true)); !errors.Is(err, lock.ErrHeld) || y.api.holder() != "" {
			t.Errorf("bob takes: %v; the cluster's lock is %q's", err, y.api.holder())
		}
	})
}

// Two contenders that each reach another controller: neither begins, and each is told which are silent.
func TestA4_OneOfThreeControllersIsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(3)
		_, _, err := y.run("alice").Take(t.Context(), y.seen(false, "controller-2", "controller-3"))
		if err == nil || !strings.Contains(err.Error(), "controller-2 does not answer: no route to it") ||
			!strings.Contains(err.Error(), "controller-3") {
			t.Errorf("alice: %v", err)
		}
		if ds := lifecycle.AsDiagnostics(err, ""); len(ds) != 1 || ds[0].Severity != lifecycle.SeverityBlocked ||
			!strings.Contains(ds[0].Hint, "kiban restore lab") {
			t.Errorf("alice: %+v", ds)
		}
		if y.on["controller-1"].holder() != "" {
			t.Error("alice keeps what was too little")
		}
		fence, release, err := y.run("bob").Take(t.Context(), y.seen(false, "controller-1"))
		if err != nil || fence.Epoch() != 1 {
			t.Fatalf("bob, who reaches two: %v", err)
		}
		release()
	})
}

// With the cluster's lock alone units may change; no machine and no node may, until enough controllers answer.
func TestA4_NoMachineIsTouchedWithoutTheControllers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(3)
		for _, silent := range []string{"controller-2", "controller-3"} {
			y.on[silent].set(true)
		}
		fence, release, err := y.run("alice").Take(t.Context(), y.seen(true, "controller-2", "controller-3"))
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if err := fence.Check(t.Context(), lifecycle.Step{ID: "metallb/apply", Target: "metallb", Action: lifecycle.ActionApply}); err != nil {
			t.Errorf("a unit: %v", err)
		}
		for _, s := range []lifecycle.Step{upgrade("controller-1"), upgrade("worker-1"),
			{ID: "worker-1/cordon", Target: "worker-1", Action: lifecycle.ActionCordon}} {
			err = fence.Check(t.Context(), s)
			d, _ := errors.AsType[lifecycle.Diagnostic](err)
			if !strings.Contains(d.Detail, "controller-3 does not answer") || !strings.Contains(d.Detail, "The Kubernetes API answers") ||
				strings.Contains(d.Hint, "restore") || !strings.Contains(d.Hint, "Mend the way") {
				t.Errorf("%s: %+v", s.ID, d)
			}
		}
		y.on["controller-3"].set(false)
		if err := fence.Check(t.Context(), upgrade("controller-1")); err != nil || y.on["controller-3"].holder() != "alice" {
			t.Errorf("a controller, when two answer: %v", err)
		}
	})
}

// alice has the API, bob the controllers: each is cut off from what the other holds. Only bob may act on the worker.
func TestNoTwoActOnAWorkerWithALockEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(3)
		bob, release, err := y.run("bob").Take(t.Context(), y.seen(false))
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		none := y.seen(true, "controller-1", "controller-2", "controller-3")
		alice, done, err := y.run("alice").Take(t.Context(), none)
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		y.api.set(true)
		if err := bob.Check(t.Context(), upgrade("worker-1")); err != nil {
			t.Errorf("bob, who has the controllers: %v", err)
		}
		y.api.set(false)
		if err := alice.Check(t.Context(), upgrade("worker-1")); !errors.Is(err, lock.ErrHeld) {
			t.Errorf("alice, who has the cluster's lock alone: %v", err)
		}
	})
}

// A site whose machines are somebody else's has the cluster's lock and no other.
func TestASiteWithoutControllersHasOneLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(0)
		fence, release, err := y.run("alice").Take(t.Context(), y.seen(true))
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if err := fence.Check(t.Context(), upgrade("worker-1")); err != nil {
			t.Error(err)
		}
	})
}

// A run that makes the cluster takes its lock as soon as there is one, with the epoch that it has.
func TestALockGoesFromOnePlaceToTheOtherWithOneEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(3)
		y.api.set(true)
		seen := y.seen(false)
		seen.Hosts[3].Epoch = 6 // a worker remembers a run of before
		fence, release, err := y.run("alice").Take(t.Context(), seen)
		if err != nil || fence.Epoch() != 7 {
			t.Fatalf("epoch %d, %v; want one that no machine refuses", fence.Epoch(), err)
		}
		y.api.set(false)
		if err := fence.Check(t.Context(), upgrade("worker-1")); err != nil || y.api.holder() != "alice" || y.api.lock.Epoch != 7 ||
			fence.Epoch() != 7 {
			t.Errorf("adopted: %q at %d, %v", y.api.holder(), y.api.lock.Epoch, err)
		}
		if _, _, err := y.run("bob").Take(t.Context(), y.seen(true)); !errors.Is(err, lock.ErrHeld) {
			t.Errorf("bob: %v", err)
		}
		release()
		next, release, err := y.run("bob").Take(t.Context(), y.seen(true))
		if err != nil || next.Epoch() != 8 {
			t.Fatalf("the next run has epoch %d, %v", next.Epoch(), err)
		}
		release()
	})
}

// TestA10_AWorkerDoesNotUseUpTheEpochs: one that says it knows the greatest epoch that anybody reads would leave none for the runs to come,
// and so the site without a lock that machines can tell from a former one.
func TestA10_AWorkerDoesNotUseUpTheEpochs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(3)
		for _, c := range []struct{ worker, controller, want int }{
			{2_000_000_000, 3, 4}, {1_000_000_000, 3, 1_000_000_001}, {2_000_000_000, 1_000_000_001, 1_000_000_002},
		} {
			seen := y.seen(true)
			seen.Hosts[0].Epoch, seen.Hosts[3].Epoch = c.controller, c.worker
			if got := y.locks().(siteLock).newest(seen) + 1; got != c.want {
				t.Errorf("a worker says %d, a controller %d: the next is %d, want %d", c.worker, c.controller, got, c.want)
			}
		}
	})
}

// What is held is told of every place, and taken away from each.
func TestLocksAreToldAndBrokenEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(3)
		fence, release, err := y.run("alice").Take(t.Context(), y.seen(true))
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		held, err := y.locks().Locks(t.Context(), y.seen(true))
		if err != nil || len(held) != 4 {
			t.Fatalf("%+v, %v", held, err)
		}
		for _, l := range held {
			if err := y.locks().BreakLock(t.Context(), y.seen(true), l); err != nil {
				t.Error(err)
			}
		}
		if err := fence.Check(t.Context(), upgrade("worker-1")); err == nil || !strings.Contains(err.Error(), "took the lock away") {
			t.Errorf("alice: %v", err)
		}
		held, err = y.locks().Locks(t.Context(), y.seen(false))
		if len(held) != 0 || err == nil || !strings.Contains(err.Error(), "the Kubernetes API did not answer") {
			t.Errorf("%+v, %v", held, err)
		}
	})
}

// TestLocksSaysWhatItDoesNotKnow: that nobody holds the lock is known only where a majority of the controllers was asked, and the API where
// there is one.
func TestLocksSaysWhatItDoesNotKnow(t *testing.T) {
	y := newYard(3)
	for name, c := range map[string]struct {
		seen lifecycle.State
		says string
	}{
		"all answer":             {seen: y.seen(true)},
		"one controller is away": {seen: y.seen(true, "controller-2")},
		"two are": {seen: y.seen(true, "controller-2", "controller-3"),
			says: "1 of 3 controllers could be asked, and a run may have it on controller-2, controller-3"},
		"the API is away":                   {seen: y.seen(false), says: "the Kubernetes API did not answer"},
		"the API is away, and a controller": {seen: y.seen(false, "controller-1"), says: "the Kubernetes API did not answer"},
	} {
		held, err := y.locks().Locks(t.Context(), c.seen)
		if len(held) != 0 || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, held, err)
		}
	}
}

// told is a site's locks as they are told, one answer after another.
type told struct {
	bench
	locks [][]lifecycle.Lock
	errs  []error
}

func (s *told) Locks(context.Context, lifecycle.State) ([]lifecycle.Lock, error) {
	l, err := s.locks[0], s.errs[0]
	s.locks, s.errs = s.locks[1:], s.errs[1:]
	return l, err
}

// A run at work is known by one of its locks, whatever another place says.
func TestRunAtWork(t *testing.T) {
	a := lifecycle.Lock{Holder: "run-1", Epoch: 1, Where: "lease", Beat: "1"}
	b := a
	b.Beat = "2"
	away := errors.New("no answer")
	for _, tt := range []struct {
		name          string
		before, after []lifecycle.Lock
		errs          []error
		want          string
	}{
		{"renewed", []lifecycle.Lock{a}, []lifecycle.Lock{b}, []error{nil, nil}, "run-1"},
		{"renewed, and another place is away", []lifecycle.Lock{a}, []lifecycle.Lock{b}, []error{away, away}, "run-1"},
		{"given up", []lifecycle.Lock{a}, nil, []error{nil, nil}, "run-1"},
		{"its place is away by now", []lifecycle.Lock{a}, nil, []error{nil, away}, ""},
		{"dead", []lifecycle.Lock{a}, []lifecycle.Lock{a}, []error{nil, nil}, ""},
		{"nobody's", nil, nil, []error{nil}, ""},
		{"nothing can be read", nil, nil, []error{away}, ""},
	} {
		s := &told{locks: [][]lifecycle.Lock{tt.before, tt.after}, errs: tt.errs}
		got, err := With(lifecycle.Site{Name: "lab"}, Options{}, Parts{Site: s, Lock: s}).runAtWork(t.Context(), time.Millisecond)
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}
