package explain

import (
	"strings"
	"unicode/utf8"
)

// page is a text that is being written, in lines of a width.
type page struct {
	strings.Builder
	all   []Topic
	width int
}

// contents lists what there is to explain, fields only as deep as people begin to look.
func (p *page) contents() {
	for _, h := range headings() {
		p.list(h.title, ofKind(p.all, h.kind, 2), firstSentence)
	}
	p.WriteString("\nPages, whole: kiban explain docs/PAGE.md\n")
	for _, line := range lines(strings.Join(pages(), " "), p.width-2) {
		p.WriteString("  " + line + "\n")
	}
}

// about explains everything that is called so: "stage" is a word and an action, "gates" is a whole kind.
func (p *page) about(name string) {
	for _, t := range p.all {
		if t.is(name) {
			p.topic(t)
		}
	}
	for _, h := range headings() {
		for _, called := range []string{h.kind, h.kind + "s", h.kind + "es", h.kind + " code", h.kind + " codes"} {
			if plain(called) == plain(name) {
				p.list(h.title, ofKind(p.all, h.kind, 99), Topic.whole)
			}
		}
	}
}

func (p *page) topic(t Topic) {
	head := t.Name + " (" + t.Kind
	if t.Type != "" {
		head += ", " + t.Type
	}
	p.WriteString(head + ")\n\n")
	p.fill(t.Text)
	if t.Default != "" {
		p.fill("Default: " + t.Default)
	}
	if t.Example != "" {
		p.fill("Example: " + t.Example)
	}
	p.list("In JSON (-o json)", t.Fields, Topic.whole)
	if t.Kind == "field" {
		p.list("Fields", children(p.all, t.Name), Topic.whole)
	}
	p.WriteByte('\n')
}

// whole is all that a list says of a topic.
func (t Topic) whole() string {
	text := t.Text
	if t.Type != "" {
		text = "(" + t.Type + ") " + text
	}
	if t.Default != "" && t.Default != "required" {
		text += " Default: " + t.Default + "."
	}
	return text
}

// firstSentence is enough for a table of contents.
func firstSentence(t Topic) string {
	if first, _, more := strings.Cut(t.Text, ". "); more {
		return first + "."
	}
	return t.Text
}

// widest is how long a name in the first column may be for its meaning to stand beside it, and not below.
const widest = 32

func (p *page) list(title string, topics []Topic, say func(Topic) string) {
	if len(topics) == 0 {
		return
	}
	if p.Len() > 0 && !strings.HasSuffix(p.String(), "\n\n") {
		p.WriteByte('\n')
	}
	p.WriteString(title + "\n")
	column := 0
	for _, t := range topics {
		column = max(column, utf8.RuneCountInString(t.Name))
	}
	column = min(column, widest, p.width/3)
	indent := strings.Repeat(" ", column+4)
	for _, t := range topics {
		name := "  " + t.Name
		if pad := column + 4 - utf8.RuneCountInString(name); pad >= 2 {
			name += strings.Repeat(" ", pad)
		} else {
			p.WriteString(name + "\n")
			name = indent
		}
		for _, line := range lines(say(t), p.width-column-4) {
			p.WriteString(strings.TrimRight(name+line, " ") + "\n")
			name = indent
		}
	}
}

// fill writes paragraphs.
func (p *page) fill(text string) {
	for paragraph := range strings.Lines(text) {
		for _, line := range lines(paragraph, p.width) {
			p.WriteString(line + "\n")
		}
	}
}

// lines breaks text at spaces into lines of at most width. A text without words is one empty line.
func lines(text string, width int) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > width {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(out, line)
}
