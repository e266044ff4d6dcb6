package risks

import (
	"fmt"
	"strings"
)

// Text is a risk for people, in lines of at most that width.
func (r Risk) Text(width int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: a known risk of %s (%s)\n\n", r.ID, r.About, r.Rank)
	write := func(text string) { b.WriteString(wrap(text, width, "") + "\n\n") }
	write(upper(r.Title) + ". " + r.Consequence)
	b.WriteString("It concerns a site where all of this is so:\n")
	item := func(text string) { b.WriteString("  - " + wrap(text, width-4, "    ") + "\n") }
	if !r.From.IsZero() {
		item("k0s is " + r.From.String())
	}
	if !r.To.IsZero() {
		item("k0s becomes " + r.To.String())
	}
	for _, c := range r.When {
		item(c.String())
	}
	if len(r.Unless) > 0 {
		b.WriteString("and none of this:\n")
		for _, c := range r.Unless {
			item(c.String())
		}
	}
	b.WriteByte('\n')
	write("What to do: " + r.Remedy)
	if len(r.FixedIn) > 0 {
		write("Fixed in: " + strings.Join(r.FixedIn, ", "))
	}
	b.WriteString("Known from:\n")
	for _, s := range r.Sources {
		b.WriteString("  " + s + "\n")
	}
	return b.String()
}

// String is the range for people: "v1.36 or later, before v1.37".
func (v Versions) String() string {
	name := func(x fmt.Stringer, minor string, whole bool) string {
		if whole {
			return minor
		}
		return x.String()
	}
	var parts []string
	if !v.Since.IsZero() {
		parts = append(parts, name(v.Since, v.Since.MinorString(), v.Since.Patch == 0 && v.Since.Build == 0)+" or later")
	}
	if !v.Before.IsZero() {
		parts = append(parts, "before "+name(v.Before, v.Before.MinorString(), v.Before.Patch == 0 && v.Before.Build == 0))
	}
	return strings.Join(parts, ", ")
}

func upper(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// wrap breaks a text into lines; those behind the first begin with indent.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	n := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case n+1+len(word) > width:
			b.WriteString("\n" + indent)
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}

// Explain is the text of a known risk by its name, or of "risks" the list of all.
func Explain(topic string, width int) (string, bool) {
	if topic == "risks" {
		return "Known risks of versions. `kiban explain NAME` tells of one, `kiban ready SITE` which concern a site.\n\n" + List(), true
	}
	r, ok := Find(topic)
	return r.Text(width), ok
}

// IDs are the names of all known risks.
func IDs() []string {
	var ids []string
	for _, r := range Known() {
		ids = append(ids, r.ID)
	}
	return ids
}

// List names all known risks, a line each.
func List() string {
	var b strings.Builder
	for _, r := range Known() {
		fmt.Fprintf(&b, "%-38s %s\n", r.ID, r.Title)
	}
	return b.String()
}
