package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

type siteGroupsOptions struct {
	app    *app
	output output
	selection
	Sites []string
	// Fix writes what is missing into overlays, and takes out what is too much.
	Fix bool
}

func newSiteGroups(a *app, runF func(context.Context, *siteGroupsOptions) error) *cobra.Command {
	opts := &siteGroupsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "groups [SITE...]",
		Short: "Show of which groups sites are, and have overlays list them",
		Long: `Show of which groups of clusters/groups each site is, by its labels, and where its overlay lists another set. Such a site is not valid.
With --fix the components of overlays are put right: what is missing goes to the end, what is too much goes, and the rest of the file
stays as it is. It touches no machine; what it changes is for a merge request to show.

Exit code 1 when a site cannot be read, or could not be put right; 3 when an overlay lists another set, and --fix was not given.`,
		Example:           "  kiban site groups\n  kiban site groups -l tier=production --fix",
		ValidArgsFunction: a.completeAllSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if opts.Sites, err = a.namedOr(cmd, args, &opts.selection, a.everySite); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return siteGroupsRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	opts.selection.flag(cmd)
	cmd.Flags().BoolVar(&opts.Fix, "fix", false, "write what is missing into overlays, and take out what is too much")
	return cmd
}

// everySite names the sites of the fleet.
func (a *app) everySite() ([]string, error) {
	fleet, err := a.fleetDir()
	if err != nil {
		return nil, err
	}
	return a.ListSites(fleet)
}

func siteGroupsRun(ctx context.Context, opts *siteGroupsOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	memberships := []lifecycle.Membership{}
	var failed, blocked lifecycle.Diagnostics
	for _, name := range opts.Sites {
		of, ds := a.SiteGroups(ctx, fleet, name)
		if ds.Err() != nil {
			failed = append(failed, ds...)
			continue
		}
		memberships = append(memberships, of)
		switch {
		case of.Right():
		case !opts.Fix:
			blocked = append(blocked, lifecycle.Blockedf("overlays/"+name, "%s does not list the groups that it belongs to", name).
				Try("kiban site groups "+name+" --fix"))
		default:
			failed = append(failed, lifecycle.AsDiagnostics(a.ListGroups(fleet, of), "the groups could not be written")...)
		}
	}
	if err := opts.write(memberships); err != nil {
		return err
	}
	return errors.Join(failed.Err(), blocked.Err())
}

func (opts *siteGroupsOptions) write(all []lifecycle.Membership) error {
	if opts.output.data() {
		return writeReport(opts.app.Out, opts.output.form, all)
	}
	if len(all) == 0 {
		return nil
	}
	missing, excess := "MISSING", "TOO MUCH"
	if opts.Fix {
		missing, excess = "ADDED", "TAKEN OUT"
	}
	var rows []string
	names := func(groups []string) string {
		if len(groups) == 0 {
			return "-"
		}
		return strings.Join(groups, ",")
	}
	for _, of := range all {
		rows = append(rows, strings.Join([]string{of.Site, names(of.Groups), names(of.Missing), names(of.Excess)}, "\t"))
	}
	return render.Table(opts.app.Out, opts.app.outStyle(), "SITE\tGROUPS\t"+missing+"\t"+excess, rows)
}
