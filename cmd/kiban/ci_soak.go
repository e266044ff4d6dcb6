package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/promotion"
	"kiban.dev/kiban/lifecycle/render"
)

type ciSoakOptions struct {
	app    *app
	output output
	Site   string
	// Record has the cluster keep what was seen.
	Record bool
}

func newCISoak(a *app, runF func(context.Context, *ciSoakOptions) error) *cobra.Command {
	opts := &ciSoakOptions{app: a}
	cmd := &cobra.Command{
		Use:   "soak SITE",
		Short: "Say how long a site has run its versions, healthy",
		Long: `Look at a site, and say how long it has run its version of k0s and of each chart, healthy: what its cluster keeps of that, and this look. Sites that
wait for this one (spec.promotion of theirs) go by it.

Nothing is changed without --record, which has the cluster keep the look, in the ConfigMap kube-system/kiban-soak. An apply that came to its end does so by
itself; a schedule should: between two looks at which a site was healthy it counts as healthy.
It exits with 0 whatever it finds, as long as it could look, and record what it was to.`,
		Example:           "  kiban ci soak tokyo-staging\n  kiban ci soak tokyo-staging --record\n  kiban ci soak tokyo-staging -o json > soak/tokyo-staging.json",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, ciSoakRun),
	}
	addOutput(cmd, &opts.output, "text", "json")
	cmd.Flags().BoolVar(&opts.Record, "record", false, "have the cluster keep it")
	return cmd
}

func ciSoakRun(ctx context.Context, opts *ciSoakOptions) error {
	a := opts.app
	soak, err := a.soakOf(ctx, opts.Site, opts.Record)
	if err != nil {
		return err
	}
	if opts.output.form == "json" {
		return writeJSON(a.Out, soak)
	}
	return render.SoakText(a.Out, soak)
}

// soakOf looks at a site and adds that to what its cluster keeps; record has the cluster keep it.
func (a *app) soakOf(ctx context.Context, name string, record bool) (soak lifecycle.Soak, err error) {
	site, fleet, err := a.loadSite(ctx, name)
	if err != nil {
		return soak, err
	}
	conn, err := a.connectWith(site, fleet, connectOptions{Glance: true})
	if err != nil {
		return soak, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	state, err := conn.Observe(ctx)
	if err != nil {
		return soak, err
	}
	look := func(prev lifecycle.Soak) lifecycle.Soak { return promotion.Observe(prev, site, state, time.Now()) }
	switch {
	case state.API.NotYet:
		return look(soak), nil // nothing can keep anything
	case record:
		return conn.KeepSoak(ctx, look)
	}
	return a.withSoak(ctx, conn, state, look), nil
}

// withSoak adds a look to what the cluster keeps. One that does not tell is a warning: the look itself counts.
func (a *app) withSoak(ctx context.Context, conn connection, state lifecycle.State, look func(lifecycle.Soak) lifecycle.Soak) lifecycle.Soak {
	var prev lifecycle.Soak
	if !state.API.NotYet && state.API.Unknown == "" {
		var err error
		if prev, err = conn.Soak(ctx); err != nil {
			a.findings(lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "how long the cluster has run its versions could not be read; only what is seen now counts",
				Detail: err.Error(), Subject: state.Site, Cause: err}})
		}
	}
	return look(prev)
}
