// Command site makes the pages of this repository a site: one HTML file a page, with a list of all pages and a search that needs no server.
// It fetches nothing, and the pages fetch nothing.
//
//	go -C tools/site run . -root ../.. -out ../../bin/site [-source URL]
//
// -source is where files that are no pages are shown, such as https://gitlab.example/platform/kiban/-/blob/main. Without it their names are
// no links.
package main

import (
	"embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed assets
var assets embed.FS

func main() {
	root := flag.String("root", ".", "the repository")
	out := flag.String("out", "site", "the folder to write")
	source := flag.String("source", "", "where files that are no pages are shown")
	flag.Parse()
	n, err := build(*root, *out, strings.TrimSuffix(*source, "/"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
	fmt.Printf("%d pages are in %s; open index.html there.\n", n, *out)
}

// build writes the site, and says how many pages it has.
func build(root, out, source string) (int, error) {
	pages, err := readPages(root)
	if err != nil {
		return 0, err
	}
	s := &site{pages: pages, source: source}
	if s.menu, err = readMenu(pages); err != nil {
		return 0, err
	}
	if err := os.RemoveAll(out); err != nil {
		return 0, err
	}
	for _, p := range pages {
		html, err := s.render(p)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", p.path, err)
		}
		if err := write(filepath.Join(out, p.file()), html); err != nil {
			return 0, err
		}
	}
	index, err := s.index()
	if err != nil {
		return 0, err
	}
	if err := write(filepath.Join(out, "assets", "index.js"), index); err != nil {
		return 0, err
	}
	for _, name := range []string{"style.css", "search.js"} {
		b, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return 0, err
		}
		if err := write(filepath.Join(out, "assets", name), b); err != nil {
			return 0, err
		}
	}
	return len(pages), copyPictures(root, out)
}

// readPages reads what people read: the pages of the root and of docs, and the README of each part that they lead to.
func readPages(root string) ([]*page, error) {
	var paths []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "lab/README.md", "clusters/README.md", "overlays/README.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	slices.Sort(paths)
	var pages []*page
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return nil, err
		}
		pages = append(pages, parsePage(filepath.ToSlash(rel), text))
	}
	return pages, nil
}

// copyPictures copies the pictures that pages show.
func copyPictures(root, out string) error {
	found, err := filepath.Glob(filepath.Join(root, "docs", "*.svg"))
	if err != nil {
		return err
	}
	for _, p := range found {
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(out, "docs", filepath.Base(p)), b); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}
