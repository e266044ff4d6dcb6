package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Hold is the lock as it is held in one group. Each of its seats is renewed in the background until it is released or lost.
type Hold struct {
	group Group
	posts []*post // the seats that were taken
	stop  context.CancelFunc
	done  sync.WaitGroup
	taken chan struct{} // closed when renewals find that others have too many of its seats
	once  sync.Once

	mu    sync.Mutex // guards what follows, and the posts
	epoch int
	// vouched reports whether another group of the run's says, read afresh, that it still has the lock. Nil: there is none.
	vouched func(context.Context) bool
	by      lifecycle.Lock // who has it, once taken is closed
}

// post is a seat that this run took.
type post struct {
	Seat
	lock      lifecycle.Lock // as it was read or written last, while it was this run's
	confirmed time.Time      // when the last renewal that succeeded was sent
	lost      bool           // another has it
}

const (
	// renewWithin bounds one renewal, so that a hanging one leaves time for others.
	renewWithin = lifecycle.LockDuration / 3
	// goodFor is how long after its last renewal a run may still act: it must have stopped before anybody may take the lock over.
	goodFor = lifecycle.LockDuration - lockMargin
	// lockMargin is time for what is under way to end.
	lockMargin = 5 * time.Second
)

func newHold(g Group, epoch int) *Hold {
	return &Hold{group: g, epoch: epoch, taken: make(chan struct{}), stop: func() {}}
}

// keep begins to renew.
func (h *Hold) keep() {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	for _, p := range h.posts {
		h.done.Go(func() { h.keepPost(ctx, p) })
	}
}

func (h *Hold) keepPost(ctx context.Context, p *post) {
	tick := time.NewTicker(lifecycle.LockRenewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.renew(ctx, p) // one that fails is made up for by the next, or the run stops in time
		}
	}
}

// renew says that the holder lives.
func (h *Hold) renew(ctx context.Context, p *post) {
	ctx, cancel := lifecycle.Within(ctx, renewWithin, "not renewed")
	defer cancel()
	sent := time.Now()
	want := h.wanted(p, sent)
	got, err := p.WriteLock(ctx, want)
	if err == nil {
		h.ours(p, got, sent)
		return
	}
	if errors.Is(err, lifecycle.ErrLockMoved) {
		_, _ = h.read(ctx, p) // what it finds is kept
	}
}

// wanted is the seat's lock as it is to be written.
func (h *Hold) wanted(p *post, now time.Time) lifecycle.Lock {
	h.mu.Lock()
	defer h.mu.Unlock()
	want := p.lock
	want.Epoch, want.Renewed = h.epoch, now
	return want
}

// vouchedFor asks the run's other group.
func (h *Hold) vouchedFor(ctx context.Context) bool {
	h.mu.Lock()
	ask := h.vouched
	h.mu.Unlock()
	return ask != nil && ask(ctx)
}

// vouchedBy says who is asked.
func (h *Hold) vouchedBy(ask func(context.Context) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.vouched = ask
}

// still reports whether every seat, read afresh, is held by this run with its epoch.
func (h *Hold) still(ctx context.Context) bool {
	for _, p := range h.posts {
		now, err := p.ReadLock(ctx)
		if want := h.wanted(p, time.Now()); err != nil || now.Holder != want.Holder || now.Epoch > want.Epoch {
			return false
		}
	}
	return true
}

// ours notes that the seat is this run's. sent is when the renewal that says so was sent; zero: it was only read.
func (h *Hold) ours(p *post, now lifecycle.Lock, sent time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.lock, p.lost = now, false
	if sent.After(p.confirmed) {
		p.confirmed = sent
	}
}

// standing is what became of a seat.
type standing int

const (
	mine    standing = iota // this run has it
	freed                   // somebody took it away, and nobody has it
	cleared                 // nobody has it, and whose it was last is not known
	other                   // another has it
)

// read reads a seat afresh. One that was cleared, as /run is when its machine reboots, is taken again: that alone takes no right away. But
// a holder that could have been found dead meanwhile cannot know what was cleared there, its own lock or another's, unless its other group
// vouches for it.
func (h *Hold) read(ctx context.Context, p *post) (standing, error) {
	asked := time.Now()
	now, err := p.ReadLock(ctx)
	if err != nil {
		return mine, err
	}
	want := h.wanted(p, asked)
	if h.group.Fleeting && !now.Held() && (now.Epoch == 0 || now.Epoch == want.Epoch) {
		// An epoch that is there although nobody has the lock may be another's that had the same number.
		if elapsed(h.confirmed(), asked) >= goodFor && (now.Epoch != 0 || !h.vouchedFor(ctx)) {
			return cleared, nil
		}
		want.Version = now.Version
		got, err := p.WriteLock(ctx, want)
		if err == nil {
			h.ours(p, got, asked)
			return mine, nil
		}
		return mine, fmt.Errorf("the lock is gone there, as after a reboot, and was not taken again: %w", err)
	}
	switch {
	case now.Holder == want.Holder && now.Epoch <= want.Epoch:
		h.ours(p, now, time.Time{})
		return mine, nil
	case !now.Held(): // the step in hand may finish: as long as nobody has the lock, nobody is in its way
		h.mu.Lock()
		defer h.mu.Unlock()
		p.confirmed = asked
		h.by = now
		return freed, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p.lost, h.by = true, now
	if lost := h.count(func(p *post) bool { return p.lost }); len(h.posts)-lost < h.group.need() {
		h.once.Do(func() { close(h.taken) })
	}
	return other, nil
}

// count counts posts; it needs the lock.
func (h *Hold) count(which func(*post) bool) int {
	n := 0
	for _, p := range h.posts {
		if which(p) {
			n++
		}
	}
	return n
}

// takenBy is who has the lock, once taken is closed.
func (h *Hold) takenBy() lifecycle.Lock {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.by
}

// confirmed is when enough seats had been renewed: nobody can take the lock over before lifecycle.LockDuration after it.
func (h *Hold) confirmed() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	var times []time.Time
	for _, p := range h.posts {
		if !p.lost {
			times = append(times, p.confirmed)
		}
	}
	if len(times) < h.group.need() {
		return time.Time{}
	}
	slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
	return times[h.group.need()-1]
}

// look reads the lock afresh, at all of its seats side by side.
func (h *Hold) look(ctx context.Context) sight {
	found, errs := make([]standing, len(h.posts)), make([]error, len(h.posts))
	var wg sync.WaitGroup
	for i, p := range h.posts {
		wg.Go(func() { found[i], errs[i] = h.read(ctx, p) })
	}
	wg.Wait()
	s := sight{fleeting: h.group.Fleeting}
	sure, unread := 0, 0
	s.cleared = slices.Contains(found, cleared)
	for i, p := range h.posts {
		switch {
		case errs[i] != nil:
			unread++
			s.err = errors.Join(s.err, fmt.Errorf("%s: %w", p.Name, errs[i]))
		case found[i] == mine:
			sure++
		}
	}
	need := h.group.need()
	switch {
	case sure >= need:
		return sight{fleeting: s.fleeting}
	case sure+unread < need:
		return sight{fleeting: s.fleeting, lost: true, cleared: s.cleared, now: h.takenBy()}
	}
	s.recent = !s.fleeting && elapsed(h.confirmed(), time.Now()) < lifecycle.LockDuration
	return s
}

// elapsed is the longer of what the monotonic and the wall clock say has passed: one stands still while a laptop sleeps, the other
// may be set back.
func elapsed(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// raise makes the lock's epoch at least that one. The next renewals say so.
func (h *Hold) raise(epoch int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.epoch = max(h.epoch, epoch)
}

// at is the epoch that the lock is held with.
func (h *Hold) at() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.epoch
}

// release gives the lock up, where it is not another's by now.
func (h *Hold) release(ctx context.Context) error {
	h.stop()
	h.done.Wait()
	errs := make([]error, len(h.posts))
	var wg sync.WaitGroup
	for i, p := range h.posts {
		wg.Go(func() { errs[i] = h.leave(ctx, p) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// leave gives one seat up.
func (h *Hold) leave(ctx context.Context, p *post) error {
	var err error
	for range 3 {
		free := lifecycle.Lock{Epoch: h.at(), Version: p.lock.Version, Where: p.lock.Where}
		if _, err = p.WriteLock(ctx, free); err == nil {
			return nil
		}
		now, readErr := p.ReadLock(ctx)
		if readErr == nil && now.Holder != p.lock.Holder {
			return nil
		}
		if readErr == nil {
			p.lock = now // an answer to a renewal was lost: this is what it left
			continue
		}
		if ctx.Err() != nil {
			break
		}
	}
	return err
}
