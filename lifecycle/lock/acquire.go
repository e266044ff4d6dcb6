package lock

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Claim is what a run asks for when it wants a site's lock.
type Claim struct {
	Site string
	// Lock names the run, who is behind it, what it is about and its process.
	Lock lifecycle.Lock
	// Wait is how long another's lock is waited for; 0 not at all.
	Wait time.Duration
	// Say tells the operator what is being waited for.
	Say func(string)
	// Gone reports whether a holder's process is known to have ended on this machine. Nil: never.
	Gone func(process string) bool
}

// ErrHeld is in the chain of the error that another run's lock makes.
var ErrHeld = errors.New("another run has the lock")

const (
	// lookEvery is the pause between two looks at another's lock.
	lookEvery = time.Second
	// tellEvery is how often a waiting run says so again.
	tellEvery = 30 * time.Second
)

// Contest is the wait for one place's lock. It remembers what it has watched, so that Acquire goes on where Await ended.
type Contest struct {
	place    Place
	claim    Claim
	fleeting bool
	watch    Watch
	began    time.Time
	told     time.Time
}

// NewContest prepares to take the lock of a place. fleeting: it is empty after a reboot of its machine.
func NewContest(place Place, claim Claim, fleeting bool) *Contest {
	return &Contest{place: place, claim: claim, fleeting: fleeting, began: time.Now()}
}

// Await waits until the lock may be taken, takes nothing, and reports whether it had to wait. The error is a lifecycle.Diagnostic that
// names the holder when it is still another's at the end of the wait.
func (c *Contest) Await(ctx context.Context) (waited bool, err error) {
	_, waited, err = c.until(ctx)
	return waited, err
}

// Acquire takes the lock as soon as it may be taken. It is renewed from then on, until it is released.
func (c *Contest) Acquire(ctx context.Context) (*Hold, error) {
	for {
		now, _, err := c.until(ctx)
		if err != nil {
			return nil, err
		}
		sent := time.Now()
		want := c.claim.Lock
		want.Epoch, want.Version, want.Since, want.Renewed = now.Epoch+1, now.Version, sent, sent
		got, err := c.place.WriteLock(ctx, want)
		if err != nil {
			if got, readErr := c.place.ReadLock(ctx); readErr == nil && got.Same(want) {
				return keep(c.place, got, sent, c.fleeting), nil // it was written, only the answer was lost
			}
		}
		switch {
		case err == nil:
			return keep(c.place, got, sent, c.fleeting), nil
		case !errors.Is(err, lifecycle.ErrLockMoved):
			return nil, failed(c.claim.Site, err)
		}
		if err := sleep(ctx, lookEvery/10); err != nil { // another was faster
			return nil, err
		}
	}
}

// until looks until the lock may be taken, and gives it as it was then.
func (c *Contest) until(ctx context.Context) (now lifecycle.Lock, waited bool, err error) {
	for ; ; waited = true {
		asked := time.Now()
		now, err = c.place.ReadLock(ctx)
		answered := time.Now()
		left := c.claim.Wait - answered.Sub(c.began)
		if err != nil {
			c.watch.Forget()
			if ctx.Err() != nil || left <= 0 {
				return now, waited, failed(c.claim.Site, err)
			}
		} else {
			dead := c.watch.Silent(now, asked, answered) || now.Holder == c.claim.Lock.Holder ||
				(now.Held() && c.claim.Gone != nil && c.claim.Gone(now.Process))
			switch judge(now, dead, c.watch.Alive(), answered, left) {
			case free:
				return now, waited, nil
			case refused:
				return now, waited, Held(c.claim.Site, now, answered)
			case suspect:
				c.tell(fmt.Sprintf("The lock of %s was not renewed for %s; watching it for %s before it is taken over from %s.", c.claim.Site,
					answered.Sub(now.Renewed).Round(time.Second), lifecycle.LockDuration, now.Who))
			case awaited:
				c.tell(fmt.Sprintf("Waiting for the lock of %s: %s", c.claim.Site, strings.ReplaceAll(Describe(now, answered), "\n", "; ")))
			}
		}
		if err := sleep(ctx, lookEvery); err != nil {
			return now, waited, err
		}
	}
}

func (c *Contest) tell(what string) {
	if c.claim.Say != nil && (c.told.IsZero() || time.Since(c.told) >= tellEvery) {
		c.told = time.Now()
		c.claim.Say(what)
	}
}

// chance is what a look at another's lock allows.
type chance int

const (
	free    chance = iota // take it
	suspect               // its holder may be dead: watch it
	awaited               // its holder lives; wait on
	refused               // its holder lives, and there is no time left
)

// suspectSlack is how much longer than the duration a lock must look unrenewed, by two clocks, to be worth watching.
const suspectSlack = 2 * time.Second

// judge decides on a look. A lock is taken over only when its holder is dead: it was watched and silent, or its process is known to have
// ended. Comparing the clocks decides one thing: whether a run that would not wait for a living holder spends half a minute to find
// out that it is dead. A wrong clock costs that time, or a second attempt, never the lock.
func judge(l lifecycle.Lock, dead, alive bool, now time.Time, left time.Duration) chance {
	switch {
	case !l.Held(), dead:
		return free
	case !alive && now.Sub(l.Renewed) > lifecycle.LockDuration+suspectSlack:
		return suspect
	case left > 0:
		return awaited
	}
	return refused
}

// Held tells that another run has the lock: who, since when, doing what.
func Held(site string, l lifecycle.Lock, now time.Time) error {
	return lifecycle.Blockedf(site, "another run is changing this site").
		Because(Describe(l, now)).
		Try(fmt.Sprintf("Wait for it with --lock-timeout 10m. If it is dead its lock lapses %s after its last renewal; "+
			"`kiban unlock %s` shows what it is doing, and takes the lock away.",
			lifecycle.LockDuration, site)).
		Hiding(ErrHeld)
}

// Describe says who has a lock, since when, and for what; with now, how long ago it was renewed.
func Describe(l lifecycle.Lock, now time.Time) string {
	lines := []string{fmt.Sprintf("%s has it since %s: %s", l.Who, l.Since.UTC().Format("2006-01-02 15:04:05 UTC"), l.Doing),
		"run " + l.Holder}
	if !now.IsZero() && !l.Renewed.IsZero() {
		lines[1] += fmt.Sprintf(", renewed %s ago", max(0, now.Sub(l.Renewed)).Round(time.Second))
	}
	lines[1] += fmt.Sprintf(" (%s)", l.Where)
	return strings.Join(lines, "\n")
}

func failed(site string, err error) error {
	return lifecycle.Errorf(site, "the lock could not be had, so nothing was done").
		Try("Run the same command again when the cause is gone.").
		From(err)
}
