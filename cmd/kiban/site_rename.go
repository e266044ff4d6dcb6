package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/scaffold"
	"kiban.dev/kiban/lifecycle/session"
)

type siteRenameOptions struct {
	app      *app
	From, To string
}

func newSiteRename(a *app, runF func(context.Context, *siteRenameOptions) error) *cobra.Command {
	opts := &siteRenameOptions{app: a}
	return &cobra.Command{
		Use:   "rename NAME NEW-NAME",
		Short: "Give a site another name in the fleet; its machines and its cluster are not touched",
		Long: `Rename overlays/NAME in the work tree, with its Site and Cluster documents, and write the new name where other sites wait for it
(spec.promotion). No machine and no cluster is changed. What goes on to have the old name is said, with what to do about it.

It is refused while the Site does not say which cluster is its own (spec.api.clusterUID), unless a look at the machines shows that it has
none yet: its backups and runs are kept by the old name, and a control plane that is lost later would look like one that never was.`,
		Example:           "  kiban site rename tokyo-lab tokyo-dev",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(cmd, "which site, and what is it to be called?")
			}
			opts.From, opts.To = args[0], args[1]
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return siteRenameRun(cmd.Context(), opts)
		},
	}
}

func siteRenameRun(ctx context.Context, opts *siteRenameOptions) error {
	a, from, to := opts.app, opts.From, opts.To
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	if _, err := scaffold.FreeOverlay(fleet, to); err != nil {
		return err
	}
	was, err := a.withSite(ctx, from, session.Options{}, func(s *session.Session) error { return s.Renamable(ctx) })
	if err != nil {
		return err
	}
	r, err := scaffold.Rename(fleet, from, to)
	if err == nil {
		err = r.Do()
	}
	if err != nil {
		return err
	}
	if _, ds := a.LoadSite(ctx, fleet, to, session.LoadOptions{}); ds.Err() != nil {
		return r.Undo(ds)
	}
	for _, line := range session.StaysNamed(was, from, to) {
		a.note("  %s", line)
	}
	done := fmt.Sprintf("overlays/%s is overlays/%s now. No machine was touched.", from, to)
	if others := r.Others(); len(others) > 0 {
		done += " They wait for " + to + " now: " + strings.Join(others, ", ")
	}
	return a.result(done)
}
