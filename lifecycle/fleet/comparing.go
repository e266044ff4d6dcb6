package fleet

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"kiban.dev/kiban/lifecycle"
)

// Comparing reads sites that others are held against. What it read it keeps in a file, under a digest of all that decides it, so that
// sites that did not change are read once, and not again for each change of another one. It serves one verb.
type Comparing struct {
	Source
	// Part leaves what is compared of a site.
	Part func(lifecycle.Site) lifecycle.Site
	// File is where it keeps that; it may be removed at any time. By names the program that reads: what another one kept is not taken.
	File, By string
	// Log is told, for debugging, why nothing could be kept.
	Log *slog.Logger

	once sync.Once
	kept map[string]compared
}

// before is what was kept, which is read once.
func (c *Comparing) before() map[string]compared {
	c.once.Do(func() {
		c.kept = readCompared(c.File)
		if c.Work == nil {
			c.Work = new(Work)
		}
	})
	return c.kept
}

// Sites are the named sites of a fleet, as far as they can be read, and the names of those that can't be. The error is that of an
// interrupt.
func (c *Comparing) Sites(ctx context.Context, fleet string, names []string) (sites []lifecycle.Site, unread []string, err error) {
	before, now := c.before(), make([]compared, len(names))
	files := c.files(fleet)
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
	again := c.files(fleet)
	again.work = new(Work)
	changed := false
	for i, name := range names {
		if !valid[i] {
			unread = append(unread, name)
			continue
		}
		site := now[i].Site
		site.Dir = filepath.Join(fleet, filepath.FromSlash(site.Dir)) // the fleet may lie elsewhere than it did
		sites = append(sites, site)
		if now[i].Digest == before[name].Digest {
			continue
		}
		if changed = true; again.digest(now[i].Reads) != now[i].Digest {
			now[i].Digest = "" // it changed while it was read: which content is what was read of, nobody knows
		}
	}
	if changed {
		if err := keepCompared(c.File, now); err != nil {
			c.Log.Debug("what was read of sites to compare them can't be kept", "file", c.File, "error", err)
		}
	}
	return sites, unread, nil
}

// read reads a site. It has a digest where it is known what decides it.
func (c *Comparing) read(ctx context.Context, fleet, name string, files digests) (compared, bool) {
	reads, told := c.Reads(fleet, name)
	digest := ""
	if told {
		digest = files.digest(reads)
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

// Changed is Source.Changed, which takes from what was kept of which files a site is made.
func (c *Comparing) Changed(ctx context.Context, fleet, since string) (List, lifecycle.Diagnostics, error) {
	before, files, by := c.before(), c.files(fleet), c.Source
	by.Reads = func(of, name string) ([]string, bool) {
		if was, kept := before[name]; kept && of == fleet && was.Digest == files.digest(was.Reads) {
			return was.Reads, true
		}
		return c.Reads(of, name)
	}
	return by.Changed(ctx, fleet, since)
}

func (c *Comparing) files(fleet string) digests {
	return digests{fleet: fleet, by: c.By, also: c.Also, work: c.Work, blob: c.Blob}
}

// digests are those of files and folders of a fleet.
type digests struct {
	fleet, by string
	also      []string
	work      *Work
	blob      func([]byte) string
}

// digest is that of all that lies at or below the paths, which are relative to the fleet, and of what decides all sites; "" where it
// can't be had.
func (d digests) digest(paths []string) string {
	all := sha256.New()
	fmt.Fprintln(all, d.by)
	for _, path := range slices.Concat(d.also, paths) {
		one := d.work.at(filepath.Join(d.fleet, path), d.blob)
		if one.err != nil {
			return ""
		}
		fmt.Fprintf(all, "%q %s\n", path, one.digest)
	}
	return lifecycle.DigestOf(all)
}
