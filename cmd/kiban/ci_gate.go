package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

type ciGateOptions struct {
	app  *app
	Site string
	// Soak is a folder with what `ci soak SITE -o json` printed of the sites that are waited for; "" asks them.
	Soak string
	// Result is the file that takes the Outcome of a gate that is not passed; "" writes none.
	Result string
}

func newCIGate(a *app, runF func(context.Context, *ciGateOptions) error) *cobra.Command {
	opts := &ciGateOptions{app: a}
	cmd := &cobra.Command{
		Use:   "gate SITE",
		Short: "Say whether a site may take the versions that its plan brings",
		Long: `Make a site's plan, and hold each version of k0s and of a chart that it brings against the sites that must have run it first
(spec.promotion of the Site): healthy, for the whole soak time. Nothing is changed.

It exits with 0 when they have, or when the plan brings nothing of the kind; with 3 when they have not, and says which version, which
site, how long of how long, and when at the earliest. A version that the site itself has run before may come back without waiting, and one
that it has begun to take may be finished.

With --soak, SITE.json in that folder tells of a site, as "kiban ci soak SITE -o json" printed it within a day. A site without such a file
is asked. With --result, a gate that is not passed leaves a file that "kiban ci tell SITE ended" tells of.`,
		Example:           "  kiban ci gate tokyo-prod\n  kiban ci gate tokyo-prod --soak soak",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, ciGateVerb),
	}
	cmd.Flags().StringVar(&opts.Soak, "soak", "", "a folder that tells of the sites that are waited for")
	cmd.Flags().StringVar(&opts.Result, "result", "", "put why the gate is not passed into this file, as JSON; one that is passed leaves none")
	return cmd
}

// ciGateVerb leaves a result when the gate is not passed. Of one that is passed, whoever goes on tells.
func ciGateVerb(ctx context.Context, opts *ciGateOptions) error {
	err := opts.app.withResult(ctx, opts.Result, opts.Site, func(*lifecycle.Outcome) error { return ciGateRun(ctx, opts) })
	if err != nil || opts.Result == "" {
		return err
	}
	return os.Remove(opts.Result)
}

func ciGateRun(ctx context.Context, opts *ciGateOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	gate := forge.Gate{Dir: opts.Soak, Warn: a.findings, Note: a.note,
		Brings: func(ctx context.Context) (versions []lifecycle.SoakVersion, own lifecycle.Soak, err error) {
			s, err := a.open(site, fleet)
			if err != nil {
				return nil, own, err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			return s.Brings(ctx)
		},
		Soak: func(ctx context.Context, name string) (lifecycle.Soak, error) {
			return a.soakOf(ctx, name, ciSoakOptions{})
		}}
	words, unmet := gate.Judge(ctx, site, time.Now())
	for _, w := range words {
		if err := a.result(w); err != nil {
			return err
		}
	}
	return unmet
}
