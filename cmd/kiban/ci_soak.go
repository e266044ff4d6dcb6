package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
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
		Long: `Look at a site, and say how long it has run its version of k0s and of each chart, healthy: what its cluster keeps of that, and
this look. Sites that wait for this one (spec.promotion of theirs) go by it.

Nothing is changed without --record, which has the cluster keep the look, in the ConfigMap kube-system/kiban-soak. An apply that came to
its end does so by itself; a schedule should: between two looks at which a site was healthy it counts as healthy. What is wrong while a
run changes the site is not recorded. Of a control plane that acts as its former version, the cluster keeps whether it can still go back.
It exits with 0 whatever it finds, as long as it could look, and record what it was to.`,
		Example: "  kiban ci soak tokyo-staging\n  kiban ci soak tokyo-staging --record\n" +
			"  kiban ci soak tokyo-staging -o json > soak/tokyo-staging.json",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, ciSoakRun),
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	cmd.Flags().BoolVar(&opts.Record, "record", false, "have the cluster keep it")
	return cmd
}

func ciSoakRun(ctx context.Context, opts *ciSoakOptions) error {
	a := opts.app
	soak, err := a.soakOf(ctx, opts.Site, *opts)
	if err != nil {
		return err
	}
	if opts.output.data() {
		return writeReport(a.Out, opts.output.form, soak)
	}
	return render.SoakText(a.Out, soak, a.outStyle())
}

// soakOf looks at a site and adds that to what its cluster keeps; opts say whether the cluster is to keep it.
func (a *app) soakOf(ctx context.Context, name string, opts ciSoakOptions) (soak lifecycle.Soak, err error) {
	_, err = a.withSite(ctx, name, session.Options{Glance: true}, func(s *session.Session) (err error) {
		if opts.Record {
			soak, err = s.RecordSoak(ctx, opts.Watch)
		} else {
			soak, err = s.SoakNow(ctx)
		}
		return err
	})
	return soak, err
}
