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

// fencePatience is how long a step waits for a place of the lock to answer before it is refused. A restarted API server is back sooner.
const fencePatience = 2 * time.Minute

// Fence lets steps act only while the run has its site's lock. It may be used by several goroutines.
type Fence struct {
	// Site names the site for whoever is refused.
	Site string
	// Adopt is called before each look. It may give more holds of the lock: the cluster's, once there is one; the controllers', before one of
	// them is touched. Its error is the refusal. May be nil.
	Adopt func(ctx context.Context, step lifecycle.Step) ([]*Hold, error)

	checking sync.Mutex // one look at a time; it guards looks
	looks    []passed   // the last that passed of each kind

	mu    sync.Mutex // guards what follows
	holds []*Hold
}

// passed is a look that let a step through.
type passed struct {
	begun time.Time
	units bool // it was for a step on units alone
}

// Add makes the fence look at another group, too. All of a run's holds have one epoch: the greatest.
func (f *Fence) Add(h *Hold) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holds = append(f.holds, h)
	if h.group.Fleeting {
		h.vouchedBy(f.vouched)
	}
	epoch := 0
	for _, h := range f.holds {
		epoch = max(epoch, h.at())
	}
	for _, h := range f.holds {
		h.raise(epoch)
	}
}

// Epoch is what the run's lock is held with; 0 when it holds none.
func (f *Fence) Epoch() int {
	epoch := 0
	for _, h := range f.held() {
		epoch = max(epoch, h.at())
	}
	return epoch
}

// vouched reports whether the run has the lock in a group that a reboot does not clear, read afresh.
func (f *Fence) vouched(ctx context.Context) bool {
	return slices.ContainsFunc(f.held(), func(h *Hold) bool { return !h.group.Fleeting && h.still(ctx) })
}

// held are the holds that there are now.
func (f *Fence) held() []*Hold {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.holds)
}

// Holds reports whether the run has the lock in a group of that kind.
func (f *Fence) Holds(fleeting bool) bool {
	return slices.ContainsFunc(f.held(), func(h *Hold) bool { return h.group.Fleeting == fleeting })
}

// Check reads the lock afresh wherever it is held, and refuses when another has it. Steps that ask at once share one look, which never
// began before they asked.
func (f *Fence) Check(ctx context.Context, step lifecycle.Step) error {
	came, units := time.Now(), onUnits(step)
	f.checking.Lock()
	defer f.checking.Unlock()
	if f.Adopt != nil {
		more, err := f.Adopt(ctx, step)
		for _, h := range more {
			f.Add(h)
		}
		if err != nil {
			return err
		}
	}
	if slices.ContainsFunc(f.looks, func(p passed) bool { return p.begun.After(came) && (units || !p.units) }) {
		return nil
	}
	for {
		begun := time.Now()
		var sights []sight
		for _, h := range f.held() {
			sights = append(sights, h.look(ctx))
		}
		ok, err := permit(f.Site, sights, units, begun.Sub(came))
		if ok {
			f.looks = append(slices.DeleteFunc(f.looks, func(p passed) bool { return p.units == units }), passed{begun, units})
		}
		if ok || err != nil {
			return err
		}
		if err := sleep(ctx, time.Second); err != nil {
			return fmt.Errorf("interrupted: while the lock was being checked: %w", err)
		}
	}
}

// onUnits reports whether a step acts on objects of the API alone.
func onUnits(step lifecycle.Step) bool { return step.Action.Doer() == lifecycle.DoerUnits }

// Guard gives a context for what the step does. It ends when another has the lock, and when the lock was not renewed for so long that
// another might take it over soon: whatever is under way then ends as if the process had been killed. context.Cause of it is a
// lifecycle.Diagnostic then.
func (f *Fence) Guard(ctx context.Context, step lifecycle.Step) (context.Context, context.CancelFunc) {
	acting, cancel := context.WithCancelCause(ctx)
	if why := f.over(step); why != nil { // the process may have stood still since the lock was looked at
		cancel(why)
	}
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-acting.Done():
				return
			case <-tick.C:
			}
			if why := f.over(step); why != nil {
				cancel(why)
			}
		}
	}()
	return acting, func() { cancel(nil) }
}

// over says why a step may go on no more; nil while it may.
func (f *Fence) over(step lifecycle.Step) error {
	holds := f.held()
	for _, h := range holds {
		select {
		case <-h.taken:
			return fenced(f.Site, h.takenBy())
		default:
		}
	}
	if len(holds) == 0 || step.Action == lifecycle.ActionAwait {
		return nil // an operator's work by hand is not kiban's to end; what follows it asks again
	}
	if silent := time.Since(lastConfirmed(holds, onUnits(step))); silent >= goodFor {
		return lifecycle.Blockedf(f.Site, "nothing more is done: the lock could not be renewed for %s", silent.Round(time.Second)).
			Because(fmt.Sprintf("After %s another run may take it over. %s was under way, and was ended before that.", lifecycle.LockDuration,
				step.ID)).
			Try("When what keeps the lock answers again, run the same command: it carries on from what is there.")
	}
	return nil
}

// lastConfirmed is when a run was last known to have the lock. Whoever has no API can take a lock over on the controllers alone, so there
// it must be renewed wherever it is held there; a run that only uses the API is in nobody's way while it has either.
func lastConfirmed(holds []*Hold, units bool) time.Time {
	var any, controllers time.Time
	for _, h := range holds {
		at := h.confirmed()
		if at.After(any) {
			any = at
		}
		if h.group.Fleeting {
			controllers = at
		}
	}
	fleeting := slices.ContainsFunc(holds, func(h *Hold) bool { return h.group.Fleeting })
	if fleeting && !units {
		return controllers
	}
	return any
}

// Release gives the lock up everywhere. What it could not give up lapses by itself.
func (f *Fence) Release(ctx context.Context) error {
	f.checking.Lock()
	defer f.checking.Unlock()
	f.mu.Lock()
	holds := f.holds
	f.holds = nil
	f.mu.Unlock()
	errs := make([]error, len(holds))
	var wg sync.WaitGroup
	for i, h := range holds {
		wg.Go(func() { errs[i] = h.release(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sight is what a look at one group showed. Without any of what follows: the lock is the run's.
type sight struct {
	// fleeting: the group's places are empty after a reboot.
	fleeting bool
	// lost: others have it, or it was taken away; now is what was read then.
	lost bool
	now  lifecycle.Lock
	// cleared: a reboot has cleared places of it, after a time in which others may have had it.
	cleared bool
	// err says why too little could be read; recent, that the run's own renewal is younger than the lock's duration all the same, so that
	// nobody can have found it dead.
	err    error
	recent bool
}

// permit decides whether a step may act. Neither yes nor an error: look again.
//
// A group that does not answer is not held against the run while another vouches for it: when a run restarts the only API server the
// controllers do. The cluster vouches for the controllers only where units alone are acted on: whoever has no API can take the lock over on
// the controllers.
func permit(site string, sights []sight, units bool, waited time.Duration) (bool, error) {
	cluster, controllers, onControllers := false, false, false
	var why error
	for _, s := range sights {
		onControllers = onControllers || s.fleeting
		switch {
		case s.lost && s.cleared && !s.now.Held():
			return false, doubted(site)
		case s.lost:
			return false, fenced(site, s.now)
		case s.err == nil && s.fleeting:
			controllers = true
		case s.err == nil || s.recent:
			cluster = true
		}
		why = errors.Join(why, s.err)
	}
	switch {
	case len(sights) == 0, controllers, cluster && (units || !onControllers):
		return true, nil
	case waited < fencePatience:
		return false, nil
	}
	return false, lifecycle.Blockedf(site, "nothing more is done: it can't be told whether the run still has the lock").
		Try("When the detail is seen to, run the same command again: it carries on from what is there.").
		From(why)
}

// fenced is the refusal to go on without the lock.
func fenced(site string, now lifecycle.Lock) error {
	d := lifecycle.Blockedf(site, "nothing more is done: another run has taken the lock over").
		Because(Describe(now, time.Time{})).
		Try(fmt.Sprintf("Let that run finish: kiban status %s. This one had not renewed the lock for %s, or somebody took it away.",
			site, lifecycle.LockDuration)).
		Hiding(lifecycle.ErrLockTaken)
	if !now.Held() {
		d.Summary = "nothing more is done: somebody took the lock away from this run"
		d.Detail = "Nobody holds it now (" + now.Where + ")."
		d.Hint = "Find out who ran `kiban unlock " + site + "` and why; then run the same command again: it carries on from what is there."
	}
	return d
}

// doubted is the refusal to go on with a lock that is gone, and that others may have had meanwhile.
func doubted(site string) error {
	return lifecycle.Blockedf(site, "nothing more is done: the lock is gone, and another run may have had it meanwhile").
		Because(fmt.Sprintf("This run could not renew it for %s or longer, and a reboot has cleared it since.", goodFor)).
		Try("Run the same command again: it carries on from what is there.")
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return lifecycle.WhyEnded(ctx)
	case <-time.After(d):
		return nil
	}
}
