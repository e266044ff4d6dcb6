package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bundle"
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
		Use:   "bundle SITE -o FILE",
		Short: "Pack what a site is made of into one file, for a place without network",
		Long: `Pack the charts, manifests and k0s binaries that a site's lock file names into one file, with the list of container images that its addons name.
Carry it and the repository to where the site is; there, "kiban plan" and "kiban apply" with --bundle ask no network but the site's own.
Images are listed, not packed: a registry at the site has to have them. k0s's own are listed by "k0s airgap list-images".`,
		Example:           "  kiban bundle tokyo-prod -o tokyo-prod.bundle\n  kiban apply tokyo-prod --bundle tokyo-prod.bundle",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, err = a.oneSite(cmd, args); err != nil {
				return err
			}
			if opts.Out == "" {
				return usage(cmd, "where to? -o names the bundle's file")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return bundleRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVarP(&opts.Out, "output", "o", "", "the bundle's file")
	cmd.Flags().StringSliceVar(&opts.Arch, "arch", []string{"amd64"}, "architectures of the site's machines: amd64, arm64, arm")
	return cmd
}

func bundleRun(ctx context.Context, opts *bundleOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	if site.Pins == nil {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "a site without " + lifecycle.PinsFile + " cannot be bundled",
			Detail: "Nothing says what its versions stand for, so nothing could be held against it where the bundle is used.", Hint: "kiban lock " + site.Name}
	}
	p := packing{app: a, site: site, fleet: fleet, store: a.store(fleet, storeOptions{}), arch: slices.Compact(slices.Sorted(slices.Values(opts.Arch)))}
	if err := p.gather(ctx); err != nil {
		return err
	}
	size, digest, err := writeBundle(opts.Out, func(w io.Writer) error { return bundle.Write(w, p.index, p.contents) })
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "%s: %s, %s, %s of k0s, %s listed; %.1f MB, %s\n", opts.Out, lifecycle.Count(len(p.index.Pins.Charts), "chart"),
		lifecycle.Count(len(p.index.Pins.Manifests), "manifest"), lifecycle.Count(p.binaries, "build"), lifecycle.Count(p.listed, "image"), float64(size)/1e6, digest)
	a.note("The images are not in it: a registry at the site has to have those of %s, and those that `k0s airgap list-images` names.", bundle.ImagesName)
	return nil
}

// writeBundle writes a file whole or not at all, and gives its size and digest.
func writeBundle(file string, write func(io.Writer) error) (int64, string, error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".bundle-*")
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when it was renamed
	sum := sha256.New()
	counted := &counter{w: io.MultiWriter(tmp, sum)}
	err = write(counted)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return 0, "", err
	}
	return counted.n, "sha256:" + hex.EncodeToString(sum.Sum(nil)), os.Rename(tmp.Name(), file)
}

// counter counts what it passes on.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
