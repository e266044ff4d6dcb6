package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

type bundleOptions struct {
	app  *app
	Site string
	// Out is the bundle's file.
	Out string
	// Arch are the architectures of the site's machines.
	Arch []string
}

func newBundle(a *app, runF func(context.Context, *bundleOptions) error) *cobra.Command {
	opts := &bundleOptions{app: a}
	cmd := &cobra.Command{
		Use:   "bundle SITE --out FILE",
		Short: "Pack what a site is made of into one file, for a place without network",
		Long: `Pack the charts, manifests and k0s binaries that a site's lock file names into one file, with the list of container images that
its addons name. Carry it and the repository to where the site is; there, "kiban plan" and "kiban apply" with --bundle ask no network but
the site's own. Images are listed, not packed: a registry at the site has to have them. k0s's own are listed by "k0s airgap list-images".`,
		Example:           "  kiban bundle tokyo-prod --out tokyo-prod.bundle\n  kiban apply tokyo-prod --bundle tokyo-prod.bundle",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, err = a.oneSite(cmd, args); err != nil {
				return err
			}
			if cmd.Flags().Changed("output") {
				a.note("-o goes on working here, and is a format elsewhere: the file is --out now.")
			}
			if opts.Out == "" {
				return usage(cmd, "where to? --out names the bundle's file")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return bundleRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Out, "out", "", "the bundle's file")
	cmd.Flags().StringVarP(&opts.Out, "output", "o", "", "the bundle's file")
	_ = cmd.Flags().MarkHidden("output") // the only error is a flag of another name
	cmd.Flags().StringSliceVar(&opts.Arch, "arch", []string{"amd64"}, "architectures of the site's machines: amd64, arm64, arm")
	return cmd
}

func bundleRun(ctx context.Context, opts *bundleOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	packed, err := supply.MakeBundle(ctx, site, a.sources(fleet, storeOptions{}), supply.BundleOptions{
		File: opts.Out, Arch: opts.Arch, CacheDir: session.CacheDir(fleet), Progress: func(what string) { a.note("%s", what) }})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "%s: %s, %s, %s of k0s, %s listed; %.1f MB, %s\n", opts.Out, lifecycle.Count(packed.Charts, "chart"),
		lifecycle.Count(packed.Manifests, "manifest"),
		lifecycle.Count(packed.Binaries, "build"), lifecycle.Count(packed.Images, "image"), float64(packed.Size)/1e6, packed.Digest)
	a.note("The images are not in it: a registry at the site has to have those of %s, and those that `k0s airgap list-images` names.",
		supply.ImagesName)
	return nil
}
