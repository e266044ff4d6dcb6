package page

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

//go:embed page.html
var layout string

//go:embed style.css
var style []byte

//go:embed page.js
var script []byte

// The files beside the pages.
const (
	styleFile  = "style.css"
	scriptFile = "page.js"
)

// beside matches the folders that a writing makes beside the one that it is for.
const beside = ".kiban-page-*"

// Write puts the pages into a folder, in the place of pages that are there. It is there whole or as it was: pages are written beside it,
// and take its place. A folder that holds anything but such pages is refused, for that would be lost.
func (s Site) Write(ctx context.Context, dir string) (err error) {
	dir = filepath.Clean(dir)
	if err := s.replaceable(dir); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := errors.Join(os.MkdirAll(parent, 0o755), sweep(parent, time.Now())); err != nil {
		return unwritten(dir, err)
	}
	fresh, err := os.MkdirTemp(parent, beside)
	if err != nil {
		return unwritten(dir, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	if err := s.fill(ctx, fresh); err != nil {
		return unwritten(dir, err)
	}
	if err := exchange(dir, fresh); err != nil {
		return unwritten(dir, err)
	}
	return nil
}

func unwritten(dir string, err error) error {
	return lifecycle.Errorf(dir, "the pages could not be written").From(err).Try("Name a folder that may be written to: --out DIR")
}

// replaceable is an error where a folder holds anything but pages of a former writing.
func (s Site) replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return unwritten(dir, err)
	}
	if st, err := os.Lstat(dir); err != nil || !st.IsDir() {
		return unwritten(dir, errors.Join(err, errors.New("it is no folder of its own, but a link")))
	}
	own := []string{styleFile, scriptFile}
	for _, d := range s.docs {
		own = append(own, d.File)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name()+"/" == sitesFolder || e.Type().IsRegular() && slices.Contains(own, e.Name()) {
			continue
		}
		return lifecycle.Errorf(dir, "this folder holds something else than pages of a fleet: %s", e.Name()).
			Because("It is replaced as a whole, so that would be lost.").Try("Name another folder, or one within it: --out " +
			lifecycle.ShellWord(filepath.Join(dir, "fleet")))
	}
	return nil
}

// exchange puts a folder in the place of another, which is removed.
func exchange(dir, fresh string) error {
	old := fresh + "-old"
	err := os.Rename(dir, old)
	if errors.Is(err, fs.ErrNotExist) {
		return os.Rename(fresh, dir)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.RemoveAll(old)
}

// sweep removes what writings that were killed left. What is younger than an hour may still be written.
func sweep(parent string, now time.Time) error {
	left, err := filepath.Glob(filepath.Join(parent, beside))
	for _, path := range left {
		if st, statErr := os.Lstat(path); statErr == nil && st.IsDir() && now.Sub(st.ModTime()) > time.Hour {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	return err
}

// fill writes all pages into an empty folder.
func (s Site) fill(ctx context.Context, dir string) error {
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, sitesFolder), 0o755),
		os.WriteFile(filepath.Join(dir, styleFile), style, 0o644), os.WriteFile(filepath.Join(dir, scriptFile), script, 0o644)); err != nil {
		return err
	}
	t, err := newTemplate()
	if err != nil {
		return err
	}
	failed := make([]error, s.Len())
	err = fleet.AtOnce(ctx, s.Len(), runtime.GOMAXPROCS(0), func(i int) {
		d := s.Doc(i)
		var b bytes.Buffer
		if failed[i] = s.render(&b, t, d); failed[i] == nil {
			failed[i] = os.WriteFile(filepath.Join(dir, filepath.FromSlash(d.File)), b.Bytes(), 0o644)
		}
	})
	return errors.Join(append(failed, err)...)
}

func newTemplate() (*template.Template, error) {
	return template.New("page").Funcs(template.FuncMap{
		"t":       lifecycle.Harmless,
		"within":  within,
		"stamp":   lifecycle.Stamp,
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"cell":    func(root string, c Cell) placed { return placed{root, c} },
		"branch":  func(root string, b Branch) placedBranch { return placedBranch{root, b} },
		"section": func(root string, s Section) placedSection { return placedSection{root, s} },
	}).Parse(layout)
}

// placed is a cell on a page in a folder from which Root leads to the top.
type placed struct {
	Root string
	Cell
}

type placedBranch struct {
	Root string
	Branch
}

type placedSection struct {
	Root    string
	Section Section
}

// within is a link as a page in a folder has it.
func within(root, link string) string {
	if strings.HasPrefix(link, "https://") {
		return link
	}
	return root + link
}

func (s Site) render(w io.Writer, t *template.Template, d Doc) error {
	if err := t.Execute(w, struct {
		Doc
		Site Site
	}{d, s}); err != nil {
		return fmt.Errorf("%s: %w", d.File, err)
	}
	return nil
}
