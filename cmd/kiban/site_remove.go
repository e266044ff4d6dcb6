package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/scaffold"
)

type siteRemoveOptions struct {
	app  *app
	Site string
	Yes  bool
}

func newSiteRemove(a *app, runF func(context.Context, *siteRemoveOptions) error) *cobra.Command {
	opts := &siteRemoveOptions{app: a}
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Take a site's overlay out of the fleet; its machines are not touched",
		Long: `Delete overlays/NAME from the work tree, once its name was typed. No machine is asked or changed: its cluster goes on running, and
nobody looks after it any more. To take the cluster down, do that first: "kiban node remove", or reset: true on its hosts and "kiban apply".

It is refused while other sites wait for this one (spec.promotion). What git does not have as it is, because it was never committed or was
changed since, is named before: it is gone for good. The rest comes back with git checkout.`,
		Example:           "  kiban site remove tokyo-lab",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(cmd, "which site is to go?")
			}
			opts.Site = args[0]
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return siteRemoveRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVarP(&opts.Yes, "yes", "y", false, "do not ask")
	return cmd
}

func siteRemoveRun(ctx context.Context, opts *siteRemoveOptions) error {
	a, name := opts.app, opts.Site
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	if err := a.source().Known(ctx, fleet, name); err != nil {
		return err
	}
	if waiting := fleets.Waiting(a.source().Readable(ctx, fleet), name); len(waiting) > 0 {
		return lifecycle.Errorf("overlays/"+name, "other sites wait for %s", name).Because(strings.Join(waiting, ", ")).
			Try("Take it out of their spec.promotion.from first.")
	}
	r := scaffold.Remove(fleet, name, a.Unkept)
	a.note("%s", r.Warning())
	if err := a.confirmWith(ctx, opts.Yes, name, "kiban site remove "+name+" --yes", r.Question(), name); err != nil {
		return err
	}
	done, err := r.Do()
	if err != nil {
		return err
	}
	return a.result(done)
}
