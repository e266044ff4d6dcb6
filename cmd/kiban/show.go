package main

import (
	"context"
	"fmt"

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
	run, err := journal.Locate(opts.Run, opts.Site, a.runsDir)
	if err != nil {
		return err
	}
	record, events, err := journal.Whole(run)
	if err != nil {
		return err
	}
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

// runsDir is where the fleet at hand keeps the journals of its runs.
func (a *app) runsDir() (string, error) {
	fleet, err := a.fleetDir()
	return session.RunsDir(fleet), err
}

// completeRuns offers the runs here to a shell.
func (a *app) completeRuns(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	dir, err := a.runsDir()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	runs, err := journal.Runs(dir, "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	names := []string{"latest"}
	for _, r := range runs {
		names = append(names, r.ID)
	}
	return names, cobra.ShellCompDirectiveDefault // or a file
}
