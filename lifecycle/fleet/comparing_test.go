package fleet

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// shelf is a fleet in a folder, and Comparing over it, which counts what is read.
type shelf struct {
	t    *testing.T
	dir  string
	file string
	mu   sync.Mutex
	read []string
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{t: t, dir: t.TempDir(), file: filepath.Join(t.TempDir(), "cache", "compared")}
	for _, file := range []string{"clusters/base/base.yaml", "overlays/a/site.yaml", "overlays/b/site.yaml", "overlays/odd/site.yaml"} {
		s.write(file, "1")
	}
	return s
}

func (s *shelf) write(file, content string) {
	s.t.Helper()
	file = filepath.Join(s.dir, file)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// sites reads all, as a build of kiban does, and gives the names of those that were read from their files, and of those that can't be.
func (s *shelf) sites(by string) (read, unread string) {
	s.t.Helper()
	s.read = nil
	c := &Comparing{File: s.file, By: by, Source: Source{Also: []string{"groups"}}, Log: slog.New(slog.DiscardHandler),
		Part: func(site lifecycle.Site) lifecycle.Site {
			return lifecycle.Site{Name: site.Name, Dir: site.Dir, Wave: site.Wave}
		}}
	c.Load = func(_ context.Context, fleet, name, _ string) (lifecycle.Site, lifecycle.Diagnostics) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.read = append(s.read, name)
		content, err := os.ReadFile(filepath.Join(fleet, "overlays", name, "site.yaml"))
		if string(content) == "broken" {
			return lifecycle.Site{}, lifecycle.Diagnostics{lifecycle.Errorf(name, "it is broken")}
		}
		return lifecycle.Site{Name: name, Dir: filepath.Join(fleet, "overlays", name), Wave: len(content), Digest: "more"},
			lifecycle.AsDiagnostics(err, "no file")
	}
	c.Reads = func(_, name string) ([]string, bool) {
		return []string{"clusters/base", "fleet.yaml", "overlays/" + name}, name != "odd"
	}
	sites, not, err := c.Sites(s.t.Context(), s.dir, []string{"a", "b", "odd"})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, site := range sites {
		content, err := os.ReadFile(filepath.Join(site.Dir, "site.yaml"))
		if err != nil || len(content) != site.Wave || site.Digest != "" {
			s.t.Errorf("it is not as its file has it: %+v, %v", site, err)
		}
	}
	slices.Sort(s.read)
	return strings.Join(s.read, " "), strings.Join(not, " ")
}

// TestComparing: a site is read again when something changed that decides what it declares, and only then; one of which only building it
// tells what that is, each time.
func TestComparing(t *testing.T) {
	s := newShelf(t)
	for _, step := range []struct {
		what   string
		do     func()
		by     string
		read   string
		unread string
	}{
		{"the first time", func() {}, "1", "a b odd", ""},
		{"nothing changed", func() {}, "1", "odd", ""},
		{"an overlay changed", func() { s.write("overlays/b/site.yaml", "22") }, "1", "b odd", ""},
		{"a file came", func() { s.write("overlays/b/more.yaml", "") }, "1", "b odd", ""},
		{"a base changed", func() { s.write("clusters/base/base.yaml", "2") }, "1", "a b odd", ""},
		{"a file came that was looked for", func() { s.write("fleet.yaml", "") }, "1", "a b odd", ""},
		{"a group came", func() { s.write("groups/g/kustomization.yaml", "") }, "1", "a b odd", ""},
		{"another build", func() {}, "2", "a b odd", ""},
		{"one can't be read", func() { s.write("overlays/a/site.yaml", "broken") }, "2", "a odd", "a"},
		{"nor is it remembered", func() {}, "2", "a odd", "a"},
		{"it was mended", func() { s.write("overlays/a/site.yaml", "3") }, "2", "a odd", ""},
		{"the fleet moved", func() {
			to := filepath.Join(t.TempDir(), "elsewhere")
			if err := os.Rename(s.dir, to); err != nil {
				t.Fatal(err)
			}
			s.dir = to
		}, "2", "odd", ""},
		{"what was kept is gone", func() { _ = os.Remove(s.file) }, "2", "a b odd", ""},
		{"what was kept is damaged", func() { damage(t, s.file, 40) }, "2", "a b odd", ""},
		{"it is cut off", func() { damage(t, s.file, -1) }, "2", "a b odd", ""},
		{"all is kept again", func() {}, "2", "odd", ""},
	} {
		step.do()
		if read, unread := s.sites(step.by); read != step.read || unread != step.unread {
			t.Errorf("%s: read %q, unread %q; want %q, %q", step.what, read, unread, step.read, step.unread)
		}
	}
}

// damage changes a byte of a file; at -1, it cuts half of the file off.
func damage(t *testing.T, file string, at int) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		content = content[:len(content)/2]
	} else {
		content[at] ^= 1
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestComparingWithoutRoom: where nothing can be kept, sites are compared all the same.
func TestComparingWithoutRoom(t *testing.T) {
	s := newShelf(t)
	s.file = filepath.Join(s.dir, "overlays", "a", "site.yaml", "compared") // below a file
	for range 2 {
		if read, unread := s.sites("1"); read != "a b odd" || unread != "" {
			t.Errorf("read %q, unread %q", read, unread)
		}
	}
}
