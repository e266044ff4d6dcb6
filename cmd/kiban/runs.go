package main

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
	"kiban.dev/kiban/lifecycle/render"
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
	here, err := a.localRuns(fleet, opts.Site)
	if err != nil {
		return err
	}
	var kept []lifecycle.RunRecord
	if !opts.Local {
		if kept, err = a.clusterRuns(ctx, opts.Site); err != nil {
			return err
		}
	}
	runs := mergeRuns(here, kept)
	if opts.output.form == "json" {
		return writeJSON(a.Out, runs)
	}
	if len(runs) == 0 {
		a.note("No run of %s is known.", opts.Site)
		return nil
	}
	return render.RunList(a.Out, runs, a.outStyle())
}

func runsDir(fleet string) string { return filepath.Join(stateDir(fleet), "runs") }

// localRuns are the records of the journals here. A journal that can't be read is a warning: the others can.
func (a *app) localRuns(fleet, site string) ([]lifecycle.RunRecord, error) {
	found, err := journal.Runs(runsDir(fleet), site)
	if err != nil {
		return nil, err
	}
	var out []lifecycle.RunRecord
	for _, r := range found {
		record, err := journal.RecordOf(r)
		if err != nil {
			a.findings(lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "a journal is left out", Detail: err.Error(), Subject: r.Path, Cause: err}})
			continue
		}
		out = append(out, record)
	}
	return out, nil
}

// clusterRuns are those that the cluster keeps. A site that is not declared has to be named right; one that does not answer is a warning.
func (a *app) clusterRuns(ctx context.Context, name string) ([]lifecycle.RunRecord, error) {
	site, fleet, err := a.loadSite(ctx, name)
	if err != nil {
		return nil, err
	}
	conn, err := a.connect(site, fleet)
	if err != nil {
		return nil, err
	}
	runs, err := conn.Runs(ctx)
	if err := errors.Join(err, conn.Close()); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		a.findings(lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "the cluster could not be asked for its runs; these are the ones known here",
			Detail: err.Error(), Subject: name, Cause: err}})
	}
	return runs, nil
}

// mergeRuns puts both together, newest first. Of a run that both know, the journal says more.
func mergeRuns(here, kept []lifecycle.RunRecord) []render.ListedRun {
	out := []render.ListedRun{}
	at := map[string]int{}
	for _, r := range here {
		at[r.ID] = len(out)
		out = append(out, render.ListedRun{RunRecord: r, Here: true})
	}
	for _, r := range kept {
		if i, known := at[r.ID]; known {
			out[i].Cluster = true
			continue
		}
		out = append(out, render.ListedRun{RunRecord: r, Cluster: true})
	}
	slices.SortStableFunc(out, func(a, b render.ListedRun) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID)) })
	return out
}
