package render

import (
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// DeclaredDiff is what a site's declaration changes from one revision to another. To is "" for the work tree.
type DeclaredDiff struct {
	Site    string                     `json:"site"`
	From    string                     `json:"from"`
	To      string                     `json:"to,omitempty"`
	Changes []lifecycle.DeclaredChange `json:"changes"`
	// Form says that the documents differ, although nothing that they mean does.
	Form bool `json:"form,omitempty"`
}

// span says between what it is.
func (d DeclaredDiff) span() string {
	to := "the work tree"
	if d.To != "" {
		to = lifecycle.ShortRevision(d.To)
	}
	return "from " + lifecycle.ShortRevision(d.From) + " to " + to
}

// verdict says in a line what it comes to.
func (d DeclaredDiff) verdict() string {
	switch {
	case len(d.Changes) > 0:
		return lifecycle.Count(len(d.Changes), "change")
	case d.Form:
		return "nothing that it means changes; its documents are only written in another way"
	}
	return "no changes"
}

// declaredGroup is what the same happens to: one subject, or several hosts with the same changes.
type declaredGroup struct {
	subjects []string
	changes  []lifecycle.DeclaredChange
}

// title names the subjects: "k0s", "host w-1", "hosts w-1, w-2 and w-3".
func (g declaredGroup) title() string {
	if len(g.subjects) == 1 {
		return g.subjects[0]
	}
	names := make([]string, len(g.subjects))
	for i, s := range g.subjects {
		names[i] = strings.TrimPrefix(s, "host ")
	}
	return "hosts " + lifecycle.Enumerate(names)
}

// declaredGroups puts together what belongs to one subject, and hosts that change alike.
func declaredGroups(changes []lifecycle.DeclaredChange) []declaredGroup {
	var groups []declaredGroup
	for _, c := range changes {
		if n := len(groups); n > 0 && groups[n-1].subjects[0] == c.Subject {
			groups[n-1].changes = append(groups[n-1].changes, c)
			continue
		}
		groups = append(groups, declaredGroup{subjects: []string{c.Subject}, changes: []lifecycle.DeclaredChange{c}})
	}
	var out []declaredGroup
	at := map[string]int{}
	for _, g := range groups {
		if !strings.HasPrefix(g.subjects[0], "host ") || g.changes[0].Path == "" {
			out = append(out, g)
			continue
		}
		key := ""
		for _, c := range g.changes {
			key += strings.Join([]string{c.Path, string(c.Kind), c.From, c.To, c.Note}, "\x00") + "\x01"
		}
		if i, same := at[key]; same {
			out[i].subjects = append(out[i].subjects, g.subjects[0])
			continue
		}
		at[key] = len(out)
		out = append(out, g)
	}
	return out
}

// declaredSign is how a change is marked: it comes, it goes, it changes.
func declaredSign(k lifecycle.DeclaredChangeKind) string {
	switch k {
	case lifecycle.DeclaredAdded:
		return "+"
	case lifecycle.DeclaredRemoved:
		return "-"
	}
	return "~"
}

// declaredText says what changes: "~ chart.version: 0.16.2 -> 0.16.3". Of what comes or goes as a whole it is what it is.
func declaredText(c lifecycle.DeclaredChange) string {
	var text string
	switch {
	case c.Path == "" && c.From == "":
		text = c.To
	case c.Path == "":
		text = c.From
	case c.From != "" && c.From == c.To:
		return c.Path + ": " + c.Note
	default:
		text = strings.TrimLeft(fieldText(lifecycle.FieldChange{Field: c.Path, From: shortDigest(c.From), To: shortDigest(c.To)}), "+- ")
	}
	if c.Note != "" {
		text += "  (" + c.Note + ")"
	}
	return text
}

// shortDigest shortens a digest: nobody compares sixty-four characters by eye.
func shortDigest(value string) string {
	const shown = len(`"sha256:`) + 12
	if strings.HasPrefix(value, `"sha256:`) && len(value) > shown {
		return value[:shown] + `"`
	}
	return value
}

// DiffText shows what a declaration changes, subject by subject.
func DiffText(w io.Writer, d DeclaredDiff, style Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", style.paint(codeBold, d.Site+" "+d.span()+": "+d.verdict()))
	codes := map[string]string{"+": codeGreen, "-": codeRed, "~": codeYellow}
	line := func(indent, sign, text string) {
		fmt.Fprintf(&b, "%s%s %s\n", indent, style.paint(codes[sign], sign), text)
	}
	for _, g := range declaredGroups(d.Changes) {
		if first := g.changes[0]; first.Path == "" {
			b.WriteByte('\n')
			line("", declaredSign(first.Kind), style.paint(codeBold, g.title())+"  "+declaredText(first))
			continue
		}
		b.WriteByte('\n')
		for _, l := range wrap(strings.Fields(g.title()), "", "", 100) {
			fmt.Fprintf(&b, "%s\n", style.paint(codeBold, l))
		}
		for _, c := range g.changes {
			line("  ", declaredSign(c.Kind), declaredText(c))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
