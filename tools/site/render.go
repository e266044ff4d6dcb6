package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"path"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// site is all pages, and how they are found.
type site struct {
	pages  []*page
	menu   []group
	source string
}

// group is a part of the menu.
type group struct {
	Title string
	Links []menuLink
}

type menuLink struct{ Title, Path string }

// The page that the menu is made of, its headings are the groups, its links the pages; and what no search looks through.
const (
	menuPage  = "docs/README.md"
	changelog = "CHANGELOG.md"
)

func readMenu(pages []*page) ([]group, error) {
	var list *page
	known := map[string]*page{}
	for _, p := range pages {
		known[p.path] = p
		if p.path == menuPage {
			list = p
		}
	}
	if list == nil {
		return nil, fmt.Errorf("there is no %s", menuPage)
	}
	menu := []group{{Title: "kiban",
		Links: []menuLink{{"Overview", "README.md"}, {"日本語", "README.ja.md"}, {"All pages by task", menuPage}}}}
	seen := map[string]bool{"README.md": true, menuPage: true}
	for n := list.doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, is := n.(*ast.Heading); is && h.Level == 2 {
			menu = append(menu, group{Title: plain(h, list.source)})
			continue
		}
		err := ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			l, is := n.(*ast.Link)
			if !entering || !is || len(menu) == 1 {
				return ast.WalkContinue, nil
			}
			target, _, _ := strings.Cut(string(l.Destination), "#")
			target = path.Join("docs", target)
			if p := known[target]; p != nil && !seen[target] {
				seen[target] = true
				last := &menu[len(menu)-1]
				last.Links = append(last.Links, menuLink{p.title, target})
			}
			return ast.WalkContinue, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return append(menu, group{Title: "Changes", Links: []menuLink{{"Changelog", changelog}}}), nil
}

// render makes a page of HTML.
func (s *site) render(p *page) ([]byte, error) {
	s.direct(p)
	var body bytes.Buffer
	if err := markdown().Renderer().Render(&body, p.source, p.doc); err != nil {
		return nil, err
	}
	// A table that is wider than the screen is moved by itself, not the page.
	html := strings.NewReplacer("<table>", `<div class="table"><table>`, "</table>", "</table></div>").Replace(body.String())
	frame, err := template.ParseFS(assets, "assets/page.html")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	lang := "en"
	if strings.HasSuffix(p.path, ".ja.md") {
		lang = "ja"
	}
	err = frame.Execute(&out, map[string]any{
		"Lang": lang, "Title": p.title, "Base": up(p.file()), "Body": template.HTML(html), "Menu": s.menuOf(p), "Contents": p.contents(),
	})
	return out.Bytes(), err
}

// up leads from a file to the site's top.
func up(file string) string { return strings.Repeat("../", strings.Count(file, "/")) }

type shownGroup struct {
	Title string
	Open  bool
	Links []shownLink
}

type shownLink struct {
	Title, Href string
	Here        bool
}

func (s *site) menuOf(p *page) []shownGroup {
	var out []shownGroup
	for _, g := range s.menu {
		if len(g.Links) == 0 {
			continue
		}
		shown := shownGroup{Title: g.Title}
		for _, l := range g.Links {
			here := l.Path == p.path
			shown.Open = shown.Open || here
			shown.Links = append(shown.Links, shownLink{l.Title, up(p.file()) + (&page{path: l.Path}).file(), here})
		}
		out = append(out, shown)
	}
	return out
}

// contents are the page's chapters, where it has enough of them to be listed.
func (p *page) contents() []shownLink {
	var out []shownLink
	for _, s := range p.sections {
		if s.level == 2 {
			out = append(out, shownLink{Title: s.title, Href: "#" + s.anchor})
		}
	}
	if len(out) < 3 {
		return nil
	}
	return out
}

// direct leads links to pages of the site, and those to other files to where they are shown.
func (s *site) direct(p *page) {
	known := map[string]bool{}
	for _, q := range s.pages {
		known[q.path] = true
	}
	var lost []*ast.Link
	_ = ast.Walk(p.doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		l, is := n.(*ast.Link)
		if !entering || !is {
			return ast.WalkContinue, nil
		}
		to, anchor, _ := strings.Cut(string(l.Destination), "#")
		if to == "" || strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
			return ast.WalkContinue, nil
		}
		target := path.Join(path.Dir(p.path), to)
		if known[target+"/README.md"] {
			target += "/README.md"
		}
		switch {
		case known[target]:
			href := up(p.file()) + (&page{path: target}).file()
			if anchor != "" {
				href += "#" + anchor
			}
			l.Destination = []byte(href)
		case s.source != "":
			l.Destination = []byte(s.source + "/" + target)
		default:
			lost = append(lost, l)
		}
		return ast.WalkContinue, nil
	})
	for _, l := range lost { // the words stay, the link goes
		for c := l.FirstChild(); c != nil; c = l.FirstChild() {
			l.Parent().InsertBefore(l.Parent(), l, c)
		}
		l.Parent().RemoveChild(l.Parent(), l)
	}
}

// index is what the search looks through, as a script: a page that is opened from a disk may load one, and nothing else.
func (s *site) index() ([]byte, error) {
	type found struct {
		Page    string `json:"p"`
		Section string `json:"s,omitempty"`
		URL     string `json:"u"`
		Text    string `json:"t"`
	}
	var all []found
	for _, p := range s.pages {
		if p.path == changelog {
			continue // it says what was new once, in many words, and would stand before the pages that say what is
		}
		for _, sec := range p.sections {
			f := found{Page: p.title, URL: p.file(), Text: strings.TrimSpace(sec.text)}
			if sec.level > 1 {
				f.Section, f.URL = sec.title, f.URL+"#"+sec.anchor
			}
			all = append(all, f)
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	return append(append([]byte("window.kibanIndex="), b...), ";\n"...), nil
}
