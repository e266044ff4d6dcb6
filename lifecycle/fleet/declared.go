package fleet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/diff"
)

// Source reads fleets and their sites.
type Source struct {
	// Load reads a site to compare it, not to apply it. beside is the fleet that a revision was read from, "" for a work tree.
	Load func(ctx context.Context, fleet, name, beside string) (lifecycle.Site, lifecycle.Diagnostics)
	List func(fleet string) ([]string, error)
	// Open opens the repository of a fleet, and gives what reads a revision of it.
	Open func(fleet string) (at func(revision string) (Snapshot, error), err error)
	// Blob is what git calls a content. IsSite reports whether a folder of overlays/ that has files of these names is a site.
	Blob   func(content []byte) string
	IsSite func(files []string) bool
	// Inputs are the digests of the files that a site reads; Reads the files and folders that decide what it declares, false when only
	// building it would tell.
	Inputs func(site lifecycle.Site) (map[string]string, error)
	Reads  func(fleet, name string) ([]string, bool)
	// Also are files and folders of the fleet that decide for every site what it reads.
	Also []string
	// Work reads the files of the work tree, once for all that one verb asks. Nil: once for each question.
	Work *Work
}

// Declared is a fleet as a revision of its repository declares it, or as its work tree does.
type Declared struct {
	source Source
	// Revision is the commit's full name; "" is the work tree.
	Revision string
	dir      string
	beside   string
	names    []string
	has      map[string]bool
	// past is where it is read from, of a revision of which nothing is in dir.
	past *past
}

// Now is a fleet as its work tree declares it.
func (s Source) Now(fleet string) (Declared, error) { return s.named(Declared{source: s, dir: fleet}) }

// Past is a fleet as a folder has it that a revision was written into; beside is the fleet that it was read from.
func (s Source) Past(folder, beside, revision string) (Declared, error) {
	return s.named(Declared{source: s, dir: folder, beside: beside, Revision: revision})
}

// At makes a fleet at a revision ready to be read. done takes away what was written for it.
func (s Source) At(fleet, revision string) (d Declared, done func() error, err error) {
	at, err := s.Open(fleet)
	if err != nil {
		return d, func() error { return nil }, err
	}
	return s.at(at, fleet, revision)
}

func (s Source) at(open func(string) (Snapshot, error), fleet, revision string) (d Declared, done func() error, err error) {
	done = func() error { return nil }
	of, err := open(revision)
	if err != nil {
		return d, done, err
	}
	beside, err := s.worktree(fleet)
	if err != nil {
		return d, done, err
	}
	p := newPast(of, beside, s)
	names, err := p.names()
	return declare(Declared{source: s, beside: fleet, Revision: of.Revision(), names: names, past: p}), p.clear, err
}

// worktree is the side of a fleet's work tree.
func (s Source) worktree(fleet string) (worktree, error) {
	dir, err := filepath.Abs(fleet)
	work := s.Work
	if work == nil {
		work = new(Work)
	}
	return worktree{dir: dir, work: work, blob: s.Blob}, err
}

func declare(d Declared) Declared {
	d.has = make(map[string]bool, len(d.names))
	for _, name := range d.names {
		d.has[name] = true
	}
	return d
}

func (s Source) named(d Declared) (_ Declared, err error) {
	if d.names, err = s.List(d.dir); d.Revision != "" && errors.As(err, new(lifecycle.Diagnostic)) {
		err = nil // there was no site yet, or a folder that was none: what is past can't be mended
	}
	return declare(d), err
}

// side is what it is compared by with another one.
func (d Declared) side() (side, error) {
	if d.past != nil {
		return d.past, nil
	}
	return d.source.worktree(d.dir)
}

// reads are the files and folders that decide what it declares of a site, false when only building it would tell.
func (d Declared) reads(name string) ([]string, bool) {
	if d.past != nil {
		return d.past.made(name)
	}
	return d.source.Reads(d.dir, name)
}

// Prepare has what sites are read from at hand, so that Read fails of no site for the want of it. Those that it does not declare are
// passed over.
func (d Declared) Prepare(names ...string) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !d.has[name] })
	if d.past == nil || len(names) == 0 {
		return nil
	}
	return d.past.prepare(names...)
}

// Known refuses the name of a site that a fleet does not have. One that can't be read is known.
func (s Source) Known(ctx context.Context, fleet, name string) error {
	names, err := s.List(fleet)
	if err != nil || slices.Contains(names, name) {
		return err
	}
	_, ds := s.Load(ctx, fleet, name, "")
	return ds.Err()
}

// Readable are a fleet's sites that can be read.
func (s Source) Readable(ctx context.Context, fleet string) []lifecycle.Site {
	names, err := s.List(fleet)
	if err != nil {
		return nil
	}
	var out []lifecycle.Site
	for _, name := range names {
		if site, ds := s.Load(ctx, fleet, name, ""); ds.Err() == nil {
			out = append(out, site)
		}
	}
	return out
}

// Names are those of the sites.
func (d Declared) Names() []string { return d.names }

// Has reports whether the site is declared.
func (d Declared) Has(site string) bool { return d.has[site] }

// Read reads one site, to be compared with itself at another time.
func (d Declared) Read(ctx context.Context, name string) (diff.Declaration, lifecycle.Diagnostics) {
	dir := d.dir
	if d.past != nil {
		err := d.Prepare(name)
		if err == nil {
			err = d.past.prepare() // one that it does not declare is looked for all the same
		}
		if err != nil {
			return diff.Declaration{}, lifecycle.AsDiagnostics(err, "what a revision declared can't be read")
		}
		dir = d.past.folder()
	}
	site, ds := d.source.Load(ctx, dir, name, d.beside)
	var files map[string]string
	if ds.Err() == nil {
		var err error
		files, err = d.source.Inputs(site)
		ds = append(ds, lifecycle.AsDiagnostics(err, "a file of the site can't be read")...)
	}
	if d.Revision != "" {
		for i := range ds {
			ds[i].Summary += fmt.Sprintf(" (at %.10s)", d.Revision)
			ds[i].Detail = strings.ReplaceAll(ds[i].Detail, dir+"/", "") // the folder is gone before anybody reads of it
		}
	}
	return diff.Declaration{Site: site, Files: files}, ds
}

// Waiting are the sites that wait for another one before they take a version.
func Waiting(sites []lifecycle.Site, site string) []string {
	var out []string
	for _, s := range sites {
		if s.Name != site && slices.Contains(s.Promotion.From, site) {
			out = append(out, s.Name)
		}
	}
	return out
}
