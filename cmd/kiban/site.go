package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/scaffold"
	"kiban.dev/kiban/lifecycle/session"
)

type siteAddOptions struct {
	app *app
	// Name is the new site's; From is one that it is made after, "" the base alone.
	Name, From           string
	Controllers, Workers []string
	Version              string
}

func newSite(a *app, runF func(context.Context, *siteAddOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "site",
		Short: "Add sites to the fleet, list them and their groups, rename them, take them out",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := newSites(a, nil)
	list.Use, list.GroupID = "list", ""
	cmd.AddCommand(newSiteAdd(a, runF), list, newSiteGroups(a, nil), newSiteRename(a, nil), newSiteRemove(a, nil))
	return cmd
}

func newSiteAdd(a *app, runF func(context.Context, *siteAddOptions) error) *cobra.Command {
	opts := &siteAddOptions{app: a}
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make the overlay of a new site",
		Long: `Make the overlay of a new site upon clusters/base, or after another site with --from, and check it with the rest of the fleet. A
machine is an address, or name=address; one without a name is called after the site. Nothing is overwritten.

A copy has the other site's addons, tenants and settings. Its host keys and its lock file stay behind, and addresses that are still the
other site's are named. An overlay upon the base that is not valid is not kept; a copy is, for it is there to be changed.`,
		Example: "  kiban site add osaka --controllers 10.40.1.11 --workers 10.40.1.101\n" +
			"  kiban site add tokyo-lab --from tokyo-staging --controllers tyl-1=10.50.0.11",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(cmd, "which name is the new site to have?")
			}
			if len(opts.Controllers) == 0 {
				return usage(cmd, "a site needs a controller: --controllers ADDRESS,...")
			}
			opts.Name = args[0]
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return siteAddRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.From, "from", "", "a site to make it after")
	cmd.Flags().StringSliceVar(&opts.Controllers, "controllers", nil, "the controllers, ADDRESS or NAME=ADDRESS")
	cmd.Flags().StringSliceVar(&opts.Workers, "workers", nil, "the workers, likewise")
	cmd.Flags().StringVar(&opts.Version, "version", "", "the k0s version (default: that of --from, or the newest in the fleet)")
	return cmd
}

func siteAddRun(ctx context.Context, opts *siteAddOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	load := func(ctx context.Context, name string) (lifecycle.Site, lifecycle.Diagnostics) {
		return a.LoadSite(ctx, fleet, name, session.LoadOptions{})
	}
	in := scaffold.Addition{Fleet: fleet, Name: opts.Name, From: opts.From, Version: opts.Version, Controllers: opts.Controllers,
		Workers: opts.Workers, Others: a.source().Readable(ctx, fleet)}
	made, ds, err := in.Make(ctx, load, a.CheckFleet)
	if err != nil {
		return err
	}
	a.findings(ds)
	switch {
	case ds.Err() == nil:
		return a.result(fmt.Sprintf("overlays/%s: %s.\nNext: kiban hosts trust %s, then kiban plan %s", opts.Name, render.SiteSummary(made),
			opts.Name,
			opts.Name))
	case opts.From != "":
		a.note("\noverlays/%s was made. Mend what is above before its first plan.", opts.Name)
		return shown{ds}
	}
	a.note("\noverlays/%s was not kept.", opts.Name)
	return shown{ds}
}
