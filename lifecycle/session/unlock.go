package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// Unlock takes the site's lock away from whoever holds it, once confirm, which is told of each holder, has said yes; its error is no. done
// says what that comes to. A lock that has changed hands meanwhile is left alone.
func (s *Session) Unlock(ctx context.Context, confirm func(holders []string) error) (done string, err error) {
	name := s.site.Name
	state, err := s.Observe(ctx)
	if err != nil {
		return "", err
	}
	locks, err := s.Locks(ctx)
	switch {
	case err != nil && len(locks) == 0:
		return "", lifecycle.Errorf(name, "it can't be told who holds the lock").Try("kiban status " + name).From(err)
	case err != nil:
		s.opts.Hooks.note("Not every place of the lock could be read: %v", err)
	}
	if len(locks) == 0 {
		return fmt.Sprintf("No run holds the lock of %s.", name), nil
	}
	next := "Next"
	var holders []string
	for _, held := range lock.ByRun(locks) {
		gone := lock.ProcessGone(os.TempDir(), held.Process)
		if !gone {
			next = "Next, once that run has ended"
		}
		holders = append(holders, fmt.Sprintf("%s\n%s%s", lock.Describe(held, time.Now()), lock.Fate(held, gone, time.Now()),
			lock.InHand(state, held.Holder)))
	}
	if err := confirm(holders); err != nil {
		return "", err
	}
	for _, l := range locks {
		if err := s.BreakLock(ctx, l); errors.Is(err, lifecycle.ErrLockMoved) {
			return "", lifecycle.Blockedf(name, "the lock has changed hands meanwhile, and was left alone").
				Try("kiban unlock " + name).
				Hiding(err)
		} else if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("The lock of %s is free. Run %s does not begin another step; the one in hand may be cut off.\n"+
		"%s: kiban apply %[1]s", name, lock.Holders(locks), next), nil
}
