package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/diff"
	"kiban.dev/kiban/lifecycle/session"
)

// declared is a fleet as a revision of its repository declares it, or as its work tree does.
type declared struct {
	app *app
	// Revision is the commit's full name; "" is the work tree.
	Revision string
	dir      string
	names    []string
}

// declaredAt makes a fleet at a revision ready to be read, or its work tree as it is. done takes away what was written for it.
func (a *app) declaredAt(fleet, revision string, worktree bool) (d declared, done func() error, err error) {
	d, done = declared{app: a, dir: fleet}, func() error { return nil }
	if !worktree {
		if d.dir, err = scratchDir("kiban-revision-"); err != nil {
			return d, done, err
		}
		done = func() error { return os.RemoveAll(d.dir) }
		if d.Revision, err = a.Checkout(fleet, revision, d.dir); err != nil {
			return d, func() error { return nil }, errors.Join(err, done())
		}
	}
	if d.names, err = a.ListSites(d.dir); errors.Is(err, fs.ErrNotExist) {
		err = nil // there was no site yet
	}
	return d, done, err
}

// has reports whether the site is declared.
func (d declared) has(site string) bool { return slices.Contains(d.names, site) }

// read reads one site, to be compared with itself at another time: what must be so for it to be applied is for validate to say, and
// whether its host keys and its lock file are complete is no part of what it means.
func (d declared) read(ctx context.Context, name string) (diff.Declaration, lifecycle.Diagnostics) {
	site, ds := d.app.LoadSite(ctx, d.dir, name, session.LoadOptions{UnknownHosts: true, Unpinned: true})
	var files map[string]string
	if ds.Err() == nil {
		var err error
		files, err = d.app.SiteInputs(site)
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
