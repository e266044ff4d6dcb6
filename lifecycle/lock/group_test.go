package lock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// view is a place as one run sees it: the way to it may be cut.
type view struct {
	*place
	mu  sync.Mutex
	cut bool
}

func (v *view) gone() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cut {
		return errors.New("no route")
	}
	return nil
}

func (v *view) set(cut bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cut = cut
}

func (v *view) ReadLock(ctx context.Context) (lifecycle.Lock, error) {
	if err := v.gone(); err != nil {
		return lifecycle.Lock{}, err
	}
	return v.place.ReadLock(ctx)
}

func (v *view) WriteLock(ctx context.Context, l lifecycle.Lock) (lifecycle.Lock, error) {
	if err := v.gone(); err != nil {
		return lifecycle.Lock{}, err
	}
	return v.place.WriteLock(ctx, l)
}

// controllers are places of machines.
func controllers(n int) []*place {
	var out []*place
	for range n {
		out = append(out, &place{})
	}
	return out
}

// seenBy are these places as a run sees them, to some of which it has no way.
func seenBy(places []*place, cut ...int) (Group, []*view) {
	g := Group{Fleeting: true}
	var views []*view
	for i, p := range places {
		v := &view{place: p}
		for _, c := range cut {
			v.cut = v.cut || c == i
		}
		views = append(views, v)
		g.Seats = append(g.Seats, Seat{Name: fmt.Sprint("controller-", i+1), Place: v})
	}
	return g, views
}

func release(t *testing.T, hs ...*Hold) {
	t.Helper()
	for _, h := range hs {
		if err := h.release(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// Without an API the lock is on more than half of the declared controllers: one that is not reached does not make room for a second run.
func TestA4_ALockOnControllersNeedsTheMajority(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   int
		cut  []int
		err  string
	}{
		{"the only one", 1, nil, ""},
		{"the only one is silent", 1, []int{0}, "1 of the 1 declared controller must hold it"},
		{"one of two", 2, []int{1}, "controller-2 does not answer: no route"},
		{"two of three", 3, []int{0}, ""},
		{"one of three", 3, []int{0, 2}, "2 of the 3 declared controllers must hold it"},
		{"two of four", 4, []int{0, 2}, "3 of the 4 declared controllers must hold it"},
		{"three of five", 5, []int{1, 4}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			places := controllers(tt.of)
			g, _ := seenBy(places, tt.cut...)
			h, err := NewContest(claim("run-1", 0)).Acquire(t.Context(), g, 1)
			if (err != nil) != (tt.err != "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
			}
			if err != nil {
				ds := lifecycle.AsDiagnostics(err, "")
				if !ds.Has(lifecycle.SeverityBlocked) || !strings.Contains(ds[0].Hint, "take them out of the overlay") {
					t.Errorf("%s: a refusal without a way out: %+v", tt.name, ds)
				}
				for i, p := range places {
					if p.now().Held() {
						t.Errorf("%s: controller-%d is held by a run that has no lock", tt.name, i+1)
					}
				}
				return
			}
			release(t, h)
		})
	}
}

// alice holds the lock on controller-1, which dies. bob does not get that of controller-2: alice has it as well. Where alice is cut off
// from all of them, she is refused before bob is let in.
func TestA4_NoTwoFencesSayYesWhileTheAPIIsAway(t *testing.T) {
	for _, cut := range [][]int{{0}, {0, 1, 2}} {
		synctest.Test(t, func(t *testing.T) {
			places := controllers(3)
			hers, views := seenBy(places)
			a, err := NewContest(claim("alice", 0)).Acquire(t.Context(), hers, 1)
			if err != nil {
				t.Fatal(err)
			}
			alice := fenceOf(a)
			time.Sleep(time.Minute)
			for _, i := range cut {
				views[i].set(true)
			}
			his, _ := seenBy(places, 0) // controller-1 is dead for him, too
			type taken struct {
				h   *Hold
				err error
			}
			got := make(chan taken, 1)
			wait, quit := context.WithTimeout(t.Context(), 2*time.Minute)
			defer quit()
			go func() {
				h, err := NewContest(claim("bob", time.Hour)).Acquire(wait, his, 1)
				got <- taken{h, err}
			}()
			acting, stop := alice.Guard(t.Context(), onMachine())
			defer stop()
			allowed := 0
			for range 90 {
				time.Sleep(time.Second)
				ok, _ := permit("lab", []sight{a.look(t.Context())}, false, 0)
				select {
				case b := <-got:
					if ok || acting.Err() == nil {
						t.Fatalf("bob has it, and alice may act: next step %v, step in hand %v", ok, acting.Err())
					}
					got <- b
				default:
				}
				if ok {
					allowed++
				}
			}
			quit()
			b := <-got
			if len(cut) == 1 {
				if b.h != nil || allowed != 90 || acting.Err() != nil {
					t.Errorf("controller-1 died: bob %v, alice was let act %d times of 90, step in hand %v", b.err, allowed, context.Cause(acting))
				}
			} else if b.err != nil || epochOf(b.h) != 2 {
				t.Errorf("alice is cut off for good, and bob does not get the lock: %v", b.err)
			} else {
				release(t, b.h)
			}
			_ = alice.Release(t.Context())
		})
	}
}

// Any number of runs that see any of the controllers: at most one has the lock at any time, one that sees enough of them gets it, nobody
// waits for ever, and epochs grow.
func TestA4_ContendersNeitherShareNorDeadlock(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		synctest.Test(t, func(t *testing.T) {
			places := controllers(1 + rng.IntN(5))
			var mu sync.Mutex
			holders, most, won := 0, 0, 0
			last, able := 0, 0
			var wg sync.WaitGroup
			for i := range 2 + rng.IntN(4) {
				var cut []int
				for c := range places {
					if rng.IntN(4) == 0 {
						cut = append(cut, c)
					}
				}
				g, _ := seenBy(places, cut...)
				if len(places)-len(cut) >= g.need() {
					able++
				}
				late, keep := time.Duration(rng.IntN(3))*time.Millisecond, time.Duration(1+rng.IntN(20))*time.Second
				wg.Go(func() {
					time.Sleep(late)
					h, err := NewContest(claim(fmt.Sprint("run-", i), 10*time.Minute)).Acquire(t.Context(), g, 1)
					if err != nil {
						return
					}
					mu.Lock()
					holders++
					most, won = max(most, holders), won+1
					if e := epochOf(h); e <= last {
						t.Errorf("seed %d: epoch %d after %d", seed, e, last)
					} else {
						last = e
					}
					mu.Unlock()
					time.Sleep(keep)
					mu.Lock()
					holders--
					mu.Unlock()
					_ = h.release(context.Background())
				})
			}
			wg.Wait()
			if most > 1 || won != able {
				t.Errorf("seed %d: %d at once, %d of %d that could have it did", seed, most, won, able)
			}
		})
	}
}

// A dead holder's seats are watched side by side: three of them cost no more than one.
func TestDeadHoldersSeatsAreWatchedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := controllers(3)
		for i, p := range places {
			p.lock = lifecycle.Lock{Holder: "dead", Epoch: 7 + i, Version: "v", Beat: "1", Renewed: time.Now()}
		}
		g, _ := seenBy(places)
		start := time.Now()
		h, err := NewContest(claim("run-2", time.Minute)).Acquire(t.Context(), g, 1)
		if took := time.Since(start); err != nil || took > lifecycle.LockDuration+3*time.Second || epochOf(h) != 10 {
			t.Fatalf("after %s: %v", took, err)
		}
		release(t, h)
	})
}

// A controller that reboots forgets the lock. That alone takes it from nobody: it is taken again, with the same epoch.
func TestARebootTakesNoLockAway(t *testing.T) {
	for n := 1; n <= 3; n += 2 {
		synctest.Test(t, func(t *testing.T) {
			places := controllers(n)
			g, _ := seenBy(places)
			h, err := NewContest(claim("run-1", 0)).Acquire(t.Context(), g, 4)
			if err != nil {
				t.Fatal(err)
			}
			f := fenceOf(h)
			places[0].set(func() { places[0].lock = lifecycle.Lock{} })
			if err := f.Check(t.Context(), onMachine()); err != nil || places[0].now().Holder != "run-1" || places[0].now().Epoch != 4 {
				t.Errorf("of %d: %v, %+v", n, err, places[0].now())
			}
			places[0].set(func() { places[0].lock = lifecycle.Lock{} })
			time.Sleep(2 * lifecycle.LockRenewal) // a renewal does it, too
			if places[0].now().Holder != "run-1" {
				t.Errorf("of %d: %+v", n, places[0].now())
			}
			for _, p := range places {
				p.set(func() { p.lock = lifecycle.Lock{Epoch: 5, Version: "unlocked"} })
			}
			if err := f.Check(t.Context(), onMachine()); err == nil || !strings.Contains(err.Error(), "took the lock away") {
				t.Errorf("of %d: unlocked: %v", n, err)
			}
			_ = f.Release(t.Context())
		})
	}
}

// Whoever stood still for longer than the lock lasts cannot know whose lock a reboot has cleared since: another may have had it. The
// cluster's lock, which outlives reboots, can vouch for it.
func TestAClearedLockIsNotTakenAgainAfterALongStandstill(t *testing.T) {
	for name, c := range map[string]struct {
		places      int
		cluster     bool // the run has the cluster's lock, too
		lost        bool // which another has taken over meanwhile
		left        int  // the epoch that is there, although nobody has the lock
		still, goes bool // the run stood still; it may go on
	}{
		"one controller":                     {places: 1, still: true},
		"one controller, no standstill":      {places: 1, goes: true},
		"three controllers":                  {places: 3, still: true},
		"the cluster vouches":                {places: 1, cluster: true, still: true, goes: true},
		"the cluster's is another's by now":  {places: 1, cluster: true, lost: true, still: true},
		"another has had it with that epoch": {places: 1, cluster: true, left: 4, still: true},
		"that epoch is its own":              {places: 1, cluster: true, left: 4, goes: true},
		"three, and the cluster vouches":     {places: 3, cluster: true, still: true, goes: true},
		"three, the cluster's is another's":  {places: 3, cluster: true, lost: true, still: true},
		"three controllers, no standstill":   {places: 3, goes: true},
		"the cluster vouches, no standstill": {places: 1, cluster: true, goes: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			places, api := controllers(c.places), &place{}
			g, views := seenBy(places)
			h, err := NewContest(claim("alice", 0)).Acquire(t.Context(), g, 4)
			if err != nil {
				t.Fatal(err)
			}
			f := fenceOf(h)
			if c.cluster {
				hold, err := NewContest(claim("alice", 0)).Acquire(t.Context(), lease(api), 4)
				if err != nil {
					t.Fatal(err)
				}
				f.Add(hold)
			}
			if c.still {
				for _, v := range views {
					v.set(true)
				}
				time.Sleep(time.Minute)
			}
			for _, p := range places {
				p.set(func() { p.lock = lifecycle.Lock{Epoch: c.left} }) // what carol had there is gone
			}
			if c.lost {
				api.set(func() { api.lock = lifecycle.Lock{Holder: "carol", Epoch: 5, Version: "carol's"} })
			}
			for _, v := range views {
				v.set(false)
			}
			err = f.Check(t.Context(), onMachine())
			if goes := err == nil; goes != c.goes {
				t.Errorf("%s: she goes on: %t (%v)", name, goes, err)
			}
			if !c.goes && !c.lost && !strings.Contains(fmt.Sprint(err), "another run may have had it meanwhile") {
				t.Errorf("%s: %v", name, err)
			}
			_ = f.Release(t.Context())
		})
	}
}

// A run that takes a second group has one epoch: the greater one, also in the first.
func TestOneRunHasOneEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places, api := controllers(3), &place{lock: lifecycle.Lock{Epoch: 8, Version: "v"}}
		g, _ := seenBy(places)
		h, err := NewContest(claim("run-1", 0)).Acquire(t.Context(), g, 1)
		if err != nil {
			t.Fatal(err)
		}
		f := fenceOf(h)
		if f.Epoch() != 1 {
			t.Errorf("epoch %d", f.Epoch())
		}
		c, err := NewContest(claim("run-1", 0)).Acquire(t.Context(), lease(api), f.Epoch())
		if err != nil {
			t.Fatal(err)
		}
		f.Add(c)
		time.Sleep(2 * lifecycle.LockRenewal)
		if f.Epoch() != 9 || places[1].now().Epoch != 9 || api.now().Epoch != 9 {
			t.Errorf("fence %d, controllers %d, lease %d; want 9", f.Epoch(), places[1].now().Epoch, api.now().Epoch)
		}
		if err := f.Check(t.Context(), onMachine()); err != nil {
			t.Error(err)
		}
		_ = f.Release(t.Context())
		next, err := NewContest(claim("run-2", 0)).Acquire(t.Context(), g, 1)
		if err != nil || epochOf(next) != 10 {
			t.Fatalf("the next one: %v", err)
		}
		release(t, next)
	})
}

// A step in hand ends before its run's lock can have been taken over, when the run can reach the machine but not what keeps the lock.
func TestA10_AStepInHandEndsBeforeItsLockDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		v := &view{place: p}
		h, err := acquire(t.Context(), v, claim("alice", 0))
		if err != nil {
			t.Fatal(err)
		}
		f := fenceOf(h)
		acting, stop := f.Guard(t.Context(), onMachine())
		defer stop()
		work, end := f.Guard(t.Context(), lifecycle.Step{ID: "w/await", Action: lifecycle.ActionAwait})
		defer end()
		time.Sleep(time.Minute)
		v.set(true)
		cut := time.Now()
		if err := NewContest(claim("bob", time.Hour)).wait(t, p); err != nil {
			t.Fatal(err)
		}
		taken := time.Now()
		if acting.Err() == nil {
			t.Fatalf("bob has the lock %s after alice was cut off, and her step goes on", taken.Sub(cut))
		}
		d, ok := errors.AsType[lifecycle.Diagnostic](context.Cause(acting))
		if !ok || d.Severity != lifecycle.SeverityBlocked || !strings.Contains(d.Summary, "could not be renewed") {
			t.Errorf("ended for %v", context.Cause(acting))
		}
		if work.Err() != nil {
			t.Error("an operator's work by hand was ended")
		}
		_ = f.Release(t.Context())
	})
}

// A process that stood still between its look at the lock and its step does not begin the step: what it saw then is old.
func TestAStepIsNotBegunOnAnOldLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &view{place: &place{}}
		h, err := acquire(t.Context(), v, claim("alice", 0))
		if err != nil {
			t.Fatal(err)
		}
		f := fenceOf(h)
		v.set(true) // nothing is renewed from here on, as if the process stood still
		time.Sleep(goodFor + time.Second)
		acting, stop := f.Guard(t.Context(), onMachine())
		defer stop()
		if acting.Err() == nil {
			t.Error("the step may begin")
		}
		v.set(false)
		_ = f.Release(t.Context())
	})
}

// wait takes the lock for another run.
func (c *Contest) wait(t *testing.T, p *place) error {
	h, err := c.Acquire(t.Context(), lease(p), 1)
	if err == nil {
		err = h.release(context.Background())
	}
	return err
}

// The step that takes the API away goes on: the controllers confirm the lock. It ends when they do not either.
func TestA10_TheOtherPlaceConfirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, places := &place{}, controllers(3)
		g, views := seenBy(places)
		a := take(t, api, "run-1", 0)
		h, err := NewContest(claim("run-1", 0)).Acquire(t.Context(), g, 1)
		if err != nil {
			t.Fatal(err)
		}
		f := fenceOf(a, h)
		acting, stop := f.Guard(t.Context(), onMachine())
		defer stop()
		units, end := f.Guard(t.Context(), onUnit())
		defer end()
		api.set(func() { api.err = errors.New("restarting") })
		time.Sleep(10 * time.Minute)
		if acting.Err() != nil {
			t.Fatalf("ended while the controllers confirm: %v", context.Cause(acting))
		}
		api.set(func() { api.err = nil })
		time.Sleep(time.Minute)
		views[0].set(true)
		time.Sleep(time.Minute)
		if acting.Err() != nil {
			t.Fatalf("ended while two of three confirm: %v", context.Cause(acting))
		}
		views[2].set(true)
		time.Sleep(lifecycle.LockDuration)
		if acting.Err() == nil {
			t.Error("who has no API may have the lock on two controllers by now, and the step goes on")
		}
		if units.Err() != nil {
			t.Errorf("a step on units ended while the cluster confirms: %v", context.Cause(units))
		}
		views[0].set(false)
		views[2].set(false)
		_ = f.Release(t.Context())
	})
}

// What a run waited before it came to the contest is not of what it was given to wait for others.
func TestLockTimeoutCountsWaitingAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		h := take(t, p, "run-1", 0)
		c := NewContest(claim("run-2", time.Minute))
		if _, err := c.Await(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // an operator reads the plan
		time.AfterFunc(30*time.Second, func() { _ = h.release(context.Background()) })
		next, err := c.Acquire(t.Context(), lease(p), 1)
		if err != nil {
			t.Fatal(err)
		}
		release(t, next)
	})
}
