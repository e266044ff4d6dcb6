package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/session"
)

type renewOptions struct {
	app  *app
	Site string
	// All renews certificates that last, too.
	All, Yes    bool
	LockTimeout time.Duration
}

func newRenew(a *app, runF func(context.Context, *renewOptions) error) *cobra.Command {
	opts := &renewOptions{app: a}
	cmd := &cobra.Command{
		Use:   "renew SITE",
		Short: "Have k0s make its certificates anew before they end",
		Long: `k0s's certificates last a year, and k0s makes new ones only when it starts as a controller. Restart it on those controllers whose
certificates end soon, one after another, behind the gates of any restart. Where the end is far there is nothing to do; --all renews the
certificates of every controller that are older than a day. In the end kiban looks whether they are new.

Authorities (CA) are not renewed, nor what another authority than k0s's has signed: kiban status says when these end.`,
		Example:           "  kiban renew tokyo-prod\n  kiban renew tokyo-prod --all --yes",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, renewRun),
	}
	cmd.Flags().BoolVar(&opts.All, "all", false, "also certificates that last")
	a.runFlags(cmd, &opts.Yes, &opts.LockTimeout)
	return cmd
}

func renewRun(ctx context.Context, opts *renewOptions) error {
	a := opts.app
	confirm := a.confirmAs(opts.Yes, opts.Site, fmt.Sprintf("kiban renew %s --yes", opts.Site))
	var result session.Result
	_, err := a.withMachines(ctx, opts.Site, session.Options{Glance: true, LockTimeout: opts.LockTimeout, Hooks: asking(confirm)},
		func(s *session.Session) (err error) {
			result, err = s.Renew(ctx, opts.All)
			return err
		})
	switch {
	case err != nil:
		return err
	case result.Run == "":
		return a.result("No certificate that k0s renews ends soon on the controllers of " + opts.Site + ".")
	}
	return a.result(fmt.Sprintf("The certificates are new: %s.", result.Summary))
}
