package lock

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
)

// place keeps a lock in memory. Times are those of a synctest bubble.
type place struct {
	mu     sync.Mutex
	lock   lifecycle.Lock
	writes int
	err    error // of every call, while it is set
	lose   bool  // writes happen, and their answers are lost
}

func (p *place) ReadLock(context.Context) (lifecycle.Lock, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lock, p.err
}

func (p *place) WriteLock(_ context.Context, l lifecycle.Lock) (lifecycle.Lock, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return lifecycle.Lock{}, p.err
	}
	if l.Version != p.lock.Version {
		return lifecycle.Lock{}, lifecycle.ErrLockMoved
	}
	p.writes++
	l.Version, l.Beat, l.Where = fmt.Sprint(p.writes), fmt.Sprint(p.writes), "here"
	p.lock = l
	if p.lose {
		return lifecycle.Lock{}, errors.New("the answer was lost")
	}
	return l, nil
}

func (p *place) now() lifecycle.Lock {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lock
}

func (p *place) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func claim(run string, wait time.Duration) Claim {
	return Claim{Site: "lab", Lock: lifecycle.Lock{Holder: run, Who: "alice@ws1", Doing: "apply of revision abc"}, Wait: wait}
}

func take(t *testing.T, p *place, run string, wait time.Duration) *Hold {
	t.Helper()
	h, err := acquire(t.Context(), p, claim(run, wait))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// lease is a group of one place that outlives a reboot.
func lease(p Place) Group { return Group{Seats: []Seat{{Name: "lease", Place: p}}} }

func acquire(ctx context.Context, p Place, c Claim) (*Hold, error) {
	return NewContest(c).Acquire(ctx, lease(p), 1)
}

// epochOf is what a run holds the lock with.
func epochOf(h *Hold) int { return h.at() }

// onMachine and onUnit are steps.
func onMachine() lifecycle.Step {
	return lifecycle.Step{ID: "worker-1/upgrade", Target: "worker-1", Action: lifecycle.ActionUpgrade}
}
func onUnit() lifecycle.Step {
	return lifecycle.Step{ID: "addon/apply", Target: "addon", Action: lifecycle.ActionApply}
}

func fenceOf(holds ...*Hold) *Fence {
	f := &Fence{Site: "lab"}
	for _, h := range holds {
		f.Add(h)
	}
	return f
}

func TestJudge(t *testing.T) {
	now := time.Now()
	held := func(age time.Duration) lifecycle.Lock { return lifecycle.Lock{Holder: "r", Renewed: now.Add(-age)} }
	for _, tt := range []struct {
		name        string
		lock        lifecycle.Lock
		dead, alive bool
		left        time.Duration
		want        chance
	}{
		{"nobody's", lifecycle.Lock{Epoch: 4}, false, false, 0, free},
		{"fresh, no time", held(time.Second), false, false, 0, refused},
		{"fresh, time left", held(time.Second), false, false, time.Minute, awaited},
		{"old by the clock is not dead", held(time.Hour), false, false, 0, suspect},
		{"old by the clock, and seen to live", held(time.Hour), false, true, 0, refused},
		{"from the future", held(-time.Hour), false, false, 0, refused},
		{"watched and silent", held(-time.Hour), true, false, 0, free},
	} {
		if got := judge(tt.lock, tt.dead, tt.alive, now, tt.left); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestPermit(t *testing.T) {
	away := errors.New("no answer")
	ok, lost := sight{}, sight{lost: true, now: lifecycle.Lock{Holder: "other", Who: "bob@ws2"}}
	hosts, silent := sight{fleeting: true}, sight{fleeting: true, err: away}
	for _, tt := range []struct {
		name    string
		sights  []sight
		units   bool
		waited  time.Duration
		ok      bool
		refused string
	}{
		{"ours", []sight{ok}, false, 0, true, ""},
		{"another's", []sight{lost}, false, 0, false, "bob@ws2"},
		{"another's in one of two groups", []sight{ok, lost}, true, 0, false, "bob@ws2"},
		{"taken away", []sight{{lost: true}}, false, 0, false, "took the lock away"},
		{"away, renewed a moment ago", []sight{{err: away, recent: true}}, false, 0, true, ""},
		{"away, renewed long ago: look again", []sight{{err: away}}, false, time.Minute, false, ""},
		{"away for too long", []sight{{err: away}}, false, fencePatience, false, "no answer"},
		{"away, and the controllers vouch", []sight{{err: away}, hosts}, false, time.Hour, true, ""},
		{"away, and another has the controllers'", []sight{{err: away, recent: true}, {fleeting: true, lost: true, now: lost.now}}, true, 0,
			false,
			"bob@ws2"},
		{"the controllers are silent: look again", []sight{silent}, false, time.Minute, false, ""},
		{"the controllers are silent for too long", []sight{silent}, false, fencePatience, false, "no answer"},
		{"the controllers are silent, and a machine is to change", []sight{ok, silent}, false, 0, false, ""},
		{"the controllers are silent, and only the API is used", []sight{ok, silent}, true, 0, true, ""},
		{"the controllers are silent, the cluster was renewed a moment ago", []sight{{err: away, recent: true}, silent}, false, 0, false, ""},
	} {
		got, err := permit("lab", tt.sights, tt.units, tt.waited)
		if got != tt.ok || (err != nil) != (tt.refused != "") || (err != nil && !strings.Contains(err.Error(), tt.refused)) {
			t.Errorf("%s: %v, %v; want %v, %q", tt.name, got, err, tt.ok, tt.refused)
		}
		if err != nil && !lifecycle.AsDiagnostics(err, "").Has(lifecycle.SeverityBlocked) {
			t.Errorf("%s: a refusal that does not block: %#v", tt.name, err)
		}
	}
}

func TestLockHeldIsRefusedAtOnceAndSaysByWhom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		h := take(t, p, "run-1", 0)
		time.Sleep(time.Minute) // it is renewed all the while
		start := time.Now()
		_, err := acquire(t.Context(), p, claim("run-2", 0))
		if !errors.Is(err, ErrHeld) || time.Since(start) > time.Second {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
		for _, want := range []string{"alice@ws1", "since", "apply of revision abc", "run-1"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("does not say %q: %v", want, err)
			}
		}
		if err := h.release(t.Context()); err != nil || p.now().Held() || p.now().Epoch != 1 {
			t.Errorf("released: %+v, %v", p.now(), err)
		}
		if next := take(t, p, "run-2", 0); epochOf(next) != 2 {
			t.Errorf("epoch %d after a change of hands, want 2", epochOf(next))
		} else {
			_ = next.release(t.Context())
		}
	})
}

func TestLockIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		h := take(t, p, "run-1", 0)
		time.AfterFunc(40*time.Second, func() { _ = h.release(context.Background()) })
		var said []string
		c := claim("run-2", time.Minute)
		c.Say = func(s string) { said = append(said, s) }
		start := time.Now()
		next, err := acquire(t.Context(), p, c)
		if err != nil || time.Since(start) > 42*time.Second || len(said) != 2 || !strings.Contains(said[0], "alice@ws1") {
			t.Fatalf("after %s: %v; said %q", time.Since(start), err, said)
		}
		_ = next.release(t.Context())
	})
}

// A holder that renews no more is watched, not judged by its clock; one that lives is never taken over.
func TestDeadHoldersLockIsTakenOver(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, 0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			p := &place{lock: lifecycle.Lock{Holder: "dead", Epoch: 7, Version: "v", Beat: "1", Renewed: time.Now().Add(skew)}}
			start := time.Now()
			h, err := acquire(t.Context(), p, claim("run-2", 2*time.Minute))
			if took := time.Since(start); err != nil || took < lifecycle.LockDuration || took > lifecycle.LockDuration+2*time.Second ||
				epochOf(h) != 8 {
				t.Fatalf("clock off by %s: after %s: %v", skew, took, err)
			}
			_ = h.release(t.Context())
		})
	}
	synctest.Test(t, func(t *testing.T) { // without a wait: only when the clock makes it worth looking
		p := &place{lock: lifecycle.Lock{Holder: "dead", Epoch: 7, Version: "v", Beat: "1", Renewed: time.Now().Add(-time.Minute)}}
		h, err := acquire(t.Context(), p, claim("run-2", 0))
		if err != nil {
			t.Fatal(err)
		}
		_ = h.release(t.Context())
	})
	synctest.Test(t, func(t *testing.T) { // a process that is known to have ended
		p := &place{lock: lifecycle.Lock{Holder: "dead", Epoch: 7, Version: "v", Beat: "1", Renewed: time.Now(), Process: "pid 7"}}
		c := claim("run-2", 0)
		c.Gone = func(process string) bool { return process == "pid 7" }
		start := time.Now()
		h, err := acquire(t.Context(), p, c)
		if err != nil || time.Since(start) > time.Second {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
		_ = h.release(t.Context())
	})
}

// A write whose answer never came, and that could not be read back either: the next attempt finds its own run's name.
func TestOwnLockIsNotAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{lock: lifecycle.Lock{Holder: "run-1", Epoch: 7, Version: "v", Beat: "1", Renewed: time.Now()}}
		h := take(t, p, "run-1", 0)
		if err := fenceOf(h).Check(t.Context(), onMachine()); err != nil || p.now().Epoch != 8 {
			t.Errorf("%+v, %v", p.now(), err)
		}
		_ = h.release(t.Context())
	})
}

// While the API is away nobody can renew: a watcher must not hold that against the holder.
func TestOutageDoesNotKillTheHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		h := take(t, p, "run-1", 0)
		time.AfterFunc(10*time.Second, func() { p.set(func() { p.err = errors.New("away") }) })
		time.AfterFunc(100*time.Second, func() { p.set(func() { p.err = nil }) })
		_, err := acquire(t.Context(), p, claim("run-2", 3*time.Minute))
		if !errors.Is(err, ErrHeld) {
			t.Fatalf("a living holder's lock after an outage: %v", err)
		}
		if err := fenceOf(h).Check(t.Context(), onMachine()); err != nil {
			t.Errorf("the holder after the outage: %v", err)
		}
		_ = h.release(t.Context())
	})
}

func TestHazard_H13_OneOfManyRunsWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		var mu sync.Mutex
		var won []*Hold
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if h, err := acquire(t.Context(), p, claim(fmt.Sprint("run-", i), 0)); err == nil {
					mu.Lock()
					defer mu.Unlock()
					won = append(won, h)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Errorf("%d have the lock", len(won))
		}
		for _, h := range won {
			_ = h.release(t.Context())
		}
	})
}

func TestLostAnswersAreNotLostLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{lose: true}
		h := take(t, p, "run-1", 0)
		time.Sleep(10 * time.Minute) // every renewal is written, none is answered
		if err := fenceOf(h).Check(t.Context(), onMachine()); err != nil {
			t.Error(err)
		}
		_ = h.release(t.Context())
		if p.now().Held() {
			t.Errorf("still held: %+v", p.now())
		}
	})
}

// Steps that act side by side share a look; none is let through by a look from before it asked.
func TestFenceAdoptsAGroupAndRefusesWithItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &place{}, &place{}
		f := fenceOf(take(t, a, "run-1", 0))
		f.Adopt = func(ctx context.Context, _ lifecycle.Step) ([]*Hold, error) {
			if b.now().Epoch > 0 {
				return nil, nil // adopted already
			}
			h, err := acquire(ctx, b, claim("run-1", 0))
			return []*Hold{h}, err
		}
		if err := f.Check(t.Context(), onMachine()); err != nil || b.now().Holder != "run-1" {
			t.Fatalf("%+v, %v", b.now(), err)
		}
		a.set(func() { a.err = errors.New("off") }) // the first place goes away for good
		time.Sleep(time.Hour)
		if err := f.Check(t.Context(), onMachine()); err != nil {
			t.Errorf("the second place is held: %v", err)
		}
		b.set(func() { b.lock = lifecycle.Lock{Epoch: 2, Version: "unlocked"} })
		if err := f.Check(t.Context(), onMachine()); err == nil || !strings.Contains(err.Error(), "took the lock away") {
			t.Errorf("after an unlock: %v", err)
		}
		a.set(func() { a.err = nil })
		if err := f.Release(t.Context()); err != nil || a.now().Held() || b.now().Epoch != 2 {
			t.Errorf("%+v, %+v, %v", a.now(), b.now(), err)
		}
		f.Adopt = func(context.Context, lifecycle.Step) ([]*Hold, error) { return nil, errors.New("not yours") }
		if err := f.Check(t.Context(), onMachine()); err == nil {
			t.Error("an adoption that failed lets steps through")
		}
	})
}
