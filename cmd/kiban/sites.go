package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type sitesOptions struct {
	app       *app
	output    output
	selection selection
	// Since lists only what changed since that revision; Changed says that it was given.
	Since   string
	Changed bool
}

func newSites(a *app, runF func(context.Context, *sitesOptions) error) *cobra.Command {
	opts := &sitesOptions{app: a}
	cmd := &cobra.Command{
		Use:   "sites",
		Short: "List the sites of the fleet, or those that changed since a revision",
		Long: `List the sites of the fleet, in the order of their waves.

With --changed-since only those whose declaration is not what it was at that revision: a change of a base or a component marks every site
that is built with it, and no other. It is the built declaration that is compared, with the lock file and the files that it names: a
comment or a README marks none. A site that cannot be read, now or then, counts as changed. What is compared is the work tree, not yet
committed changes included.
Below the sites stands what changed of what they share: each base, component and file, with the sites that it changes.

A site whose overlay is gone is said on stderr: kiban destroys nothing because of it.
With --selector only those whose labels match, as kubectl selects: those of their Site documents, and kiban.dev/name, kiban.dev/wave and
kiban.dev/provider, which each site has. A site that cannot be read is in every selection, here and with every verb that takes several
sites: nobody knows its labels.
Exit code 1 when a site cannot be read; the others are listed all the same.`,
		Example: `  kiban sites
  kiban sites -l tier=production,region!=eu -o names
  kiban sites --changed-since origin/main -o json
  kiban sites --changed-since "$CI_MERGE_REQUEST_DIFF_BASE_SHA" -o names`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if _, err := opts.selection.check(cmd, nil); err != nil {
				return err
			}
			opts.Changed = cmd.Flags().Changed("changed-since")
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return sitesRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml", "names")
	opts.selection.flag(cmd)
	cmd.Flags().StringVar(&opts.Since, "changed-since", "", "only the sites that changed since that revision: a commit, a branch, a tag")
	return cmd
}

func sitesRun(ctx context.Context, opts *sitesOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	var list fleets.List
	var found lifecycle.Diagnostics
	if opts.Changed {
		list, found, err = a.comparing(fleet).Changed(ctx, fleet, opts.Since)
	} else {
		list, found, err = a.source().All(ctx, fleet)
	}
	if err != nil {
		return err
	}
	a.findings(found)
	if err := opts.write(list.Selected(opts.selection.By)); err != nil {
		return err
	}
	if found.Err() != nil {
		return shown{found}
	}
	return nil
}

// source reads fleets to compare them with others: what must be so for a site to be applied is for validate to say, and whether its host
// keys and its lock file are complete is no part of what it means.
func (a *app) source() fleets.Source {
	look := new(session.Look)
	load := func(ctx context.Context, fleet, name, beside string) (lifecycle.Site, lifecycle.Diagnostics) {
		return a.LoadSite(ctx, fleet, name, session.LoadOptions{UnknownHosts: true, Unpinned: true, Beside: beside, Look: look})
	}
	return fleets.Source{Load: load, List: a.ListSites, Open: a.OpenFleet, Blob: a.Blob, IsSite: a.IsSite, Inputs: a.SiteInputs,
		Reads: a.SiteReads, Also: []string{a.GroupsDir}, Work: new(fleets.Work)}
}

func (opts *sitesOptions) write(list fleets.List) error {
	a := opts.app
	switch opts.output.form {
	case "json", "yaml":
		return writeReport(a.Out, opts.output.form, list)
	case "names":
		for _, r := range list.Sites {
			if err := a.result(r.Name); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	if head, rows := list.Table(opts.Changed); len(rows) > 0 {
		err = render.Table(a.Out, a.outStyle(), head, rows)
	} else {
		err = a.result(list.None(opts.Changed, opts.selection.By))
	}
	if reached := list.Reached(); reached != "" && err == nil {
		_, err = io.WriteString(a.Out, "\n"+reached)
	}
	return err
}
