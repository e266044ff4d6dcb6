package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// fencePatience is how long a step waits for a place of the lock to answer before it is refused. A restarted API server is back sooner.
const fencePatience = 2 * time.Minute

// Fence lets steps act only while the run has its site's lock. It may be used by several goroutines.
type Fence struct {
	// Site names the site for whoever is refused.
	Site string
	// Adopt is called before each look. It may give one more place of the lock: the cluster's, once there is one. Its error is the refusal.
	// May be nil.
	Adopt func(ctx context.Context) (*Hold, error)

	mu    sync.Mutex
	holds []*Hold
	begun time.Time // of the last look that passed

	made, closed sync.Once
	lost         chan struct{}
}

// Lost is closed when a renewal finds that another has the lock.
func (f *Fence) Lost() <-chan struct{} {
	f.made.Do(func() { f.lost = make(chan struct{}) })
	return f.lost
}

// watch closes Lost when the hold is lost.
func (f *Fence) watch(h *Hold) {
	f.Lost() // makes it
	go func() {
		<-h.ended
		if h.taken {
			f.closed.Do(func() { close(f.lost) })
		}
	}()
}

// Add makes the fence look at another place, too.
func (f *Fence) Add(h *Hold) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holds = append(f.holds, h)
	f.watch(h)
}

// Check reads the lock afresh wherever it is held, and refuses when another has it. Steps that ask at once share one look, which never
// began before they asked.
func (f *Fence) Check(ctx context.Context) error {
	came := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begun.After(came) {
		return nil
	}
	if f.Adopt != nil {
		h, err := f.Adopt(ctx)
		if err != nil {
			return err
		}
		if h != nil {
			f.holds = append(f.holds, h)
			f.watch(h)
		}
	}
	for {
		begun := time.Now()
		sights := make([]sight, len(f.holds))
		for i, h := range f.holds {
			sights[i] = h.look(ctx)
		}
		ok, err := permit(f.Site, sights, begun.Sub(came))
		if ok {
			f.begun = begun
		}
		if ok || err != nil {
			return err
		}
		if err := sleep(ctx, time.Second); err != nil {
			return fmt.Errorf("interrupted: while the lock was being checked: %w", err)
		}
	}
}

// Release gives the lock up everywhere. What it could not give up lapses by itself.
func (f *Fence) Release(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, h := range f.holds {
		errs = append(errs, h.release(ctx))
	}
	f.holds = nil
	return errors.Join(errs...)
}

// sight is what a look at one place of the lock showed.
type sight struct {
	// lost: another has it, or it was taken away; now is what was read then.
	lost bool
	now  lifecycle.Lock
	// gone: the place was cleared, as /run is when its machine reboots. That alone takes no right away.
	gone bool
	// err says why nothing could be read; recent, that the run's own renewal is younger than the lock's duration all the same, so that
	// nobody can have found it dead.
	err    error
	recent bool
}

// permit decides whether a step may act. Neither yes nor an error: look again.
//
// A place that does not answer is not held against the run while another place vouches for it: when a run restarts the only API
// server it waits for it, and where it set the cluster up it has the lock on a controller as well.
func permit(site string, sights []sight, waited time.Duration) (bool, error) {
	sure, recent := len(sights) == 0, false
	var why error
	for _, s := range sights {
		switch {
		case s.lost:
			return false, fenced(site, s.now)
		case s.err != nil:
			recent = recent || s.recent
			why = errors.Join(why, s.err)
		case s.gone:
			why = errors.Join(why, fmt.Errorf("%s: the lock is gone", s.now.Where))
		default:
			sure = true
		}
	}
	switch {
	case sure, recent:
		return true, nil
	case waited < fencePatience && !allGone(sights):
		return false, nil
	}
	return false, lifecycle.Blockedf(site, "nothing more is done: it can't be told whether the run still has the lock").
		Try("When the detail is seen to, run the same command again: it carries on from what is there.").
		From(why)
}

func allGone(sights []sight) bool {
	for _, s := range sights {
		if !s.gone {
			return false
		}
	}
	return true
}

// fenced is the refusal to go on without the lock.
func fenced(site string, now lifecycle.Lock) error {
	d := lifecycle.Blockedf(site, "nothing more is done: another run has taken the lock over").
		Because(Describe(now, time.Time{})).
		Try(fmt.Sprintf("Let that run finish: kiban status %s. This one had not renewed the lock for %s, or somebody took it away.",
			site, lifecycle.LockDuration))
	if !now.Held() {
		d.Summary = "nothing more is done: somebody took the lock away from this run"
		d.Detail = "Nobody holds it now (" + now.Where + ")."
		d.Hint = "Find out who ran `kiban unlock " + site + "` and why; then run the same command again: it carries on from what is there."
	}
	return d
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
