package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/fleet/page"
	"kiban.dev/kiban/lifecycle/scaffold"
	"kiban.dev/kiban/lifecycle/session"
)

type fleetPageOptions struct {
	app *app
	// Out is the folder of the pages; From that of a collect, "" the one beside the fleet.
	Out, From string
	// At is the moment for which they hold, RFC 3339; "" that of the last look at any site.
	At string
	// Repository is where the pages' buttons lead.
	Repository page.Repository
}

func newFleetPage(a *app, runF func(context.Context, *fleetPageOptions) error) *cobra.Command {
	opts := &fleetPageOptions{app: a}
	cmd := &cobra.Command{
		Use:   "page --out DIR",
		Short: "Show the fleet as a folder of HTML pages",
		Long: `Make pages of what kiban fleet collect has left in a folder: a table of all sites, a page for each, and pages for what people ask of
a fleet: who is out of support, who waits for whom, by when to leave which version, what changed, what failed, which backups are
unproven, who uses most of the quotas, which addons there are in which versions. No site is asked. The pages are for any web server, such
as GitLab Pages: they need no program behind them, ask nobody, and can be read without scripts.

What was asked more than a day before is shown as old, what is not known as not known. The folder is replaced as a whole, and refused
where it holds anything else. Buttons lead to GitLab's editor at the repository (--repository). The folder is the result.`,
		Example: "  kiban fleet collect && kiban fleet page --out public\n" +
			"  kiban fleet page --out public --repository https://gitlab.example.com/fleet",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.Out == "" {
				return usage(cmd, "which folder are the pages to be in? --out DIR")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return fleetPageRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Out, "out", "", "the folder of the pages")
	addFrom(cmd, &opts.From)
	cmd.Flags().StringVar(&opts.At, "at", "", "the moment for which the pages hold, RFC 3339 (default: the last look at any site)")
	cmd.Flags().StringVar(&opts.Repository.URL, "repository", "", "the project's address at GitLab (default: CI_PROJECT_URL)")
	cmd.Flags().StringVar(&opts.Repository.Branch, "branch", "", "the branch of merge requests (default: CI_DEFAULT_BRANCH, or main)")
	return cmd
}

func fleetPageRun(ctx context.Context, opts *fleetPageOptions) error {
	a := opts.app
	in, err := opts.input()
	if err != nil {
		return err
	}
	dir, err := a.collectedDir(opts.From)
	if err != nil {
		return err
	}
	until := time.Now()
	if !in.Now.IsZero() {
		until = in.Now
	}
	if in.Sites, in.Unusable, err = fleets.ReadCollected(dir, until); err != nil {
		return err
	}
	a.findings(in.Unusable)
	if err := opts.declared(ctx, &in); err != nil {
		return err
	}
	if err := page.Make(in).Write(ctx, opts.Out); err != nil {
		return err
	}
	return a.result(opts.Out)
}

// input is what the flags say, and in a pipeline its variables.
func (opts *fleetPageOptions) input() (page.Input, error) {
	a := opts.app
	branch := cmp.Or(opts.Repository.Branch, a.Getenv("CI_DEFAULT_BRANCH"), "main")
	in := page.Input{Repository: page.Repository{URL: opts.Repository.URL, Branch: branch}}
	if here := (page.Repository{URL: a.Getenv("CI_PROJECT_URL"), Branch: branch}); in.Repository.URL == "" && here.Validate() == nil {
		in.Repository = here
	}
	if opts.At != "" {
		at, err := time.Parse(time.RFC3339, opts.At)
		if err != nil {
			return in, lifecycle.Errorf("--at", "%q is no moment", opts.At).Try("Write --at 2026-11-28T03:00:00Z")
		}
		in.Now = at
	}
	return in, in.Repository.Validate()
}

// declared adds what the fleet's repository says: which sites there are, when they were changed, and who may go. Where it can't be read
// the pages are made all the same, and say that they do not know.
func (opts *fleetPageOptions) declared(ctx context.Context, in *page.Input) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err == nil {
		in.Listed, err = a.ListSites(fleet)
	}
	a.warn(err)
	if len(in.Listed) == 0 {
		return nil
	}
	in.Committed, err = a.Committed(fleet, page.Revisions(in.Sites))
	a.warn(err)
	in.Files = page.Files{Overlays: fleets.Folders(fleet, "overlays"), Components: fleets.Folders(fleet, "clusters/components")}
	in.NewSite = newSiteFiles(in.Sites)
	lifts, bad := session.ReadLifts(fleet)
	if bad.Err() != nil {
		a.warn(bad)
		return nil
	}
	facts, err := a.source().Facts(ctx, fleet, new(session.Look).Revision(fleet), in.Sites, lifts, in.At())
	if ctx.Err() != nil {
		return err
	}
	if a.warn(err); err == nil {
		in.Queue = fleets.Next(facts)
	}
	return nil
}

// newSiteFiles are the files of a site as kiban site add makes them, to be filled in; none where no site says which version it would
// have.
func newSiteFiles(sites []fleets.Collected) (out []page.NewFile) {
	version := page.NewestDeclared(sites)
	if version.IsZero() {
		return nil
	}
	site := scaffold.Site{Name: page.ExampleSite, Version: version.String(), Machines: []scaffold.Machine{
		{Name: page.ExampleSite + "-controller-1", Address: "192.0.2.11", Role: lifecycle.RoleController},
		{Name: page.ExampleSite + "-worker-1", Address: "192.0.2.101", Role: lifecycle.RoleWorker}}}
	for _, f := range site.Overlay() {
		out = append(out, page.NewFile{Name: f.Path, Content: string(f.Content)})
	}
	return out
}

// warn tells of what keeps nothing from being done.
func (a *app) warn(err error) {
	if err == nil {
		return
	}
	ds := lifecycle.AsDiagnostics(err, "the fleet could not be read")
	for i := range ds {
		ds[i].Severity = lifecycle.SeverityWarning
	}
	a.findings(ds)
}
