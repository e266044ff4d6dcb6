package main

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The whole site is built, and everything in it that leads to another place of it leads somewhere; nothing is fetched from elsewhere.
func TestSiteHangsTogether(t *testing.T) {
	out := filepath.Join(t.TempDir(), "site")
	n, err := build(filepath.Join("..", ".."), out, "")
	if err != nil {
		t.Fatal(err)
	}
	if n < 40 {
		t.Errorf("only %d pages", n)
	}
	files := map[string]string{}
	err = filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, err := os.ReadFile(path)
			files[path] = string(b)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for name, text := range files {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			attribute, to := m[1], m[2]
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				if attribute == "src" || strings.Contains(m[0], "stylesheet") {
					t.Errorf("%s loads %s from elsewhere", name, to)
				}
				continue
			}
			links++
			path, anchor, _ := strings.Cut(to, "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			other, there := files[target]
			if !there {
				t.Errorf("%s leads to %s, which is not there", name, to)
			} else if id, err := url.PathUnescape(anchor); err != nil || id != "" && !strings.Contains(other, `id="`+id+`"`) {
				t.Errorf("%s: %s has no #%s", name, path, anchor)
			}
		}
	}
	if links < 1000 {
		t.Errorf("only %d links were found", links)
	}
}

var reference = regexp.MustCompile(`\b(href|src)="([^"]+)"`)

// Every page is in the menu, so that it is found without a search.
func TestMenuHasEveryPage(t *testing.T) {
	pages, err := readPages(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	menu, err := readMenu(pages)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, g := range menu {
		for _, l := range g.Links {
			listed[l.Path] = true
		}
	}
	for _, p := range pages {
		if strings.Count(p.path, "/") == 1 && strings.HasPrefix(p.path, "docs/") && !listed[p.path] {
			t.Errorf("%s is not in the menu", p.path)
		}
	}
}

func TestPage(t *testing.T) {
	p := parsePage("docs/a.md", []byte("# A page\n\nFirst.\n\n## What `kiban` says: *this*\n\n"+
		"| a | b |\n|---|---|\n| <script> | [c](b.md#d) |\n\n    kiban plan x\n"))
	if p.title != "A page" || len(p.sections) != 2 {
		t.Fatalf("got %q and %d sections", p.title, len(p.sections))
	}
	if s := p.sections[1]; s.anchor != "what-kiban-says-this" || !strings.Contains(s.text, "kiban plan x") {
		t.Errorf("got %+v", s)
	}
	s := &site{pages: []*page{p, parsePage("docs/b.md", []byte("# B\n\n## D\n"))}}
	html, err := s.render(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`href="../docs/b.html#d"`, `<div class="table"><table>`, `<title>A page · kiban</title>`,
		`href="../assets/style.css"`} {
		if !strings.Contains(string(html), want) {
			t.Errorf("no %s in\n%s", want, html)
		}
	}
	if strings.Contains(string(html), "<script>") {
		t.Error("a page's text is markup")
	}
}
