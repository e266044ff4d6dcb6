package k0s

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Missing finds that the site's source does not have a version, or no checksum of it that a run could go by, where the source can be
// reached as it is declared and says so itself. Any doubt, such as a server that does not answer from here, is false: a fetch will tell.
// A binary that is here already is not looked for.
func (s *Session) Missing(ctx context.Context, v lifecycle.Version, arch string) (lifecycle.Diagnostic, bool) {
	src := newSource(s.site, v, arch)
	dir, err := s.cacheDir()
	if err != nil || s.opts.Offline || v.IsZero() || arch == "" {
		return lifecycle.Diagnostic{}, false
	}
	const untouched = "No machine would be touched: the run would stop before it disturbs anything."
	if _, err := os.Stat(filepath.Join(dir, v.String(), src.name)); err != nil {
		if folder := aboveTemplate(s.site); !isURL(src.url) && !isDir(folder) {
			return lifecycle.Warnf(s.site.Name, "the mirror of k0s is not on this computer").
				Because(folder + " is not there. " + untouched).
				Try("Correct spec.binaries.url of the Site, or run kiban where the mirror is.").
				Hiding(lifecycle.ErrNotHere), true
		}
		if absent(ctx, src.url) {
			return lifecycle.Warnf(s.site.Name, "the source of k0s has no %s for %s", v, arch).
				Because(src.url + " is not there. " + untouched).
				Try("Declare a version that is released, or put this one into the mirror (spec.binaries of the Site)."), true
		}
	}
	if want, err := pinned(s.site, v, arch); err != nil || want != "" {
		return lifecycle.Diagnostic{}, false
	}
	sums, err := publishedSums(ctx, src)
	if err == nil && sums[src.name] != "" || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return lifecycle.Diagnostic{}, false
	}
	why := src.checksums + " has no line for it. "
	if err != nil {
		why = src.checksums + " is not there. "
	}
	return lifecycle.Warnf(s.site.Name, "the source of k0s has no checksum of %s for %s", v, arch).
		Because(why + untouched).
		Try("Correct spec.binaries.checksums of the Site, or pin it: kiban pin " + s.site.Name), true
}

// absent reports that a place says itself that it has not what is looked for.
func absent(ctx context.Context, where string) bool {
	r, err := open(ctx, where)
	if err == nil {
		r.Close()
	}
	return errors.Is(err, fs.ErrNotExist)
}

// aboveTemplate is the folder of a local mirror that is there whatever versions it has.
func aboveTemplate(site lifecycle.Site) string {
	before, _, _ := strings.Cut(strings.TrimPrefix(site.Binary.URL, "file://"), "{")
	return filepath.Dir(absolute(site.Dir, before+"x"))
}
