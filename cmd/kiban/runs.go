package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/journal"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type runsOptions struct {
	app    *app
	output output
	selection
	Sites []string
	Local bool
}

func newRuns(a *app, runF func(context.Context, *runsOptions) error) *cobra.Command {
	opts := &runsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "runs [SITE...]",
		Short: "List what was done to a site: when, by whom, from which revision, with which result",
		Long: `List the runs of a site, newest first: those whose journals lie in .kiban/runs, and the last twenty that the cluster itself keeps,
so that runs from other machines and from pipelines are seen too. A cluster that can't be asked is a warning; it is exit code 1 when
nothing is known of its site, and in a list of several sites.
kiban show RUN tells of one of them. Without a name, or with several, the runs of all these sites in one list.`,
		Example:           "  kiban runs\n  kiban runs tokyo-prod\n  kiban runs tokyo-prod --local\n  kiban runs tokyo-prod -o json",
		ValidArgsFunction: a.completeAllSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if opts.Sites, err = a.sitesOr(cmd, args, &opts.selection); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return runsVerb(cmd.Context(), opts)
		},
	}
	opts.selection.flag(cmd)
	cmd.Flags().BoolVar(&opts.Local, "local", false, "do not ask the cluster")
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

func runsVerb(ctx context.Context, opts *runsOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	var here, kept []lifecycle.RunRecord
	for _, name := range opts.Sites {
		records, unread, err := journal.Records(session.RunsDir(fleet), name)
		if err != nil {
			return err
		}
		a.findings(unread)
		here = append(here, records...)
	}
	var unasked lifecycle.Diagnostics
	if !opts.Local {
		n := len(opts.Sites)
		of, silent, failed := make([][]lifecycle.RunRecord, n), make([]lifecycle.Diagnostics, n), make([]error, n)
		err := fleets.AtOnce(ctx, n, sitesAtOnce, func(i int) { of[i], silent[i], failed[i] = a.clusterRuns(ctx, opts.Sites[i]) })
		if err := errors.Join(append(failed, err)...); err != nil {
			return err
		}
		kept, unasked = slices.Concat(of...), slices.Concat(silent...)
		a.findings(unasked)
	}
	runs := journal.Merge(here, kept)
	if err := a.showRuns(opts, runs); err != nil || len(unasked) == 0 || len(opts.Sites) == 1 && len(runs) > 0 {
		return err
	}
	a.note("%d of %s could not be asked.", len(unasked), lifecycle.Count(len(opts.Sites), "site"))
	return shown{lifecycle.Errorf("", "not every site could be asked")}
}

func (a *app) showRuns(opts *runsOptions, runs []lifecycle.ListedRun) error {
	if opts.output.form != "text" {
		return writeReport(a.Out, opts.output.form, runs)
	}
	if len(runs) == 0 {
		a.note("No run of %s is known.", strings.Join(opts.Sites, ", "))
		return nil
	}
	return render.RunList(a.Out, runs, len(opts.Sites) > 1, a.outStyle())
}

// clusterRuns are those that the cluster keeps. A site that is not declared has to be named right; one that does not answer is a warning.
func (a *app) clusterRuns(ctx context.Context, name string) (runs []lifecycle.RunRecord, silent lifecycle.Diagnostics, err error) {
	opened := false
	_, err = a.withSite(ctx, name, session.Options{}, func(s *session.Session) (err error) {
		opened = true
		runs, err = s.Runs(ctx)
		return err
	})
	if err != nil {
		if ctx.Err() != nil || !opened {
			return nil, nil, err
		}
		silent = lifecycle.Diagnostics{lifecycle.Warnf(name, "the cluster could not be asked for its runs; those that are known here are shown").
			From(err)}
	}
	return runs, silent, nil
}
