package main

import (
	"context"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/render"
)

type diffOptions struct {
	app    *app
	output output
	Site   string
	// From and To are revisions; Worktree says that the second side is the work tree.
	From, To         string
	Worktree         bool
	DetailedExitCode bool
}

func newDiff(a *app, runF func(context.Context, *diffOptions) error) *cobra.Command {
	opts := &diffOptions{app: a}
	cmd := &cobra.Command{
		Use:   "diff SITE --from REV [--to REV]",
		Short: "Show what changes in a site's declaration between two revisions mean",
		Long: `Show what changes in a site's declaration between two revisions of the repository mean, not which lines differ: hosts that come
and go, the k0s version and the hops there, settings of the configuration, of addons, tenants and objects from what to what. Without --to
it is the work tree, with what is not committed yet. No machine is asked: what would be done there is for plan to say. Values that may be
secret are masked.`,
		Example: `  kiban diff tokyo-prod --from origin/main
  kiban diff tokyo-prod --from v1.4.0 --to v1.5.0 -o markdown`,
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, err = a.oneSite(cmd, args); err != nil {
				return err
			}
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if !cmd.Flags().Changed("from") {
				return usage(cmd, "from which revision? --from REV")
			}
			opts.Worktree = !cmd.Flags().Changed("to")
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return diffRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml", "markdown")
	cmd.Flags().StringVar(&opts.From, "from", "", "the revision to compare with: a commit, a branch, a tag")
	cmd.Flags().StringVar(&opts.To, "to", "", "the revision that is compared (default: the work tree)")
	cmd.Flags().BoolVar(&opts.DetailedExitCode, "detailed-exitcode", false, "exit with 2 when there are changes")
	return cmd
}

func diffRun(ctx context.Context, opts *diffOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	to := &opts.To
	if opts.Worktree {
		to = nil
	}
	d, err := a.source().Difference(ctx, fleet, opts.Site, opts.From, to)
	if err != nil {
		return err
	}
	switch opts.output.form {
	case "json", "yaml":
		err = writeReport(a.Out, opts.output.form, d)
	case "markdown":
		err = render.DiffMarkdown(a.Out, d)
	default:
		err = render.DiffText(a.Out, d, a.outStyle())
	}
	if err == nil && opts.DetailedExitCode && len(d.Changes) > 0 {
		return changesError{}
	}
	return err
}
