package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

func importRun(ctx context.Context, opts *importOptions) error {
	a := opts.app
	in, err := opts.open()
	if err != nil {
		return err
	}
	defer os.RemoveAll(in.scratch)
	known, ds := in.cluster.Declared()
	if !opts.Offline {
		known, ds = in.ask(ctx, a)
		ds = in.cluster.Given(ds)
	}
	if err := ds.Err(); err != nil {
		return err
	}
	a.findings(ds)
	site, ds := in.write(ctx, a, known)
	if err := ds.Err(); err != nil {
		return err
	}
	a.findings(ds)
	return a.result(fmt.Sprintf("overlays/%s holds the cluster: %s. Nothing was changed on any machine.\nNext: kiban plan %s", site.Name,
		render.SiteSummary(site), site.Name))
}

// siteImport is a document on its way into a fleet.
type siteImport struct {
	opts    *importOptions
	cluster *scaffold.Cluster
	fleet   string
	name    string
	overlay string
	// from is the document's folder. scratch is a fleet of its own, with the site as far as it is known before any machine is asked.
	from, scratch string
	knownHosts    []byte
}

func (opts *importOptions) open() (*siteImport, error) {
	content, err := os.ReadFile(opts.File)
	if err != nil {
		return nil, lifecycle.Errorf(opts.File, "the document can't be read").From(err)
	}
	in := &siteImport{opts: opts}
	var ds lifecycle.Diagnostics
	if in.cluster, ds = scaffold.Read(opts.File, content); ds.Err() != nil {
		return nil, ds
	}
	opts.app.findings(ds)
	if in.fleet, err = opts.app.fleetDir(); err != nil {
		return nil, err
	}
	if in.fleet, err = filepath.Abs(in.fleet); err != nil {
		return nil, err
	}
	if in.name, err = in.cluster.SiteName(opts.Site); err != nil {
		return nil, err
	}
	if in.overlay, err = scaffold.FreeOverlay(in.fleet, in.name); err != nil {
		return nil, err
	}
	file, err := filepath.Abs(opts.File)
	if err != nil {
		return nil, err
	}
	in.from = filepath.Dir(file)
	if opts.KnownHosts != "" {
		if in.knownHosts, err = os.ReadFile(opts.KnownHosts); err != nil {
			return nil, lifecycle.Errorf(opts.KnownHosts, "the known_hosts file can't be read").From(err)
		}
	}
	if in.scratch, err = fleets.Scratch("kiban-import-"); err != nil {
		return nil, err
	}
	allowed, err := os.ReadFile(filepath.Join(in.fleet, lifecycle.FleetFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(in.scratch, lifecycle.FleetFile), allowed, 0o600)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return in, err
}

// ask learns from the machines what the document leaves open.
func (in *siteImport) ask(ctx context.Context, a *app) (scaffold.Learnt, lifecycle.Diagnostics) {
	site, ds := in.loadScratch(ctx, a)
	if ds.Err() != nil {
		return scaffold.Learnt{}, ds
	}
	if in.knownHosts == nil {
		if err := in.trust(ctx, a, site); err != nil {
			return scaffold.Learnt{}, lifecycle.AsDiagnostics(err, "the host keys could not be learnt")
		}
	}
	c, err := a.open(site, in.fleet)
	if err != nil {
		return scaffold.Learnt{}, lifecycle.AsDiagnostics(err, "the machines can't be asked")
	}
	defer c.Close()
	state, err := c.Observe(ctx)
	if err != nil {
		return scaffold.Learnt{}, lifecycle.AsDiagnostics(err, "the machines can't be asked")
	}
	return in.cluster.Learn(state)
}

// loadScratch reads the site as far as it is known, from the scratch fleet: what kiban refuses in the document shows here, before any
// machine is asked.
func (in *siteImport) loadScratch(ctx context.Context, a *app) (lifecycle.Site, lifecycle.Diagnostics) {
	doc, origin, err := in.cluster.Document(in.cluster.Provisional(), scaffold.Paths{From: in.from})
	if err == nil {
		err = scaffold.MakeOverlay(filepath.Join(in.scratch, "overlays", in.name), in.cluster.ImportedOverlay(in.name, doc, in.knownHosts))
	}
	if err != nil {
		return lifecycle.Site{}, lifecycle.AsDiagnostics(err, "the site can't be read")
	}
	site, ds := a.LoadSite(ctx, in.scratch, in.name, session.LoadOptions{UnknownHosts: true, LocalFiles: []string{"/"}})
	return site, in.origin(origin).Locate(ds)
}

// trust asks the machines for their host keys, and a person whether they are theirs.
func (in *siteImport) trust(ctx context.Context, a *app, site lifecycle.Site) error {
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
	if err := a.confirmWith(ctx, in.opts.Yes, in.name,
		"compare the fingerprints with the machines' consoles, then run the command with --yes, or give --known-hosts FILE",
		"Are these the machines' host keys? Only 'yes' is accepted: ", "yes"); err != nil {
		return err
	}
	if err := a.TrustHosts(site.SSH.KnownHosts, accept); err != nil {
		return err
	}
	in.knownHosts, err = os.ReadFile(site.SSH.KnownHosts)
	return err
}

// write puts the overlay in its place, reads it, and takes it away again if it does not mean what the document says.
func (in *siteImport) write(ctx context.Context, a *app, known scaffold.Learnt) (lifecycle.Site, lifecycle.Diagnostics) {
	doc, origin, err := in.cluster.Document(known, scaffold.Paths{From: in.from, To: in.overlay})
	if err == nil {
		err = scaffold.MakeOverlay(in.overlay, in.cluster.ImportedOverlay(in.name, doc, in.knownHosts))
	}
	if err != nil {
		return lifecycle.Site{}, lifecycle.AsDiagnostics(err, "the overlay can't be written")
	}
	site, ds := a.LoadSite(ctx, in.fleet, in.name, session.LoadOptions{AddressesAsked: !in.opts.Offline})
	if ds.Err() == nil {
		want, found := a.Describe(doc, site.SSH, site.Dir, in.opts.File)
		if ds = append(ds, found.Stopping()...); ds.Err() == nil { // its warnings are told of the overlay, with their lines
			ds = append(ds, in.origin(origin).Same(want, site.Cluster)...)
		}
	}
	if ds.Err() == nil {
		for _, path := range in.cluster.Outside(in.fleet, scaffold.Paths{From: in.from}) {
			ds = append(ds, lifecycle.Warnf("overlays/"+in.name+"/cluster.yaml", "%s is outside of the fleet", path).
				Because("The overlay names it where it is; a pipeline has only what is in the repository.").
				Try("Copy it into overlays/"+in.name+" and change src."))
		}
		return site, ds
	}
	if err := os.RemoveAll(in.overlay); err != nil {
		ds = append(ds, lifecycle.AsDiagnostics(err, "the overlay can't be removed again")...)
	}
	return site, in.origin(origin).Locate(ds)
}

func (in *siteImport) origin(lines map[int]int) scaffold.Origin {
	return scaffold.Origin{Site: in.name, File: in.opts.File, KnownHosts: in.opts.KnownHosts, Lines: lines}
}
