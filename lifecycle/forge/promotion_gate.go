package forge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/promotion"
)

// Gate holds each version that a site's plan brings against the sites that must have run it first.
type Gate struct {
	// Dir is a folder with what sites keep of how long they ran their versions; "" asks each of them.
	Dir string
	// Brings are the versions that the site's plan brings, and how long the site has run its own. Soak asks a site that is waited for.
	Brings func(ctx context.Context) ([]lifecycle.SoakVersion, lifecycle.Soak, error)
	Soak   func(ctx context.Context, site string) (lifecycle.Soak, error)
	// Warn shows why a site could not be asked, and Note says which one is.
	Warn func(lifecycle.Diagnostics)
	Note func(format string, args ...any)
}

// Judge says of each version in words how it stands. The error says what keeps the site from taking one; as of now.
func (g Gate) Judge(ctx context.Context, site lifecycle.Site, now time.Time) (words []string, err error) {
	if len(site.Promotion.From) == 0 {
		return []string{site.Name + " waits for no other site."}, nil
	}
	g.Note("Looking at %s.", site.Name)
	brought, own, err := g.Brings(ctx)
	if err != nil {
		return nil, err
	}
	if len(brought) == 0 {
		return []string{fmt.Sprintf("The plan of %s brings no other version of k0s or of a chart: nothing has to be waited for.", site.Name)}, nil
	}
	soaks := map[string]lifecycle.Soak{site.Name: own}
	var filed []string
	if slices.ContainsFunc(brought, func(v lifecycle.SoakVersion) bool { return !promotion.Had(own, v) }) {
		if filed, err = g.evidence(ctx, site.Promotion.From, soaks); err != nil {
			return nil, err
		}
	}
	promoted := promotion.Judge(site.Promotion, site.Name, brought, soaks, now)
	for _, p := range promoted {
		words = append(words, fmt.Sprintf("%s: %s", promotion.Word(p.State), p.Reason))
	}
	return words, promotion.Findings(site, promoted, filed).Err()
}

// evidence finds out how the sites stand that are waited for: by their files in the folder, or by asking them. One that can't be asked is
// not known, which is no error: the verdict says so. filed are those of which a file told.
func (g Gate) evidence(ctx context.Context, from []string, soaks map[string]lifecycle.Soak) (filed []string, err error) {
	for _, name := range from {
		soak, err := ReadSoak(g.Dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			g.Note("Looking at %s, which must have run it first.", name)
			if soak, err = g.Soak(ctx, name); ctx.Err() != nil {
				return nil, err
			}
			if err != nil {
				g.Warn(lifecycle.AsDiagnostics(err, name+" could not be looked at"))
				continue
			}
		case err != nil:
			return nil, lifecycle.Errorf(filepath.Join(g.Dir, name+".json"), "how long %s has run its versions can't be read", name).From(err).
				Try("Retry the job soak:" + name + ".")
		default:
			filed = append(filed, name)
		}
		soaks[name] = soak
	}
	return filed, nil
}
