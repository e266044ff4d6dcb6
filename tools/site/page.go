package main

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// page is one file of Markdown.
type page struct {
	// path is where it lies in the repository, "docs/site.md".
	path   string
	source []byte
	doc    ast.Node
	// title is its first heading; sections are what the search finds.
	title    string
	sections []section
}

// section is a heading and the text below it.
type section struct {
	title, anchor, text string
	level               int
}

func markdown() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough,
		extension.NewCJK(extension.WithEastAsianLineBreaks(extension.EastAsianLineBreaksCSS3Draft))), // no blanks between Japanese lines
		goldmark.WithParserOptions(parser.WithAutoHeadingID()))
}

func parsePage(name string, source []byte) *page {
	p := &page{path: name, source: source}
	ctx := parser.NewContext(parser.WithIDs(&anchors{count: map[string]int{}}))
	p.doc = markdown().Parser().Parse(text.NewReader(source), parser.WithContext(ctx))
	for n := p.doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, is := n.(*ast.Heading)
		switch {
		case is:
			id, _ := h.AttributeString("id")
			anchor, _ := id.([]byte)
			s := section{title: plain(h, source), anchor: string(anchor), level: h.Level}
			if p.title == "" {
				p.title = s.title
			}
			p.sections = append(p.sections, s)
		case len(p.sections) > 0:
			last := &p.sections[len(p.sections)-1]
			last.text += " " + plain(n, source)
		}
	}
	if p.title == "" {
		p.title = path.Base(name)
	}
	return p
}

// file is where the page lies in the site. Every README is the index of its folder.
func (p *page) file() string {
	dir, base := path.Split(p.path)
	if base == "README.md" {
		return dir + "index.html"
	}
	return dir + strings.TrimSuffix(base, ".md") + ".html"
}

// plain is the text of a node without its markup.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if n.Type() == ast.TypeBlock {
				b.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(source))
			if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				b.Write(line.Value(source))
			}
		case *ast.HTMLBlock:
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// anchors are headings' names, as GitLab makes them: links of pages work there and here.
type anchors struct{ count map[string]int }

func (a *anchors) Generate(value []byte, _ ast.NodeKind) []byte {
	var b strings.Builder
	for _, r := range strings.ToLower(string(value)) {
		switch {
		case r == ' ' || r == '-':
			b.WriteByte('-')
		case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	name := b.String()
	a.count[name]++
	if n := a.count[name] - 1; n > 0 {
		return fmt.Appendf(nil, "%s-%d", name, n)
	}
	return []byte(name)
}

func (a *anchors) Put([]byte) {}
