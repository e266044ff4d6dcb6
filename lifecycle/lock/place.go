package lock

import (
	"context"
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Place is a place that keeps a site's lock.
type Place interface {
	// ReadLock tells who holds it now; without a holder when nobody does, and then with the epoch that it had last, if that is known.
	ReadLock(ctx context.Context) (lifecycle.Lock, error)
	// WriteLock puts the lock in place of the one that it was read as, else lifecycle.ErrLockMoved. Without a holder it gives it up.
	WriteLock(ctx context.Context, lock lifecycle.Lock) (lifecycle.Lock, error)
}

// Seat is one place of a group.
type Seat struct {
	// Name tells it from others, and people where it is.
	Name string
	// Away says why it is not asked: it did not answer a moment ago. It counts all the same. "" where it is.
	Away string
	Place
}

// Group is places that keep the lock together: who holds more than half of them has it, and so two can't. A cluster's Lease is a group of
// one; a site's controllers are a group of all that are declared, whether they answer or not.
type Group struct {
	Seats []Seat
	// Fleeting: its places are empty after a reboot of their machine.
	Fleeting bool
	// Serve: the API of its controllers answers, so that they run, whether they can be reached by SSH or not.
	Serve bool
}

// need is how many seats must be held.
func (g Group) need() int { return len(g.Seats)/2 + 1 }

// Answers reports whether enough of its seats are there for anybody to hold it.
func (g Group) Answers() bool {
	n := 0
	for _, s := range g.Seats {
		if s.Away == "" {
			n++
		}
	}
	return n >= g.need()
}

// short is the error of too few seats that answer; nil when they are enough.
func (g Group) short(site string, looks []look) error {
	var there, silent []string
	var errs []error
	for _, l := range looks {
		if l.err == nil {
			there = append(there, l.seat.Name)
			continue
		}
		silent, errs = append(silent, fmt.Sprintf("%s does not answer: %v", l.seat.Name, l.err)), append(errs, l.err)
	}
	switch {
	case len(there) >= g.need():
		return nil
	case !g.Fleeting:
		return failed(site, errs[0])
	}
	answer := "none answers"
	if len(there) > 0 {
		answer = "there is an answer of " + strings.Join(there, ", ")
	}
	d := lifecycle.Blockedf(site, "too few controllers answer to keep the site's lock, so no machine is touched").
		Because(append([]string{fmt.Sprintf("%d of the %s must hold it, so that no two runs can; %s.", g.need(),
			lifecycle.Count(len(g.Seats), "declared controller"), answer)}, silent...)...)
	if g.Serve {
		d = d.Because("The Kubernetes API answers: the controllers run, and it is the way to them by SSH that is missing.").
			Try(fmt.Sprintf("Mend the way; nothing has to be rebuilt. `kiban status %s` says of each what is wrong with it: key, known_hosts, "+
				"sshd, network. Then run the same command again", site))
	} else {
		d = d.Try(fmt.Sprintf("Bring back those that are silent. Controllers that are gone for good: make sure that they are off, take them out "+
			"of the overlay, so that more than half of the rest answer, and rebuild the control plane if it is lost: kiban restore %s", site))
	}
	return d.Hiding(errs[0])
}
