package main

import (
	"context"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type validateOptions struct {
	app    *app
	output output
	// Sites are the sites to check; none means the whole fleet, and then also what only the fleet as a whole can show.
	Sites []string
	// Fetch gets the charts and manifests that are not on this machine, to check them as well.
	Fetch bool
	// Bundle is a file of kiban bundle, to check its content with the site; "" is none.
	Bundle string
}

func newValidate(a *app, runF func(context.Context, *validateOptions) error) *cobra.Command {
	opts := &validateOptions{app: a}
	cmd := &cobra.Command{
		Use:   "validate [SITE...]",
		Short: "Check what sites declare, without asking any machine",
		Long: `Check what sites declare, without asking any machine: the merge, the k0sctl document, the Site document and kiban's own rules,
and what addons' charts make of their values, as far as the charts are on this machine, in the bundle, or --fetch gets them.
Findings name file and line. Without SITE every site of the fleet is checked, and the sites against each other.
The forms codequality and junit are reports that GitLab shows in merge requests; the findings are told on stderr as well.`,
		Example:           "  kiban validate\n  kiban validate tokyo-prod -o json\n  kiban validate -o codequality > gl-code-quality.json",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if opts.Bundle != "" && len(args) != 1 {
				return usage(cmd, "a bundle is of one site: name it")
			}
			opts.Sites = args
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return validateRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml", "codequality", "junit")
	addBundle(cmd, &opts.Bundle)
	cmd.Flags().BoolVar(&opts.Fetch, "fetch", false, "get the charts and manifests that are not on this machine, and check them too")
	return cmd
}

func validateRun(ctx context.Context, opts *validateOptions) error {
	fleet, err := opts.app.fleetDir()
	if err != nil {
		return err
	}
	names, whole := opts.Sites, false
	if len(names) == 0 {
		if names, err = opts.app.ListSites(fleet); err != nil {
			return err
		}
		if len(names) == 0 {
			return lifecycle.Errorf(fleet, "the fleet has no site").Try("Make one: a folder under overlays/ with a kustomization.yaml.")
		}
		whole = true
	}
	verdicts, all, err := judge(ctx, opts, fleet, names, whole)
	if err != nil {
		return err
	}
	if err := showVerdicts(opts, verdicts, all); err != nil {
		return err
	}
	if all.Err() != nil {
		return shown{all}
	}
	return nil
}

func judge(ctx context.Context, opts *validateOptions, fleet string, names []string, whole bool) ([]forge.SiteFindings,
	lifecycle.Diagnostics, error) {
	a := opts.app
	var verdicts []forge.SiteFindings
	var all lifecycle.Diagnostics
	var sites []lifecycle.Site
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		site, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{})
		if ds.Err() == nil {
			ds = append(ds, a.checkCharts(ctx, opts, fleet, site)...)
		}
		v := forge.SiteFindings{Site: name, Valid: ds.Err() == nil, Diagnostics: ds}
		if v.Valid {
			v.Summary = render.SiteSummary(site)
			sites = append(sites, site)
		}
		verdicts, all = append(verdicts, v), append(all, ds...)
	}
	if ds := a.CheckFleet(sites); whole && len(ds) > 0 {
		verdicts, all = append(verdicts, forge.SiteFindings{Valid: ds.Err() == nil, Diagnostics: ds}), append(all, ds...)
	}
	return verdicts, all, nil
}
