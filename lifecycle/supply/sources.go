package supply

import (
	"cmp"
	"context"
	"fmt"
	"time"

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
	// Say is told what is asked for next. Nil: nobody is told.
	Say func(what string)
	// Within is how long one may take to answer; 0 is a minute.
	Within time.Duration
}

// askWithin bounds how long one source may take to answer: without network, some never do.
const askWithin = time.Minute

// asking tells of what is asked for, and bounds it.
func (s Sources) asking(ctx context.Context, what string) (context.Context, context.CancelFunc) {
	if s.Say != nil {
		s.Say(what)
	}
	return context.WithTimeoutCause(ctx, s.within(), fmt.Errorf("it did not answer within %s", s.within()))
}

func (s Sources) within() time.Duration { return cmp.Or(s.Within, askWithin) }
