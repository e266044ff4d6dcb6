package main

import (
	"bytes"
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bundle"
)

// packing is a bundle in the making.
type packing struct {
	app   *app
	site  lifecycle.Site
	fleet string
	store chartStore
	arch  []string

	index    bundle.Index
	contents []bundle.Content
	// binaries and listed are how many builds of k0s it holds, and images it lists.
	binaries, listed int
}

// gather gets all that the site's lock file names, and holds it against it. What lies in the repository is not packed: it comes with the
// repository.
func (p *packing) gather(ctx context.Context) error {
	p.index = bundle.Index{Site: p.site.Name}
	needs := bundle.NeedsOf(p.site)
	for _, c := range needs.Charts {
		if !bundle.Remote(c.Repo) {
			continue
		}
		p.app.note("Getting chart %s %s.", c.Name, c.Version)
		digest, files, err := p.store.Chart(ctx, p.site.Dir, c, p.site.Pins)
		if err != nil {
			return err
		}
		p.index.Pins.Charts = append(p.index.Pins.Charts, lifecycle.ChartPin{Repo: c.Repo, Name: c.Name, Version: c.Version, Digest: digest})
		p.add(files)
	}
	for _, url := range needs.Manifests {
		p.app.note("Getting %s.", url)
		digest, files, err := p.store.Manifest(ctx, p.site.Dir, url, p.site.Pins)
		if err != nil {
			return err
		}
		p.index.Pins.Manifests = append(p.index.Pins.Manifests, lifecycle.ManifestPin{URL: url, Digest: digest})
		p.add(files)
	}
	if err := p.gatherK0s(ctx, needs.Versions); err != nil {
		return err
	}
	return p.listImages(ctx)
}

func (p *packing) gatherK0s(ctx context.Context, versions []lifecycle.Version) error {
	if len(versions) > 0 {
		p.index.Arch, p.index.Pins.K0s = p.arch, map[string]string{}
	}
	for _, v := range versions {
		for _, arch := range p.arch {
			p.app.note("Getting k0s %s for %s.", v, arch)
			file, digest, err := p.app.FetchK0s(ctx, p.site, v, arch, cacheDir(p.fleet), func(what string) { p.app.note("  %s", what) })
			if err != nil {
				return err
			}
			content, err := bundle.OfFile(bundle.K0sPath(v, arch), file, digest)
			if err != nil {
				return err
			}
			p.index.Pins.K0s[v.String()+"/"+arch] = digest
			p.contents = append(p.contents, content)
			p.binaries++
		}
	}
	return nil
}

// listImages renders every addon for what it runs.
func (p *packing) listImages(ctx context.Context) error {
	var images []string
	for _, a := range p.site.Addons {
		r, err := p.store.Render(ctx, p.site, a, capabilities(p.site))
		if err != nil {
			return err
		}
		images = append(images, r.Images...)
	}
	list := bundle.Images(images)
	p.listed = bytes.Count(list, []byte("\n"))
	p.contents = append(p.contents, bundle.Bytes(bundle.ImagesName, list))
	return nil
}

func (p *packing) add(files map[string][]byte) {
	for name, content := range files {
		p.contents = append(p.contents, bundle.Bytes(name, content))
	}
}
