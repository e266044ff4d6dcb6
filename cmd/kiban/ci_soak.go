package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/promotion"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type ciSoakOptions struct {
	app    *app
	output output
	Site   string
	// Record has the cluster keep what was seen. Watch is how long a lock is watched to see whether a run is at work.
	Record bool
	Watch  time.Duration
}

func newCISoak(a *app, runF func(context.Context, *ciSoakOptions) error) *cobra.Command {
	opts := &ciSoakOptions{app: a, Watch: 2 * lifecycle.LockRenewal}
	cmd := &cobra.Command{
		Use:   "soak SITE",
		Short: "Say how long a site has run its versions, healthy",
		Long: `Look at a site, and say how long it has run its version of k0s and of each chart, healthy: what its cluster keeps of that, and this look. Sites that
wait for this one (spec.promotion of theirs) go by it.

Nothing is changed without --record, which has the cluster keep the look, in the ConfigMap kube-system/kiban-soak. An apply that came to its end does so by
itself; a schedule should: between two looks at which a site was healthy it counts as healthy. What is wrong while a run changes the site is not recorded.
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
	soak, err := a.soakOf(ctx, opts.Site, *opts)
	if err != nil {
		return err
	}
	if opts.output.form == "json" {
		return writeJSON(a.Out, soak)
	}
	return render.SoakText(a.Out, soak)
}

// soakOf looks at a site and adds that to what its cluster keeps; opts say whether the cluster is to keep it.
func (a *app) soakOf(ctx context.Context, name string, opts ciSoakOptions) (soak lifecycle.Soak, err error) {
	site, fleet, err := a.loadSite(ctx, name)
	if err != nil {
		return soak, err
	}
	conn, err := a.openWith(site, fleet, session.Options{Glance: true})
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
	case opts.Record && !look(soak).Healthy:
		run, err := runAtWork(ctx, conn, opts.Watch)
		if err != nil {
			return soak, err
		}
		if run != "" {
			a.note("Not recorded: run %s is changing %s, and what is wrong may be its doing. It records what it leaves.", run, site.Name)
			break
		}
		return keepSoak(ctx, conn, site, look)
	case opts.Record:
		return keepSoak(ctx, conn, site, look)
	}
	return a.withSoak(ctx, conn, state, look), nil
}

// keepSoak has the cluster keep the look, and says what was seen where it can't.
func keepSoak(ctx context.Context, conn *session.Session, site lifecycle.Site, look func(lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error) {
	soak, err := conn.KeepSoak(ctx, look)
	if err == nil {
		return soak, nil
	}
	d := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "the cluster could not keep how it was seen", Detail: err.Error(), Cause: err,
		Hint: "kiban status " + site.Name + " says what is wrong. Without --record it is only shown how long the site has run what."}
	if seen := look(lifecycle.Soak{}); !seen.Healthy {
		d.Detail = fmt.Sprintf("%s is not healthy: %s.\n%s", site.Name, seen.Reason, d.Detail)
	}
	return soak, d
}

// runAtWork is the run that changes the site now, "" when none does. A run that was killed may hold a lock still: one that is at work renews it.
func runAtWork(ctx context.Context, conn *session.Session, watch time.Duration) (string, error) {
	before, err := conn.Locks(ctx)
	if err != nil || len(before) == 0 {
		return "", nil // what can't be known of a lock is no reason to overlook what is wrong
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(watch):
	}
	after, err := conn.Locks(ctx)
	if err != nil {
		return "", nil
	}
	for _, l := range before {
		if !slices.ContainsFunc(after, func(o lifecycle.Lock) bool { return o.Where == l.Where && o.Same(l) && o.Beat == l.Beat }) {
			return l.Holder, nil
		}
	}
	return "", nil
}

// withSoak adds a look to what the cluster keeps. One that does not tell is a warning: the look itself counts.
func (a *app) withSoak(ctx context.Context, conn *session.Session, state lifecycle.State, look func(lifecycle.Soak) lifecycle.Soak) lifecycle.Soak {
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
