package session

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// lookAgain is how long after a look a machine that is waited for is looked for again.
const lookAgain = 2 * time.Second

// absence is one verb's wait for the machine that it is to work on.
type absence struct {
	session *Session
	// awaits decides whether it is waited for, and says what for; nil: the verb waits for none.
	awaits func(seen lifecycle.State, began, now time.Time) (why string, awaits bool)
	began  time.Time
	told   lifecycle.Waiting
}

// wait waits, and looks, for as long as the machine is worth to be waited for. waited: what was planned before says nothing any more.
func (a *absence) wait(ctx context.Context) (waited bool, err error) {
	for a.awaits != nil {
		now := time.Now()
		if a.began.IsZero() {
			a.began = now
		}
		why, awaits := a.awaits(a.session.lastSeen(), a.began, now)
		if !awaits {
			break
		}
		if a.told.News(why, now) {
			a.session.opts.Hooks.say(why)
		}
		select {
		case <-ctx.Done():
			return waited, lifecycle.WhyEnded(ctx)
		case <-time.After(lookAgain):
		}
		if _, err := a.session.Observe(ctx); err != nil {
			return waited, err
		}
		waited = true
	}
	return waited, nil
}
