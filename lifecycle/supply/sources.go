package supply

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// Charts is where charts and manifests come from.
type Charts interface {
	// ChartFiles and ManifestFiles give a file's digest, and the files by name that a bundle keeps so that a store finds it there.
	ChartFiles(ctx context.Context, dir string, c lifecycle.Chart, pins *lifecycle.Pins) (digest string, files map[string][]byte, err error)
	ManifestFiles(ctx context.Context, dir, url string, pins *lifecycle.Pins) (digest string, files map[string][]byte, err error)
	// Render says what an addon is, without a cluster.
	Render(ctx context.Context, site lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities) (lifecycle.Rendering, error)
}

// Binaries is where builds of k0s come from.
type Binaries interface {
	// Checksums are those of a version's binaries by architecture, "sha256:<hex>", as the site's source publishes them.
	Checksums(ctx context.Context, site lifecycle.Site, v lifecycle.Version) (map[string]string, error)
	// Fetch gives the file of a binary, fetched into dir unless it is there, and its checksum.
	Fetch(ctx context.Context, site lifecycle.Site, v lifecycle.Version, arch, dir string, progress func(string)) (file, digest string,
		err error)
}

// Sources are where all that a site is made of comes from.
type Sources struct {
	Charts   Charts
	Binaries Binaries
}
