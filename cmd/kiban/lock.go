package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/review"
)

// locker is the lock of a site: one run has it at a time.
type locker interface {
	// Contend prepares to take the lock. It goes by what was observed last.
	Contend(claim lock.Claim) contender
	// Locks are what runs hold, wherever the site keeps its lock. Nothing is changed.
	Locks(ctx context.Context) ([]lifecycle.Lock, error)
	// BreakLock takes a lock away from its holder, whose next step is then refused. lifecycle.ErrLockMoved: it is no longer that one.
	BreakLock(ctx context.Context, lock lifecycle.Lock) error
}

// contender is a run that wants the lock.
type contender interface {
	// Await waits, as long as the claim says, until nobody else has the lock, and reports whether it had to. It takes nothing.
	Await(ctx context.Context) (waited bool, err error)
	// Take takes it, and keeps it until release.
	Take(ctx context.Context) (release func(), err error)
}

// claim is what a run of this person or job asks for.
func (a *app) claim(site lifecycle.Site, run, doing string, wait time.Duration) lock.Claim {
	who, where := a.operator()
	at := "@"
	if strings.Contains(where, "://") {
		at = " in "
	}
	return lock.Claim{Site: site.Name, Wait: wait, Gone: lock.ProcessGone, Say: func(s string) { a.note("%s", s) },
		Lock: lifecycle.Lock{Holder: run, Who: strings.TrimSuffix(who+at+where, at), Doing: doing, Process: lock.ThisProcess()}}
}

// applyOf says what an apply is about.
func applyOf(site lifecycle.Site) string {
	if site.Revision == "" {
		return "apply"
	}
	return "apply of revision " + site.Revision
}

// doingOf says what another plan is about.
func doingOf(plan lifecycle.Plan) string {
	if len(plan.Stages) == 0 {
		return "changes"
	}
	return cmp.Or(plan.Stages[0].Title, plan.Stages[0].ID)
}

// harmless reports whether the plan changes nothing on the site: then it needs no lock.
func harmless(plan lifecycle.Plan) bool {
	return !slices.ContainsFunc(plan.Steps, func(s lifecycle.Step) bool { return s.Action.Resume() != lifecycle.ResumeHarmless })
}

// carryOut runs a plan under an id of its own.
func (a *app) carryOut(ctx context.Context, site lifecycle.Site, fleet string, conn connection, plan lifecycle.Plan) (summary string, err error) {
	return a.carryOutAs(ctx, newRunID(time.Now()), site, fleet, conn, plan, nil)
}

// applyLock is the lock of one apply: taken when there is something to do, held to the end.
type applyLock struct {
	contender contender
	release   func()
	// agreed is the plan that the lock was taken for; nil once it has been made again under the lock.
	agreed *lifecycle.Plan
}

// await stops or waits when another run is at work on the site; a plan made meanwhile says nothing. again: look once more.
func (l *applyLock) await(ctx context.Context, plan lifecycle.Plan) (again bool, err error) {
	if l.release != nil || (plan.Empty() && plan.Unfinished == "" && plan.Diagnostics.Err() == nil) {
		return false, nil
	}
	return l.contender.Await(ctx)
}

// take takes the lock for a plan, unless it is held already. again: make the plan once more, for what it rests on may have changed
// before the lock was there.
func (l *applyLock) take(ctx context.Context, plan lifecycle.Plan) (again bool, err error) {
	if l.release != nil {
		return false, nil
	}
	l.release, err = l.contender.Take(ctx)
	l.agreed = &plan
	return true, err
}

// confirmed reports whether this plan is the one that was agreed to before the lock was taken.
func (l *applyLock) confirmed(plan lifecycle.Plan, changed func(why error)) bool {
	agreed := l.agreed
	l.agreed = nil
	if agreed == nil {
		return false
	}
	err := review.CheckFresh(*agreed, plan)
	if err != nil {
		changed(err)
	}
	return err == nil
}

// giveUp releases the lock, if it is held.
func (l *applyLock) giveUp() {
	if l.release != nil {
		l.release()
	}
}

// isLocked reports whether another run's lock is what was in the way.
func isLocked(err error) bool { return errors.Is(err, lock.ErrHeld) }

// lockLines is what status says of the lock; nothing when nobody has it.
func lockLines(locks []lifecycle.Lock, unread error, now time.Time) string {
	var b strings.Builder
	for _, l := range locks {
		fmt.Fprintf(&b, "\nLocked: %s\n", strings.ReplaceAll(lock.Describe(l, now), "\n", "\n        "))
	}
	if unread != nil {
		fmt.Fprintf(&b, "\nLocked: not known: %v\n", unread)
	}
	return b.String()
}
