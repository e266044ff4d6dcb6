package render

import (
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Manual is what there is to say of one verb of the command line.
type Manual struct {
	// Name is the verb with what is before it, "kiban node drain"; Usage is the line to type.
	Name, Usage string
	// Short is one line, Long paragraphs. In Long, a line that begins with a space is not joined with the one before.
	Short, Long string
	// Examples are lines to type.
	Examples []string
	// Verbs are those below this one, in groups. Flags are its own, Everywhere those that every verb takes.
	Verbs             []ManualGroup
	Flags, Everywhere []ManualEntry
}

// ManualGroup is entries under a title.
type ManualGroup struct {
	Title   string
	Entries []ManualEntry
}

// ManualEntry is a verb or a flag with what it is for.
type ManualEntry struct{ Name, Text string }

// Lines of help are no narrower and no wider than this, in columns: wider ones are hard to read.
const (
	narrowestHelp = 40
	widestHelp    = 110
)

// Help writes a manual for a terminal of that many columns: what it is for, how it is called, examples, and then the rest.
func Help(w io.Writer, m Manual, columns int) error {
	h := &help{width: min(max(columns, narrowestHelp), widestHelp)}
	h.paragraphs(m.Short)
	h.title("Usage")
	h.text("  " + m.Usage + "\n")
	if len(m.Examples) > 0 {
		h.title("Examples")
		for _, e := range m.Examples {
			h.text("  " + e + "\n")
		}
	}
	if m.Long != "" {
		h.text("\n")
		h.paragraphs(m.Long)
	}
	for _, g := range m.Verbs {
		h.group(g)
	}
	h.group(ManualGroup{"Flags", m.Flags})
	h.group(ManualGroup{"Flags of every verb", m.Everywhere})
	if len(m.Verbs) > 0 {
		h.text("\n")
		h.paragraphs("More of a verb: " + strings.Fields(m.Name)[0] + " help VERB")
	}
	_, err := io.WriteString(w, h.String())
	return err
}

// help is a manual on its way to a terminal.
type help struct {
	strings.Builder
	width int
}

func (h *help) text(s string)      { h.WriteString(s) }
func (h *help) title(title string) { h.text("\n" + title + ":\n") }

// paragraphs writes text broken at the width. A line that begins with a space begins anew; what hangs below its last column of text belongs
// to it.
func (h *help) paragraphs(text string) {
	for _, p := range paragraphsOf(text) {
		h.text(strings.Join(wrapHanging(p, h.width), "\n") + "\n")
	}
}

// group writes entries: names, and beside them, or below them where there is no room, what they are for.
func (h *help) group(g ManualGroup) {
	if len(g.Entries) == 0 {
		return
	}
	h.title(g.Title)
	column := 0
	for _, e := range g.Entries {
		column = max(column, len(e.Name)+4)
	}
	column = min(column, h.width*2/5)
	for _, e := range g.Entries {
		lines := wrap(strings.Fields(e.Text), "", strings.Repeat(" ", column), h.width)
		if len(e.Name)+4 > column {
			h.text("  " + e.Name + "\n")
		} else {
			lines[0] = fmt.Sprintf("  %-*s", column-2, e.Name) + lines[0][column:]
		}
		h.text(strings.TrimRight(strings.Join(lines, "\n"), " ") + "\n")
	}
}

// paragraphsOf joins the lines that belong together. An empty one is a paragraph of its own.
func paragraphsOf(text string) []string {
	var out []string
	joined := false // whether the next line may go on with the last
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		line = strings.TrimRight(line, " \n")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case line == "":
			out, joined = append(out, ""), false
			continue
		case joined && (indent == 0 && !strings.HasPrefix(out[len(out)-1], " ") || indent > 4):
			out[len(out)-1] += " " + strings.TrimSpace(line)
		default:
			out = append(out, line)
		}
		joined = true
	}
	return out
}

// wrapHanging breaks a paragraph; what follows its first line hangs below its text, which begins behind the last gap of two spaces.
func wrapHanging(text string, width int) []string {
	if len(text) <= width {
		return []string{text}
	}
	head := text[:len(text)-len(strings.TrimLeft(text, " "))]
	rest := text[len(head):]
	if head != "" {
		if name, after, ok := strings.Cut(rest, "  "); ok && len(head)+len(name) < width/2 {
			gap := len(after) - len(strings.TrimLeft(after, " "))
			head += name + strings.Repeat(" ", 2+gap)
			rest = strings.TrimLeft(after, " ")
		}
	}
	lines := wrap(strings.Fields(rest), "", strings.Repeat(" ", len(head)), width)
	lines[0] = head + lines[0][len(head):]
	return lines
}

// ManualPage writes manuals as one page in Markdown, with the verbs in the order that they are given in.
func ManualPage(w io.Writer, intro string, all []Manual) error {
	var b strings.Builder
	b.WriteString(intro)
	for _, m := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n    %s\n", m.Name, strings.TrimSuffix(lifecycle.Markdown(m.Short), "."), m.Usage)
		if m.Long != "" {
			b.WriteString("\n```text\n" + strings.Trim(m.Long, "\n") + "\n```\n")
		}
		if len(m.Examples) > 0 {
			b.WriteString("\n```sh\n" + strings.Join(m.Examples, "\n") + "\n```\n")
		}
		for _, g := range m.Verbs {
			manualTable(&b, g.Title, g.Entries)
		}
		manualTable(&b, "Flag", m.Flags)
		if len(m.Verbs) > 0 {
			manualTable(&b, "Flag of every verb", m.Everywhere)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func manualTable(b *strings.Builder, title string, entries []ManualEntry) {
	if len(entries) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s | |\n|---|---|\n", title)
	for _, e := range entries {
		fmt.Fprintf(b, "| `%s` | %s |\n", strings.ReplaceAll(e.Name, "|", "\\|"), lifecycle.Markdown(e.Text))
	}
}

// ManPage writes a manual in the language of man(1), section 1.
func ManPage(w io.Writer, m Manual) error {
	var b strings.Builder
	name := strings.ReplaceAll(m.Name, " ", "-")
	fmt.Fprintf(&b, ".TH %s 1\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n", strings.ToUpper(roff(name)), roff(name), roff(m.Short),
		roff(m.Usage))
	if m.Long != "" {
		b.WriteString(".SH DESCRIPTION\n")
		for _, p := range paragraphsOf(m.Long) {
			switch {
			case p == "":
				b.WriteString(".PP\n")
			case strings.HasPrefix(p, " "):
				b.WriteString(".br\n" + roff(strings.TrimSpace(p)) + "\n")
			default:
				b.WriteString(roff(p) + "\n")
			}
		}
	}
	groups := append(m.Verbs[:len(m.Verbs):len(m.Verbs)], ManualGroup{"Options", m.Flags}, ManualGroup{"Options of every verb", m.Everywhere})
	for _, g := range groups {
		if len(g.Entries) == 0 {
			continue
		}
		fmt.Fprintf(&b, ".SH %s\n", strings.ToUpper(roff(g.Title)))
		for _, e := range g.Entries {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(e.Name), roff(e.Text))
		}
	}
	if len(m.Examples) > 0 {
		b.WriteString(".SH EXAMPLES\n.nf\n")
		for _, e := range m.Examples {
			b.WriteString(roff(e) + "\n")
		}
		b.WriteString(".fi\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// roff keeps text from being taken for requests.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
