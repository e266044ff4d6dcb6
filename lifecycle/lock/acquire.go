package lock

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Claim is what a run asks for when it wants a site's lock.
type Claim struct {
	Site string
	// Lock names the run, who is behind it, what it is about and its process.
	Lock lifecycle.Lock
	// Wait is how long another's lock is waited for, in all; 0 not at all.
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
	// lookWithin bounds one look at one seat, so that one that hangs does not keep the others from being watched.
	lookWithin = watchGap / 2
	// attempts is how often others may be faster with a lock that each look shows free, before a run that does not wait gives up.
	attempts = 20
	// tellEvery is how often a waiting run says so again.
	tellEvery = 30 * time.Second
)

// Contest is one run's wait for a site's lock, wherever it is kept. It remembers what it has watched, so that Acquire goes on where Await
// ended. One goroutine uses it at a time.
type Contest struct {
	claim   Claim
	watches map[string]*Watch // by seat
	waited  time.Duration     // in all
	told    time.Time
}

// NewContest prepares to take the lock.
func NewContest(claim Claim) *Contest { return &Contest{claim: claim, watches: map[string]*Watch{}} }

// Await waits until nobody else holds a seat of these groups, takes nothing, and reports whether it had to wait. Seats that do not answer
// are in nobody's way. The error is a lifecycle.Diagnostic that names the holder when it is still another's at the end of the wait.
func (c *Contest) Await(ctx context.Context, groups ...Group) (waited bool, err error) {
	var all []Seat
	for _, g := range groups {
		all = append(all, g.Seats...)
	}
	_, waited, err = c.until(ctx, all, func([]look) error { return nil })
	return waited, err
}

// Acquire takes the group's lock as soon as it may be taken: with an epoch of at least that, and greater than any that its seats knew. It
// is renewed from then on, until it is released.
//
// Seats are taken in their order, and the first that another was faster with ends the attempt, which then gives back what it has: of those
// who contend, the one that is ahead of the others is never kept up by them.
func (c *Contest) Acquire(ctx context.Context, g Group, epoch int) (*Hold, error) {
	for attempt := 1; ; attempt++ {
		looks, _, err := c.until(ctx, g.Seats, func(looks []look) error { return g.short(c.claim.Site, looks) })
		if err != nil {
			return nil, err
		}
		hold, err := c.take(ctx, g, looks, epoch)
		switch {
		case hold != nil:
			return hold, nil
		case c.waited >= c.claim.Wait && (!errors.Is(err, lifecycle.ErrLockMoved) || attempt >= attempts):
			return nil, failed(c.claim.Site, err)
		}
		if err := c.pause(ctx, c.backOff(attempt)); err != nil {
			return nil, err
		}
	}
}

// take tries to take every seat that answered. The error says why it has not enough of them, and then it has none.
func (c *Contest) take(ctx context.Context, g Group, looks []look, epoch int) (*Hold, error) {
	for _, l := range looks {
		if l.err == nil {
			epoch = max(epoch, l.now.Epoch+1)
		}
	}
	h := newHold(g, epoch)
	var errs []error
	for _, l := range looks {
		if l.err != nil {
			continue
		}
		p, err := c.sit(ctx, l, epoch)
		if errors.Is(err, lifecycle.ErrLockMoved) {
			return nil, errors.Join(err, h.release(ctx))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l.seat.Name, err))
			continue
		}
		h.posts = append(h.posts, p)
	}
	if len(h.posts) < g.need() {
		return nil, errors.Join(append(errs, h.release(ctx))...)
	}
	h.keep()
	return h, nil
}

// sit takes one seat that was free when it was looked at.
func (c *Contest) sit(ctx context.Context, l look, epoch int) (*post, error) {
	sent := time.Now()
	want := c.claim.Lock
	want.Epoch, want.Version, want.Since, want.Renewed = epoch, l.now.Version, sent, sent
	got, err := l.seat.WriteLock(ctx, want)
	if err != nil {
		now, readErr := l.seat.ReadLock(ctx)
		if readErr != nil || !now.Same(want) {
			return nil, err
		}
		got = now // it was written, only the answer was lost
	}
	return &post{Seat: l.seat, lock: got, confirmed: sent}, nil
}

// backOff is how long to wait after a failed attempt. Runs differ in it, by their names.
func (c *Contest) backOff(attempt int) time.Duration {
	h := fnv.New32a()
	fmt.Fprint(h, c.claim.Lock.Holder, attempt) // never fails
	return time.Duration(min(attempt, 10))*lookEvery/10 + time.Duration(h.Sum32()%uint32(lookEvery/10/time.Microsecond))*time.Microsecond
}

// pause waits, at the expense of what the claim may wait.
func (c *Contest) pause(ctx context.Context, d time.Duration) error {
	began := time.Now()
	defer func() { c.waited += time.Since(began) }()
	return sleep(ctx, d)
}

// look is what one look at a seat showed.
type look struct {
	seat  Seat
	now   lifecycle.Lock
	at    time.Time
	err   error
	dead  bool // its holder has no right to it any more, or it is this run's own
	alive bool // its holder was seen to renew it
}

// look looks at seats side by side.
func (c *Contest) look(ctx context.Context, seats []Seat) []look {
	looks := make([]look, len(seats))
	var wg sync.WaitGroup
	for i, s := range seats {
		w := c.watches[s.Name]
		if w == nil {
			w = &Watch{}
			c.watches[s.Name] = w
		}
		if s.Away != "" {
			looks[i] = look{seat: s, err: errors.New(s.Away)}
			continue
		}
		wg.Go(func() { looks[i] = c.lookAt(ctx, s, w) })
	}
	wg.Wait()
	return looks
}

func (c *Contest) lookAt(ctx context.Context, s Seat, w *Watch) look {
	ctx, cancel := context.WithTimeoutCause(ctx, lookWithin, fmt.Errorf("no answer within %s", lookWithin))
	defer cancel()
	asked := time.Now()
	now, err := s.ReadLock(ctx)
	l := look{seat: s, now: now, at: time.Now(), err: err}
	if err != nil {
		w.Forget()
		return l
	}
	l.dead = w.Silent(now, asked, l.at) || now.Holder == c.claim.Lock.Holder ||
		(now.Held() && c.claim.Gone != nil && c.claim.Gone(now.Process))
	l.alive = w.Alive()
	return l
}

// until looks until no seat is another's and ready has no objection, and gives what it saw then.
func (c *Contest) until(ctx context.Context, seats []Seat, ready func([]look) error) (looks []look, waited bool, err error) {
	for ; ; waited = true {
		began := time.Now()
		looks := c.look(ctx, seats)
		c.waited += time.Since(began)
		left := c.claim.Wait - c.waited
		busy, err := c.busy(looks, left)
		if err == nil && !busy {
			err = ready(looks)
			switch {
			case ctx.Err() != nil:
				return nil, waited, lifecycle.WhyEnded(ctx)
			case err == nil:
				return looks, waited, nil
			case left <= 0:
				return nil, waited, err
			}
		} else if err != nil {
			return nil, waited, err
		}
		if err := c.pause(ctx, lookEvery); err != nil {
			return nil, waited, err
		}
	}
}

// busy reports whether another holds one of the seats, as an error when it is not waited for.
func (c *Contest) busy(looks []look, left time.Duration) (busy bool, err error) {
	var told string
	for _, l := range looks {
		if l.err != nil {
			continue
		}
		switch judge(l.now, l.dead, l.alive, l.at, left) {
		case free:
			continue
		case refused:
			return true, Held(c.claim.Site, l.now, l.at)
		case suspect:
			told = fmt.Sprintf("The lock of %s was not renewed for %s; watching it for %s before it is taken over from %s.", c.claim.Site,
				l.at.Sub(l.now.Renewed).Round(time.Second), lifecycle.LockDuration, l.now.Who)
		case awaited:
			told = fmt.Sprintf("Waiting for the lock of %s: %s", c.claim.Site, strings.ReplaceAll(Describe(l.now, l.at), "\n", "; "))
		}
		busy = true
	}
	if busy {
		c.tell(told)
	}
	return busy, nil
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
	case !alive && Lapsed(l, now):
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
		Try(fmt.Sprintf("Wait for it with --lock-timeout 10m: that also has the lock of a run that is dead, %s after its last renewal. "+
			"kiban status %[2]s shows how far it is. Only where it hangs: `kiban unlock %[2]s` shows what it has in hand, asks, and takes the "+
			"lock away.", lifecycle.LockDuration, site)).
		Hiding(ErrHeld)
}

func failed(site string, err error) error {
	return lifecycle.Errorf(site, "the lock could not be had, so nothing was done").
		Try("Run the same command again when the cause is gone.").
		From(err)
}
