package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/scaffold"
	"kiban.dev/kiban/lifecycle/session"
)

type importOptions struct {
	app  *app
	File string
	// Site is the new site's name; "" takes the cluster's.
	Site string
	// KnownHosts is a file to take the machines' host keys from; "" asks the machines, and a person.
	KnownHosts string
	Offline    bool
	Yes        bool
}

func newImport(a *app, runF func(context.Context, *importOptions) error) *cobra.Command {
	opts := &importOptions{app: a}
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring a cluster that k0sctl made into the fleet, without changing it",
		Long: `Make an overlay of a k0sctl cluster document (k0sctl.yaml) that means what the document says. No machine is changed, and the
first plan of the new site is empty, as long as the machines are as k0sctl left them.

What the document leaves open is asked of the machines over SSH, one command each: their hostnames, which are their nodes' names; the
private addresses that k0sctl found by itself; and the k0s version, where the document pins none. Before that, their host keys are shown
and confirmed, as by ` + "`kiban hosts trust`" + `, or taken from --known-hosts. With --offline no machine is asked, and the document must
say all of it.

The overlay holds the whole cluster and inherits nothing. "kiban explain docs/first-site.md" says how to move it onto clusters/base, step by
step.`,
		Example: "  kiban import k0sctl.yaml --site tokyo-prod\n  kiban import k0sctl.yaml --known-hosts ~/.ssh/known_hosts --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(cmd, "which file? Name the one that `k0sctl apply --config` takes.")
			}
			opts.File = args[0]
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return importRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Site, "site", "", "the new site's name (default: the cluster's)")
	cmd.Flags().StringVar(&opts.KnownHosts, "known-hosts", "", "take the machines' host keys from this file")
	cmd.Flags().BoolVar(&opts.Offline, "offline", false, "ask no machine; the document must have every hostname and the version")
	cmd.Flags().BoolVarP(&opts.Yes, "yes", "y", false, "do not ask before host keys are trusted")
	return cmd
}

func importRun(ctx context.Context, opts *importOptions) (err error) {
	a := opts.app
	in := scaffold.Import{File: opts.File, Site: opts.Site, KnownHosts: opts.KnownHosts, Offline: opts.Offline}
	if in.Fleet, err = a.fleetDir(); err != nil {
		return err
	}
	if in.Scratch, err = fleets.Scratch("kiban-import-"); err != nil {
		return err
	}
	defer os.RemoveAll(in.Scratch)
	load := func(choices session.LoadOptions) func(context.Context, string, string) (lifecycle.Site, lifecycle.Diagnostics) {
		return func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics) {
			return a.LoadSite(ctx, fleet, name, choices)
		}
	}
	site, err := in.Bring(ctx, scaffold.ImportPorts{
		Provisional: load(session.LoadOptions{UnknownHosts: true, LocalFiles: []string{"/"}}),
		Load:        load(session.LoadOptions{AddressesAsked: !opts.Offline}),
		Trust:       opts.trust,
		Observe:     a.observeOnce,
		Describe:    a.Describe,
		Warn:        a.findings,
	})
	if err != nil {
		return err
	}
	return a.result(fmt.Sprintf("overlays/%s holds the cluster: %s. Nothing was changed on any machine.\nNext: kiban plan %s", site.Name,
		render.SiteSummary(site), site.Name))
}

// observeOnce looks at the machines of a site that no fleet has yet.
func (a *app) observeOnce(ctx context.Context, site lifecycle.Site, fleet string) (lifecycle.State, error) {
	s, err := a.open(site, fleet)
	if err != nil {
		return lifecycle.State{}, err
	}
	defer s.Close()
	return s.Observe(ctx)
}

// trust asks the machines for their host keys, and a person whether they are theirs.
func (opts *importOptions) trust(ctx context.Context, site lifecycle.Site) error {
	a := opts.app
	seen, err := a.HostKeys(ctx, site)
	if err != nil {
		return err
	}
	for i := range seen.Keys {
		if strings.HasPrefix(seen.Keys[i].Host, scaffold.Unnamed) { // nobody knows yet what it is called
			seen.Keys[i].Host = "not known yet"
		}
	}
	review, accept, problems := session.ReviewKeys(seen, site, false)
	if err := problems.Err(); err != nil {
		return err
	}
	if err := render.HostKeys(a.Err, review, a.errStyle()); err != nil {
		return err
	}
	if err := a.confirmWith(ctx, opts.Yes, site.Name,
		"compare the fingerprints with the machines' consoles, then run the command with --yes, or give --known-hosts FILE",
		"Are these the machines' host keys? Only 'yes' is accepted: ", "yes"); err != nil {
		return err
	}
	return a.TrustHosts(site.SSH.KnownHosts, accept)
}
