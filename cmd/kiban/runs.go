package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type runsOptions struct {
	app    *app
	output output
	Site   string
	Local  bool
}

func newRuns(a *app, runF func(context.Context, *runsOptions) error) *cobra.Command {
	opts := &runsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "runs SITE",
		Short: "List what was done to a site: when, by whom, from which revision, with which result",
		Long: `List the runs of a site, newest first: those whose journals lie in .kiban/runs, and the last twenty that the cluster itself keeps,
so that runs from other machines and from pipelines are seen too. A cluster that can't be asked is a warning.
kiban show RUN tells of one of them.`,
		Example:           "  kiban runs tokyo-prod\n  kiban runs tokyo-prod --local\n  kiban runs tokyo-prod -o json",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, runsVerb),
	}
	cmd.Flags().BoolVar(&opts.Local, "local", false, "do not ask the cluster")
	addOutput(cmd, &opts.output, "text", "json")
	return cmd
}

func runsVerb(ctx context.Context, opts *runsOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	here, unread, err := journal.Records(runsDir(fleet), opts.Site)
	if err != nil {
		return err
	}
	a.findings(unread)
	var kept []lifecycle.RunRecord
	if !opts.Local {
		if kept, err = a.clusterRuns(ctx, opts.Site); err != nil {
			return err
		}
	}
	runs := journal.Merge(here, kept)
	if opts.output.form == "json" {
		return writeJSON(a.Out, runs)
	}
	if len(runs) == 0 {
		a.note("No run of %s is known.", opts.Site)
		return nil
	}
	return render.RunList(a.Out, runs, a.outStyle())
}

func runsDir(fleet string) string { return session.RunsDir(fleet) }

// clusterRuns are those that the cluster keeps. A site that is not declared has to be named right; one that does not answer is a warning.
func (a *app) clusterRuns(ctx context.Context, name string) ([]lifecycle.RunRecord, error) {
	site, fleet, err := a.loadSite(ctx, name)
	if err != nil {
		return nil, err
	}
	s, err := a.open(site, fleet)
	if err != nil {
		return nil, err
	}
	runs, err := s.Runs(ctx)
	if err := errors.Join(err, s.Close()); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		a.findings(lifecycle.Diagnostics{lifecycle.Warnf(name, "the cluster could not be asked for its runs; these are the ones known here").
			From(err)})
	}
	return runs, nil
}
