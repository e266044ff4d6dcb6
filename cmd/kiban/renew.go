package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

type renewOptions struct {
	app  *app
	Site string
	// All renews certificates that last, too.
	All, Yes    bool
	LockTimeout time.Duration
	// asks is how it is asked; nil: for a yes.
	asks func(context.Context, lifecycle.Plan) error
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
	return upkeep(ctx, opts, "kiban renew "+opts.Site, "No certificate that k0s renews ends soon on the controllers of "+opts.Site+".",
		"The certificates are new", func(s *session.Session) (session.Result, error) { return s.Renew(ctx, opts.All) })
}

// upkeep carries out what keeps a control plane well, and says what came of it.
func upkeep(ctx context.Context, opts *renewOptions, command, nothing, done string,
	do func(*session.Session) (session.Result, error)) error {
	return upkeepSays(ctx, opts, command, nothing, func(lifecycle.Site) string { return done }, do)
}

// upkeepSays is upkeep, where what is said when it is done depends on what the site declares.
func upkeepSays(ctx context.Context, opts *renewOptions, command, nothing string, done func(lifecycle.Site) string,
	do func(*session.Session) (session.Result, error)) error {
	var result session.Result
	asks := opts.asks
	if asks == nil {
		asks = opts.app.confirmAs(opts.Yes, opts.Site, command+" --yes")
	}
	site, err := opts.app.withMachines(ctx, opts.Site, session.Options{Glance: true, LockTimeout: opts.LockTimeout,
		Hooks: asking(asks)}, func(s *session.Session) (err error) {
		result, err = do(s)
		return err
	})
	switch {
	case err != nil:
		return err
	case result.Run == "":
		return opts.app.result(nothing)
	}
	return opts.app.result(done(site) + ": " + result.Summary + ".")
}
