package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Place is a place that keeps a site's lock.
type Place interface {
	// ReadLock tells who holds it now; the zero holder when nobody does.
	ReadLock(ctx context.Context) (lifecycle.Lock, error)
	// WriteLock puts the lock in place of the one that it was read as, else lifecycle.ErrLockMoved. Without a holder it gives it up.
	WriteLock(ctx context.Context, lock lifecycle.Lock) (lifecycle.Lock, error)
}

// Hold is a lock that is held in one place, and renewed in the background until it is released or lost.
type Hold struct {
	place Place
	stop  context.CancelFunc
	ended chan struct{} // closed when it is renewed no more
	taken bool          // valid once ended is closed: a renewal found that another has it
	// fleeting: the place is empty after a reboot of its machine.
	fleeting bool

	mu        sync.Mutex
	lock      lifecycle.Lock
	confirmed time.Time // when the last successful renewal was sent
}

// renewWithin bounds one renewal, so that a hanging one leaves time for others.
const renewWithin = lifecycle.LockDuration / 3

// keep begins to renew. sent is when the write that took the lock was sent.
func keep(place Place, lock lifecycle.Lock, sent time.Time, fleeting bool) *Hold {
	ctx, stop := context.WithCancel(context.Background())
	h := &Hold{place: place, stop: stop, ended: make(chan struct{}), fleeting: fleeting, lock: lock, confirmed: sent}
	go func() {
		defer close(h.ended)
		tick := time.NewTicker(lifecycle.LockRenewal)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				// one that fails is made up for by the next, or the fence finds out
				if h.taken = h.renew(ctx); h.taken {
					return
				}
			}
		}
	}()
	return h
}

// renew says that the holder lives, and reports whether another was found to have the lock. When the lock was changed meanwhile, and is
// still ours, the next renewal builds on what was read.
func (h *Hold) renew(ctx context.Context) (taken bool) {
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	h.mu.Lock()
	mine := h.lock
	h.mu.Unlock()
	sent := time.Now()
	mine.Renewed = sent
	got, err := h.place.WriteLock(ctx, mine)
	if errors.Is(err, lifecycle.ErrLockMoved) {
		if got, err = h.place.ReadLock(ctx); err != nil {
			return false
		}
		if !got.Same(mine) {
			return got.Held() // where nobody has it the step in hand may finish, and the fence judges the next
		}
	} else if err != nil {
		return false
	} else {
		h.confirm(sent)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lock = got
	return false
}

func (h *Hold) confirm(sent time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sent.After(h.confirmed) {
		h.confirmed = sent
	}
}

// look reads the lock afresh.
func (h *Hold) look(ctx context.Context) sight {
	h.mu.Lock()
	mine, confirmed := h.lock, h.confirmed
	h.mu.Unlock()
	now, err := h.place.ReadLock(ctx)
	switch {
	case err != nil:
		return sight{err: fmt.Errorf("%s: %w", mine.Where, err), recent: elapsed(confirmed, time.Now()) < lifecycle.LockDuration}
	case now.Same(mine):
		return sight{now: now}
	case h.fleeting && !now.Held():
		return sight{now: now, gone: true}
	}
	return sight{now: now, lost: true}
}

// elapsed is the longer of what the monotonic and the wall clock say has passed: one stands still while a laptop sleeps, the other
// may be set back.
func elapsed(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// release gives the lock up, unless it is another's by now.
func (h *Hold) release(ctx context.Context) error {
	h.stop()
	<-h.ended
	h.mu.Lock()
	defer h.mu.Unlock()
	var err error
	for range 3 {
		free := lifecycle.Lock{Epoch: h.lock.Epoch, Version: h.lock.Version, Where: h.lock.Where}
		if _, err = h.place.WriteLock(ctx, free); err == nil {
			return nil
		}
		now, readErr := h.place.ReadLock(ctx)
		if readErr == nil && !now.Same(h.lock) {
			return nil
		}
		if readErr == nil {
			h.lock = now // an answer to a renewal was lost: this is what it left
			continue
		}
		if ctx.Err() != nil {
			break
		}
	}
	return err
}
