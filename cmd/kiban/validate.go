package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

type validateOptions struct {
	app    *app
	output output
	selection
	// Sites are the sites to check; none means the whole fleet, and then also what only the fleet as a whole can show.
	Sites []string
	// Since checks the sites only that changed since that revision, against all others; Changed says that it was given.
	Since   string
	Changed bool
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

With --changed-since only the sites are checked whose declaration is not what it was at that revision, each by itself and against all
sites. Below them stands what changed of what sites share: each base, component and file, with the sites that it changes.

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
			var err error
			if opts.Changed = cmd.Flags().Changed("changed-since"); opts.Changed && len(args) > 0 {
				return usage(cmd, "either names of sites or --changed-since, not both")
			}
			if opts.Sites, err = a.namedOr(cmd, args, &opts.selection, wholeFleet); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return validateRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml", "codequality", "junit")
	addBundle(cmd, &opts.Bundle)
	opts.selection.flag(cmd)
	cmd.Flags().StringVar(&opts.Since, "changed-since", "", "only the sites that changed since that revision: a commit, a branch, a tag")
	cmd.Flags().BoolVar(&opts.Fetch, "fetch", false, "get the charts and manifests that are not on this machine, and check them too")
	return cmd
}

func validateRun(ctx context.Context, opts *validateOptions) error {
	fleet, err := opts.app.fleetDir()
	if err != nil {
		return err
	}
	others := opts.app.comparing(fleet)
	what, err := opts.what(ctx, fleet, others)
	if err != nil {
		return err
	}
	look := new(session.Look)
	a := opts.app
	verdicts, all, err := forge.Check(ctx, what.names, forge.Checks{Whole: what.whole, Fleet: a.CheckFleet, Part: a.Compared,
		Others: func(ctx context.Context) ([]lifecycle.Site, []string, error) {
			return others.Sites(ctx, fleet, what.others)
		},
		Load: func(ctx context.Context, name string) (lifecycle.Site, lifecycle.Diagnostics) {
			return a.LoadSite(ctx, fleet, name, session.LoadOptions{Look: look, Uncommitted: true})
		},
		Charts: func(ctx context.Context, site lifecycle.Site) lifecycle.Diagnostics {
			return opts.checkCharts(ctx, fleet, site)
		}})
	if err != nil {
		return err
	}
	if err := errors.Join(showVerdicts(opts, verdicts, all), showReach(opts, what.list)); err != nil {
		return err
	}
	if all.Err() != nil {
		return shown{all}
	}
	return nil
}

// checking is which sites are checked, and against which.
type checking struct {
	names, others []string
	// whole says that these are all sites of the fleet; list is what changed, where that was asked for.
	whole bool
	list  fleets.List
}

// what finds the sites that are meant: those that are named, those that changed, or all.
func (opts *validateOptions) what(ctx context.Context, fleet string, others *fleets.Comparing) (checking, error) {
	a := opts.app
	if len(opts.Sites) > 0 && !opts.Changed {
		return checking{names: opts.Sites}, nil
	}
	all, err := a.ListSites(fleet)
	switch {
	case err != nil:
		return checking{}, err
	case len(all) == 0:
		return checking{}, lifecycle.Errorf(fleet, "the fleet has no site").
			Try("Make one: a folder under overlays/ with a kustomization.yaml.")
	case !opts.Changed:
		return checking{names: all, whole: true}, nil
	}
	list, found, err := others.Changed(ctx, fleet, opts.Since)
	if err != nil {
		return checking{}, err
	}
	told := func(d lifecycle.Diagnostic) bool { return d.Severity == lifecycle.SeverityError } // with the verdict of its site
	a.findings(slices.DeleteFunc(found, told))
	list = list.Selected(opts.By)
	what := checking{names: list.Names(), list: list, whole: len(list.Sites) > 0}
	if what.whole {
		checked := map[string]bool{}
		for _, name := range what.names {
			checked[name] = true
		}
		what.others = slices.DeleteFunc(all, func(name string) bool { return checked[name] })
	}
	return what, nil
}

// checkCharts renders what a site's addons are. Charts that are not on this machine are fetched only when that was asked for.
func (opts *validateOptions) checkCharts(ctx context.Context, fleet string, site lifecycle.Site) lifecycle.Diagnostics {
	packed, err := opts.app.openBundle(opts.Bundle, site, fleet)
	if err != nil {
		return lifecycle.AsDiagnostics(err, "the bundle cannot be used")
	}
	from := storeOptions{Offline: !opts.Fetch}
	if packed != nil {
		from.Bundle = packed.FS()
	}
	return supply.CheckCharts(ctx, site, opts.app.store(fleet, from))
}
