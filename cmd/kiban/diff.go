package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/diff"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
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
	d, err := a.diff(ctx, fleet, opts)
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

// diff reads a site on both sides and compares it.
func (a *app) diff(ctx context.Context, fleet string, opts *diffOptions) (out render.DeclaredDiff, err error) {
	from, doneFrom, err := a.source().At(fleet, opts.From)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, doneFrom()) }()
	to, err := a.source().Now(fleet)
	if !opts.Worktree {
		var doneTo func() error
		to, doneTo, err = a.source().At(fleet, opts.To)
		defer func() { err = errors.Join(err, doneTo()) }()
	}
	if err != nil {
		return out, err
	}

	out = render.DeclaredDiff{Site: opts.Site, From: from.Revision, To: to.Revision, Changes: []lifecycle.DeclaredChange{}}
	var was, is diff.Declaration
	var found, now lifecycle.Diagnostics
	if !from.Has(opts.Site) && !to.Has(opts.Site) {
		return out, a.nowhere(ctx, fleet, opts.Site)
	}
	former := opts.Site
	if !from.Has(opts.Site) {
		former = fleets.Formerly(ctx, from, to, opts.Site)
	}
	if former != "" {
		was, found = from.Read(ctx, former)
	}
	if to.Has(opts.Site) {
		is, now = to.Read(ctx, opts.Site)
	}
	if ds := fleets.Errors(append(found, now...)); len(ds) > 0 {
		return out, ds
	}
	switch {
	case former == "":
		out.Changes = append(out.Changes, lifecycle.DeclaredChange{Subject: "site", Kind: lifecycle.DeclaredAdded,
			To: render.SiteSummary(is.Site)})
	case !to.Has(opts.Site):
		out.Changes = append(out.Changes, lifecycle.DeclaredChange{Subject: "site", Kind: lifecycle.DeclaredRemoved,
			From: render.SiteSummary(was.Site),
			Note: "its cluster goes on running, and nobody looks after it"})
	default:
		out.Changes = append(out.Changes, diff.Compare(was, is)...)
		out.Form = len(out.Changes) == 0 && !diff.Same(was, is)
	}
	return out, nil
}

// nowhere says of a site that neither side has what is wrong with its name.
func (a *app) nowhere(ctx context.Context, fleet, name string) error {
	if _, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{UnknownHosts: true, Unpinned: true}); ds.Err() != nil {
		return ds
	}
	return lifecycle.Errorf(name, "neither revision has a site %q", name).
		Because("The work tree has it.").
		Try("Leave --to out, to compare with the work tree.")
}
