package fleet

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"kiban.dev/kiban/lifecycle"
)

// Comparing reads sites that others are held against. What it read it keeps in a file, under a digest of all that decides it, so that
// sites that did not change are read once, and not again for each change of another one.
type Comparing struct {
	Source
	// Part leaves what is compared of a site.
	Part func(lifecycle.Site) lifecycle.Site
	// Also are files and folders of the fleet that decide for every site what it reads.
	Also []string
	// File is where it keeps that; it may be removed at any time. By names the program that reads: what another one kept is not taken.
	File, By string
	// Log is told, for debugging, why nothing could be kept.
	Log *slog.Logger
}

// Sites are the named sites of a fleet, as far as they can be read, and the names of those that can't be. The error is that of an
// interrupt.
func (c Comparing) Sites(ctx context.Context, fleet string, names []string) (sites []lifecycle.Site, unread []string, err error) {
	before, now := readCompared(c.File), make([]compared, len(names))
	files := c.contents(fleet)
	valid := make([]bool, len(names))
	err = AtOnce(ctx, len(names), runtime.GOMAXPROCS(0), func(i int) {
		was, kept := before[names[i]]
		if valid[i] = kept && was.Digest == files.digest(was.Reads); valid[i] {
			now[i] = was
			return
		}
		now[i], valid[i] = c.read(ctx, fleet, names[i], files)
	})
	if err != nil {
		return nil, nil, err
	}
	changed := false
	for i, name := range names {
		if !valid[i] {
			unread = append(unread, name)
			continue
		}
		site := now[i].Site
		site.Dir = filepath.Join(fleet, filepath.FromSlash(site.Dir)) // the fleet may lie elsewhere than it did
		sites = append(sites, site)
		changed = changed || now[i].Digest != before[name].Digest
	}
	if changed {
		if err := keepCompared(c.File, now); err != nil {
			c.Log.Debug("what was read of sites to compare them can't be kept", "file", c.File, "error", err)
		}
	}
	return sites, unread, nil
}

// read reads a site. It has a digest where it is known what decides it.
func (c Comparing) read(ctx context.Context, fleet, name string, files *contents) (compared, bool) {
	reads, told := c.Reads(fleet, name)
	digest := ""
	if told {
		digest = files.digest(reads) // before it is read: what changes meanwhile is not taken for what was read
	}
	site, ds := c.Load(ctx, fleet, name, "")
	if ds.Err() != nil {
		return compared{}, false
	}
	site = c.Part(site)
	if dir, err := filepath.Rel(fleet, site.Dir); err == nil {
		site.Dir = filepath.ToSlash(dir)
	}
	return compared{Name: name, Reads: reads, Digest: digest, Site: site}, true
}

// Known is Reads, which parses what it did not keep of a site.
func (c Comparing) Known(fleet string) func(fleet, name string) ([]string, bool) {
	before, files := readCompared(c.File), c.contents(fleet)
	return func(of, name string) ([]string, bool) {
		if was, kept := before[name]; kept && of == fleet && was.Digest == files.digest(was.Reads) {
			return was.Reads, true
		}
		return c.Reads(of, name)
	}
}

func (c Comparing) contents(fleet string) *contents {
	return &contents{fleet: fleet, by: c.By, also: c.Also}
}

// contents digests files and folders of a fleet, each once: sites share their bases. Its methods may be called at once.
type contents struct {
	fleet, by string
	also      []string
	known     sync.Map // of a path, what gives its digest
}

// digest is that of all that lies at or below the paths, which are relative to the fleet, and of what decides all sites; "" where it
// can't be had.
func (c *contents) digest(paths []string) string {
	all := sha256.New()
	fmt.Fprintln(all, c.by)
	for _, path := range slices.Concat(c.also, paths) {
		once, _ := c.known.LoadOrStore(path, sync.OnceValue(func() string { return digestBelow(filepath.Join(c.fleet, path)) }))
		one := once.(func() string)()
		if one == "" {
			return ""
		}
		fmt.Fprintf(all, "%q %s\n", path, one)
	}
	return lifecycle.DigestOf(all)
}

// digestBelow is the digest of a file, or of the names and contents of all below a folder; of nothing where nothing is. "" where it
// can't be read.
func digestBelow(path string) string {
	files, err := filesBelow(path)
	if err != nil {
		return ""
	}
	all := sha256.New()
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			return ""
		}
		fmt.Fprintf(all, "%q %d\n", name, len(content))
		all.Write(content)
	}
	return lifecycle.DigestOf(all)
}
