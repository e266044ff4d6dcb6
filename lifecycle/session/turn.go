package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/review"
)

// turn is one verb's turn at changing the site: its lock is taken when there is something to do, and held to the end.
type turn struct {
	session   *Session
	contender Contender
	// run is the run in hand, or the next one. The lock carries the name of the first.
	run     string
	fence   *lock.Fence
	release func() // nil: the lock is not held
	unsign  func() // takes away what says on this machine that the run's process is here
	// agreed is the plan that the lock was taken for; nil once it has been made again under the lock.
	agreed *lifecycle.Plan
}

func (s *Session) turn(doing string) *turn {
	run := newRunID(time.Now())
	process, unsign := lock.ThisProcess(os.TempDir())
	return &turn{session: s, run: run, unsign: unsign, contender: s.parts.Lock.Contend(s.claim(run, doing, process))}
}

// next begins another run: another plan is another run.
func (t *turn) next() { t.run = newRunID(time.Now()) }

// await stops or waits when another run is at work on the site; a plan made meanwhile says nothing. again: look once more.
func (t *turn) await(ctx context.Context, plan lifecycle.Plan) (again bool, err error) {
	asItIs := plan.Empty() && plan.Unfinished == "" && plan.Diagnostics.Err() == nil
	if t.release != nil || asItIs || needsNoLock(plan) {
		return false, nil
	}
	return t.contender.Await(ctx, t.session.lastSeen())
}

// take takes the lock for a plan, unless it is held already. again: make the plan once more, for what it rests on may have changed
// before the lock was there.
func (t *turn) take(ctx context.Context, plan lifecycle.Plan) (again bool, err error) {
	if t.release != nil || needsNoLock(plan) {
		return false, nil
	}
	t.fence, t.release, err = t.contender.Take(ctx, t.session.lastSeen())
	t.agreed = &plan
	return true, err
}

// agreedTo reports whether this plan is the one that was agreed to before the lock was taken.
func (t *turn) agreedTo(plan lifecycle.Plan, changed func(why error)) bool {
	agreed := t.agreed
	t.agreed = nil
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
func (t *turn) giveUp() {
	if t.release != nil {
		t.release()
	}
	t.unsign()
}

// needsNoLock reports whether a plan with steps changes nothing on the site.
func needsNoLock(plan lifecycle.Plan) bool { return !plan.Empty() && harmless(plan) }

// claim is what a run of this person or job asks for.
func (s *Session) claim(run, doing, process string) lock.Claim {
	at := "@"
	if strings.Contains(s.opts.Where, "://") {
		at = " in "
	}
	return lock.Claim{Site: s.site.Name, Wait: s.opts.LockTimeout, Say: s.opts.Hooks.say,
		Gone: processGone,
		Lock: lifecycle.Lock{Holder: run, Who: strings.TrimSuffix(s.opts.Who+at+s.opts.Where, at), Doing: doing, Process: process}}
}

// newRunID names a run: when it began, and enough chance that two of the same second differ.
func newRunID(now time.Time) string {
	b := make([]byte, 3)
	rand.Read(b) // never fails
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(b)
}

// processGone reports whether a process that had a lock is known to have ended.
func processGone(process string) bool { return lock.ProcessGone(os.TempDir(), process) }

// AtWork are those of a site's locks whose runs are at work, as far as is known.
func AtWork(locks []lifecycle.Lock) []lifecycle.Lock {
	return lock.Alive(locks, processGone, time.Now())
}
