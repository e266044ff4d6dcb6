// Package locktest holds what every place of a site's lock must show, whoever keeps it.
package locktest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Place keeps a lock.
type Place interface {
	ReadLock(ctx context.Context) (lifecycle.Lock, error)
	WriteLock(ctx context.Context, lock lifecycle.Lock) (lifecycle.Lock, error)
}

// Conform takes a place that nobody has used yet through a whole life of the lock: no write goes over what was not read, epochs stay when
// nobody holds it, and one of many has it. where is what the place calls itself.
func Conform(t *testing.T, p Place, where string) {
	t.Helper()
	read := func(what string) lifecycle.Lock {
		t.Helper()
		l, err := p.ReadLock(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return l
	}
	write := func(what string, l lifecycle.Lock) lifecycle.Lock {
		t.Helper()
		got, err := p.WriteLock(t.Context(), l)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return got
	}
	refused := func(what string, l lifecycle.Lock) {
		t.Helper()
		if _, err := p.WriteLock(t.Context(), l); !errors.Is(err, lifecycle.ErrLockMoved) {
			t.Errorf("%s: %v, want that the lock has moved", what, err)
		}
	}
	if free := read("before anybody"); free.Held() || free.Version != "" || free.Epoch != 0 {
		t.Fatalf("before anybody: %+v", free)
	}
	now := time.Now().Truncate(time.Second)
	claim := lifecycle.Lock{Holder: "run-1", Epoch: 4, Who: "alice's @ws1", Doing: "apply of\nrevision \"abc\"", Process: "boot ns 7 1 SIGN",
		Since: now, Renewed: now}
	taken := write("taken", claim)
	got := read("taken")
	if !got.Same(claim) || got.Who != claim.Who || got.Doing != claim.Doing || got.Process != claim.Process || !got.Since.Equal(now) ||
		!got.Renewed.Equal(now) || got.Version != taken.Version || got.Beat != taken.Beat || got.Where != where {
		t.Errorf("read back: %+v\nwritten %+v", got, taken)
	}
	refused("taken a second time", lifecycle.Lock{Holder: "run-2", Epoch: 4})

	taken.Renewed = now.Add(5 * time.Second)
	renewed := write("renewed", taken)
	if l := read("renewed"); l.Beat == got.Beat || !l.Same(got) || !l.Renewed.Equal(taken.Renewed) {
		t.Errorf("renewed: %+v", l)
	}
	over := got
	over.Holder, over.Epoch = "run-2", 5
	refused("taken over after a renewal that was not seen", over)

	renewed.Epoch, renewed.Renewed = 6, now.Add(10*time.Second)
	raised := write("raised", renewed)
	if l := read("raised"); l.Holder != "run-1" || l.Epoch != 6 {
		t.Errorf("raised to epoch 6 by its holder: %+v", l)
	}

	over = lifecycle.Lock{Holder: "run-2", Epoch: 7, Since: now, Renewed: now, Version: raised.Version}
	over = write("taken over", over)
	if l := read("taken over"); l.Holder != "run-2" || l.Epoch != 7 || l.Doing != "" {
		t.Errorf("taken over: %+v", l)
	}
	refused("the former holder renews", raised)
	refused("the former holder gives it up", lifecycle.Lock{Epoch: 6, Version: raised.Version})

	write("given up", lifecycle.Lock{Epoch: 7, Version: over.Version})
	free := read("given up")
	if free.Held() || free.Epoch != 7 {
		t.Errorf("given up, it is to be nobody's and to keep its epoch: %+v", free)
	}
	again := write("taken again", lifecycle.Lock{Holder: "run-3", Epoch: 8, Since: now, Renewed: now, Version: free.Version})
	write("taken away", lifecycle.Lock{Epoch: 9, Version: again.Version})
	if l := read("taken away"); l.Held() || l.Epoch != 9 {
		t.Errorf("taken away by another, it is to have the next epoch: %+v", l)
	}
	refused("its holder renews", again)
	was := read("nobody's")
	between := write("taken in between", lifecycle.Lock{Holder: "run-4", Epoch: 10, Since: now, Renewed: now, Version: was.Version})
	write("and given up", lifecycle.Lock{Epoch: 10, Version: between.Version})
	refused("taken by one who saw it before another had it", lifecycle.Lock{Holder: "run-5", Epoch: 10, Version: was.Version})
	OneWinner(t, p)
}

// OneWinner has many take the lock at once, be it nobody's or a dead run's, and holds that one of them gets it.
func OneWinner(t *testing.T, p Place) {
	t.Helper()
	for round := range 3 {
		seen, err := p.ReadLock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := p.WriteLock(t.Context(), lifecycle.Lock{Holder: fmt.Sprintf("run-%d-%d", round, i), Epoch: seen.Epoch + 1,
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
	}
}
