package main

import (
	"context"

	"github.com/spf13/cobra"

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

func unlockRun(ctx context.Context, opts *unlockOptions) error {
	a := opts.app
	confirm := func(holders []string) error {
		for _, held := range holders {
			a.note("%s", held)
		}
		return a.confirmWith(ctx, opts.Yes, opts.Site, "kiban unlock "+opts.Site+" --yes",
			"Take the lock away from it? Only 'yes' is accepted: ", "yes")
	}
	var done string
	_, err := a.withSite(ctx, opts.Site, session.Options{Glance: true}, func(s *session.Session) (err error) {
		done, err = s.Unlock(ctx, confirm)
		return err
	})
	if err != nil {
		return err
	}
	return a.result(done)
}
