package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	// Checkout writes what a fleet declared at a revision into a folder, and gives the revision's full name.
	Checkout func(fleet, revision, into string) (string, error)
	// Inputs are the digests of the files that a site reads; Reads the files and folders that decide what it declares, false when only
	// building it would tell.
	Inputs func(site lifecycle.Site) (map[string]string, error)
	Reads  func(fleet, name string) ([]string, bool)
}

// Declared is a fleet as a revision of its repository declares it, or as its work tree does.
type Declared struct {
	source Source
	// Revision is the commit's full name; "" is the work tree.
	Revision string
	dir      string
	beside   string
	names    []string
}

// Now is a fleet as its work tree declares it.
func (s Source) Now(fleet string) (Declared, error) { return s.named(Declared{source: s, dir: fleet}) }

// Past is a fleet as a folder has it that a revision was written into; beside is the fleet that it was read from.
func (s Source) Past(folder, beside, revision string) (Declared, error) {
	return s.named(Declared{source: s, dir: folder, beside: beside, Revision: revision})
}

// At makes a fleet at a revision ready to be read. done takes away what was written for it.
func (s Source) At(fleet, revision string) (d Declared, done func() error, err error) {
	d, done = Declared{source: s, beside: fleet}, func() error { return nil }
	if d.dir, err = Scratch("kiban-revision-"); err != nil {
		return d, done, err
	}
	clear := func() error { return os.RemoveAll(d.dir) }
	if d.Revision, err = s.Checkout(fleet, revision, d.dir); err == nil {
		d, err = s.named(d)
	}
	if err != nil {
		return d, done, errors.Join(err, clear())
	}
	return d, clear, nil
}

func (s Source) named(d Declared) (_ Declared, err error) {
	if d.names, err = s.List(d.dir); d.Revision != "" && errors.As(err, new(lifecycle.Diagnostic)) {
		err = nil // there was no site yet, or a folder that was none: what is past can't be mended
	}
	return d, err
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
func (d Declared) Has(site string) bool { return slices.Contains(d.names, site) }

// Read reads one site, to be compared with itself at another time.
func (d Declared) Read(ctx context.Context, name string) (diff.Declaration, lifecycle.Diagnostics) {
	site, ds := d.source.Load(ctx, d.dir, name, d.beside)
	var files map[string]string
	if ds.Err() == nil {
		var err error
		files, err = d.source.Inputs(site)
		ds = append(ds, lifecycle.AsDiagnostics(err, "a file of the site can't be read")...)
	}
	if d.Revision != "" {
		for i := range ds {
			ds[i].Summary += fmt.Sprintf(" (at %.10s)", d.Revision)
			ds[i].Detail = strings.ReplaceAll(ds[i].Detail, d.dir+"/", "") // the folder is gone before anybody reads of it
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
