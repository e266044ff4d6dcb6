package supply

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// BundleOptions are the choices of whoever makes a bundle.
type BundleOptions struct {
	// File is where the bundle is written.
	File string
	// Arch are the architectures of the site's machines.
	Arch []string
	// CacheDir is where fetched binaries of k0s are kept.
	CacheDir string
	// Progress is told what is being fetched.
	Progress func(string)
}

// Packed is a bundle that was made.
type Packed struct {
	// Charts, Manifests and Binaries are how many it holds; Images how many it lists.
	Charts, Manifests, Binaries, Images int
	// Size is the file's, in bytes; Digest is "sha256:<hex>" of it.
	Size   int64
	Digest string
}

// MakeBundle packs all that a site's lock file names into one file, which is there whole or not at all.
func MakeBundle(ctx context.Context, site lifecycle.Site, from Sources, opts BundleOptions) (Packed, error) {
	if site.Pins == nil {
		return Packed{}, lifecycle.Errorf(site.Name, "a site without %s cannot be bundled", lifecycle.PinsFile).
			Because("Nothing says what its versions stand for, so nothing could be held against it where the bundle is used.").
			Try("kiban pin " + site.Name)
	}
	opts.Arch = slices.Compact(slices.Sorted(slices.Values(opts.Arch)))
	g := gatherer{site: site, from: from, opts: opts}
	if err := g.gather(ctx); err != nil {
		return Packed{}, err
	}
	g.packed.Charts, g.packed.Manifests = len(g.index.Pins.Charts), len(g.index.Pins.Manifests)
	var err error
	g.packed.Size, g.packed.Digest, err = writeWhole(opts.File, func(w io.Writer) error { return writeArchive(w, g.index, g.contents) })
	return g.packed, err
}

// gatherer gathers what goes into a bundle.
type gatherer struct {
	site lifecycle.Site
	from Sources
	opts BundleOptions

	index    Index
	contents []content
	packed   Packed
}

// gather gets all that the site's lock file names, and holds it against it. What lies in the repository is not packed: it comes with the
// repository.
func (g *gatherer) gather(ctx context.Context) error {
	g.index = Index{Site: g.site.Name}
	needs := NeedsOf(g.site)
	for _, c := range needs.Charts {
		if !Remote(c.Repo) {
			continue
		}
		g.opts.Progress(fmt.Sprintf("Getting chart %s %s.", c.Name, c.Version))
		digest, files, err := g.from.Charts.ChartFiles(ctx, g.site.Dir, c, g.site.Pins)
		if err != nil {
			return err
		}
		g.index.Pins.Charts = append(g.index.Pins.Charts, lifecycle.ChartPin{Repo: c.Repo, Name: c.Name, Version: c.Version, Digest: digest})
		g.add(files)
	}
	for _, url := range needs.Manifests {
		g.opts.Progress(fmt.Sprintf("Getting %s.", url))
		digest, files, err := g.from.Charts.ManifestFiles(ctx, g.site.Dir, url, g.site.Pins)
		if err != nil {
			return err
		}
		g.index.Pins.Manifests = append(g.index.Pins.Manifests, lifecycle.ManifestPin{URL: url, Digest: digest})
		g.add(files)
	}
	if err := g.gatherK0s(ctx, needs.Versions); err != nil {
		return err
	}
	return g.listImages(ctx)
}

func (g *gatherer) gatherK0s(ctx context.Context, versions []lifecycle.Version) error {
	if len(versions) > 0 {
		g.index.Arch, g.index.Pins.K0s = g.opts.Arch, map[string]string{}
	}
	for _, v := range versions {
		for _, arch := range g.opts.Arch {
			g.opts.Progress(fmt.Sprintf("Getting k0s %s for %s.", v, arch))
			file, digest, err := g.from.Binaries.Fetch(ctx, g.site, v, arch, g.opts.CacheDir, func(what string) { g.opts.Progress("  " + what) })
			if err != nil {
				return err
			}
			binary, err := onDisk(k0sPath(v, arch), file, digest)
			if err != nil {
				return err
			}
			g.index.Pins.K0s[v.String()+"/"+arch] = digest
			g.contents = append(g.contents, binary)
			g.packed.Binaries++
			if g.site.Fleet.K0sSigningKey == "" {
				continue
			}
			signature, err := os.ReadFile(file + lifecycle.K0sSignatureSuffix) // it was fetched, and verified, with the binary
			if err != nil {
				return err
			}
			g.contents = append(g.contents, inMemory(k0sPath(v, arch)+lifecycle.K0sSignatureSuffix, signature))
		}
	}
	return nil
}

// listImages renders every addon for what it runs.
func (g *gatherer) listImages(ctx context.Context) error {
	var images []string
	for _, a := range g.site.Addons {
		r, err := g.from.Charts.Render(ctx, g.site, a, g.site.Capabilities())
		if err != nil {
			return err
		}
		images = append(images, r.Images...)
	}
	list := imageList(images)
	g.packed.Images = bytes.Count(list, []byte("\n"))
	g.contents = append(g.contents, inMemory(ImagesName, list))
	return nil
}

func (g *gatherer) add(files map[string][]byte) {
	for name, b := range files {
		g.contents = append(g.contents, inMemory(name, b))
	}
}
