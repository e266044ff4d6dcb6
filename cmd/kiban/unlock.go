package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/session"
)

type unlockOptions struct {
	app  *app
	Site string
	Yes  bool
}

func newUnlock(a *app, runF func(context.Context, *unlockOptions) error) *cobra.Command {
	opts := &unlockOptions{app: a}
	cmd := &cobra.Command{
		Use:   "unlock SITE",
		Short: "Take the lock of a site away from the run that holds it",
		Long: `Show which run holds the lock of a site, in the cluster and on its controllers, when it was renewed last, whether its process is
known to have ended, and what it has in hand; ask, and take the lock away from it.
A run that still lives does not begin another step, and the step in hand is cut off: controllers refuse its next command, which may leave
k0s stopped there. "kiban apply" carries on from whatever it left.

This is seldom needed: the lock of a run that has died lapses by itself, half a minute after its last renewal.`,
		Example:           "  kiban unlock tokyo-prod",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, unlockRun),
	}
	cmd.Flags().BoolVarP(&opts.Yes, "yes", "y", false, "do not ask")
	return cmd
}

func unlockRun(ctx context.Context, opts *unlockOptions) (err error) {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	s, err := a.openWith(site, fleet, session.Options{Glance: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	state, err := s.Observe(ctx)
	if err != nil {
		return err
	}
	locks, err := s.Locks(ctx)
	switch {
	case err != nil && len(locks) == 0:
		return lockUnread(site, err)
	case err != nil:
		a.note("Not every place of the lock could be read: %v", err)
	}
	if len(locks) == 0 {
		return a.result(fmt.Sprintf("No run holds the lock of %s.", site.Name))
	}
	next := "Next"
	for _, held := range lock.ByRun(locks) {
		gone := lock.ProcessGone(os.TempDir(), held.Process)
		if !gone {
			next = "Next, once that run has ended"
		}
		a.note("%s\n%s%s", lock.Describe(held, time.Now()), lock.Fate(held, gone, time.Now()), lock.InHand(state, held.Holder))
	}
	if err := a.confirmWith(ctx, opts.Yes, site.Name, "kiban unlock "+site.Name+" --yes",
		"Take the lock away from it? Only 'yes' is accepted: ", "yes"); err != nil {
		return err
	}
	for _, l := range locks {
		if err := s.BreakLock(ctx, l); errors.Is(err, lifecycle.ErrLockMoved) {
			return lifecycle.Blockedf(site.Name, "the lock has changed hands meanwhile, and was left alone").
				Try("kiban unlock " + site.Name).
				Hiding(err)
		} else if err != nil {
			return err
		}
	}
	return a.result(fmt.Sprintf("The lock of %s is free. Run %s does not begin another step; the one in hand may be cut off.\n"+
		"%s: kiban apply %[1]s", site.Name, lock.Holders(locks), next))
}

func lockUnread(site lifecycle.Site, err error) error {
	return lifecycle.Errorf(site.Name, "it can't be told who holds the lock").
		Try("kiban status " + site.Name).
		From(err)
}
