package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

type renderOptions struct {
	app    *app
	output output
	Site   string
	// Out is a folder for a file of each site; "" prints one.
	Out string
	// Sites are those that it gets.
	Sites []string
	selection
	// For is another tool that the result is for; "" prints what the overlay merges to.
	For string
}

func newRender(a *app, runF func(context.Context, *renderOptions) error) *cobra.Command {
	opts := &renderOptions{app: a}
	cmd := &cobra.Command{
		Use:   "render SITE | [SITE...] --out DIR",
		Short: "Print the documents that a site's overlay merges to",
		Long: `Print the documents that a site's overlay merges to, as kustomize builds them: what every other verb reads.
"kustomize build overlays/SITE" prints the same.

With --for k0sctl it is the one document that the stock k0sctl takes, with the Site's SSH defaults written out and files named by their
absolute paths, and a mirror of k0s as k0sDownloadURL: nobody is locked in.

With --out each site, or each of those that are named or selected, gets a file DIR/SITE.yaml. A site that can't be built keeps the file
that it had; what else is in the folder stays there.`,
		Example: "  kiban render tokyo-prod\n  kiban render tokyo-prod > before.yaml\n  kiban render --out rendered\n" +
			"  kiban render tokyo-prod --for k0sctl > k0sctl.yaml",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.For != "" && opts.For != "k0sctl" {
				return usage(cmd, "--for "+opts.For+" is no tool that kiban writes for; it has k0sctl")
			}
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			return opts.run(cmd, args, runF)
		},
	}
	addOutput(cmd, &opts.output, "yaml")
	cmd.Flags().StringVar(&opts.Out, "out", "", "a folder in which each site gets a file, SITE.yaml")
	opts.selection.flag(cmd)
	cmd.Flags().StringVar(&opts.For, "for", "", "print it for another tool: k0sctl")
	return cmd
}

// run finds out which sites are meant.
func (opts *renderOptions) run(cmd *cobra.Command, args []string, runF func(context.Context, *renderOptions) error) (err error) {
	a, run := opts.app, renderRun
	switch {
	case opts.Out != "" && opts.For != "":
		return usage(cmd, "either --out or --for, not both")
	case opts.Out != "":
		run = renderAll
		opts.Sites, err = a.namedOr(cmd, args, &opts.selection, a.everySite)
	case cmd.Flags().Changed("selector"):
		return usage(cmd, "where are the sites to be written? --selector goes with --out DIR")
	default:
		opts.Site, err = a.oneSite(cmd, args)
	}
	if err != nil {
		return err
	}
	if runF != nil {
		run = runF
	}
	return run(cmd.Context(), opts)
}

func renderRun(ctx context.Context, opts *renderOptions) error {
	if opts.For != "" {
		return renderStock(ctx, opts)
	}
	fleet, err := opts.app.fleetDir()
	if err != nil {
		return err
	}
	docs, ds := opts.app.RenderSite(ctx, fleet, opts.Site)
	if err := ds.Err(); err != nil {
		return err
	}
	opts.app.findings(ds)
	_, err = opts.app.data.Write(docs)
	return err
}

// renderStock prints the document for the stock k0sctl, and says what it can't hold.
func renderStock(ctx context.Context, opts *renderOptions) error {
	a := opts.app
	site, _, err := a.loadMachines(ctx, opts.Site)
	if err != nil {
		return err
	}
	doc, err := a.StockDocument(site)
	if err != nil {
		return err
	}
	a.note("k0sctl checks host keys against another file unless told: SSH_KNOWN_HOSTS=%s k0sctl apply --config FILE", site.SSH.KnownHosts)
	if url := site.Binary.URL; url != "" && !strings.Contains(url, "://") {
		a.note("k0sctl fetches k0s from its releases: the folder that the Site names (%s) is none that it could use.", url)
	}
	if len(site.Addons)+len(site.Tenants) > 0 {
		a.note("Addons and tenants are not in it: k0sctl knows the machines and k0s, and nothing of what runs on them.")
	}
	_, err = a.data.Write(doc)
	return err
}
