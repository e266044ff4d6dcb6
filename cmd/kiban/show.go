package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/timeline"
)

type showOptions struct {
	app    *app
	output output
	Run    string
	Site   string
}

func newShow(a *app, runF func(context.Context, *showOptions) error) *cobra.Command {
	opts := &showOptions{app: a}
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "Tell of a past run again: as a log, a summary, data, or a page with a picture",
		Long: `Tell of a past run again, from its journal. RUN is an id or the beginning of one, "latest", or the path of a journal.
-o html makes one self-contained page: a lane a machine, its steps over time, what they waited for, and how many machines were out of
service against how many may have been. -o markdown is for a merge request.`,
		Example: "  kiban show latest\n  kiban show 20261121-2204 --site tokyo-prod -o html > run.html\n" +
			"  kiban show .kiban/runs/lab/20261121-220400-31f540.jsonl -o json",
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(cmd, "which run? kiban runs SITE lists them; the last one is latest")
			}
			if len(args) != 1 {
				return usage(cmd, fmt.Sprintf("one run at a time, not %d; kiban runs SITE lists them", len(args)))
			}
			opts.Run = args[0]
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return showRun(opts)
		},
	}
	cmd.Flags().StringVar(&opts.Site, "site", "", "look among the runs of this site only")
	_ = cmd.RegisterFlagCompletionFunc("site", a.completeSites) // the only error is a flag of another name
	addOutput(cmd, &opts.output, "text", "json", "yaml", "markdown", "html")
	return cmd
}

// shownRun is the machine-readable form.
type shownRun struct {
	Record lifecycle.RunRecord `json:"record"`
	Events []lifecycle.Event   `json:"events"`
}

func showRun(opts *showOptions) error {
	a := opts.app
	run, err := a.findRun(opts.Run, opts.Site)
	if err != nil {
		return err
	}
	events, err := journal.Read(run.Path)
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("%s holds no event", run.Path)
	}
	if err != nil {
		return lifecycle.Errorf(run.Path, "this journal can't be read").From(err)
	}
	record := journal.Record(events)
	switch opts.output.form {
	case "json", "yaml":
		return writeReport(a.Out, opts.output.form, shownRun{record, events})
	case "markdown":
		return timeline.Markdown(a.Out, record, events)
	case "html":
		return timeline.HTML(a.Out, record, events)
	}
	return render.RunText(a.Out, events, a.outStyle())
}

// findRun finds the journal that the operator means.
func (a *app) findRun(name, site string) (journal.Run, error) {
	if strings.HasSuffix(name, ".jsonl") || strings.ContainsRune(name, filepath.Separator) {
		_, err := os.Stat(name)
		if err != nil {
			return journal.Run{}, noRun(name, err.Error(), err)
		}
		return journal.Run{ID: strings.TrimSuffix(filepath.Base(name), ".jsonl"), Path: name}, nil
	}
	fleet, err := a.fleetDir()
	if err != nil {
		return journal.Run{}, err
	}
	all, err := journal.Runs(session.RunsDir(fleet), site)
	if err != nil {
		return journal.Run{}, err
	}
	found := journal.Find(all, name)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var names []string
		for _, r := range found {
			names = append(names, r.ID+" of "+r.Site)
		}
		return journal.Run{}, lifecycle.Errorf("", "%d runs begin with %q", len(found), name).
			Because(names...).
			Try("Name more of it, or the site: --site " + found[0].Site)
	}
	detail := fmt.Sprintf("There is no journal in %s", session.RunsDir(fleet))
	if len(all) > 0 {
		detail = fmt.Sprintf("None of the %s in %s begins so", lifecycle.Count(len(all), "journal"), session.RunsDir(fleet))
	}
	return journal.Run{}, noRun(name, detail+". A run from elsewhere has its journal there; the cluster keeps a record only.", nil)
}

func noRun(name, detail string, cause error) error {
	return lifecycle.Errorf("", "no run %q", name).
		Because(detail).
		Try("kiban runs SITE lists them, and where they were run.").
		Hiding(cause)
}

// completeRuns offers the runs here to a shell.
func (a *app) completeRuns(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	fleet, err := a.fleetDir()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	runs, err := journal.Runs(session.RunsDir(fleet), "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	names := []string{"latest"}
	for _, r := range runs {
		names = append(names, r.ID)
	}
	return names, cobra.ShellCompDirectiveDefault // or a file
}
