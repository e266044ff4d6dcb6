package render

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Rehearsal shows how a plan went in a twin of its site, in a form: text, markdown or html.
func Rehearsal(w io.Writer, r lifecycle.Rehearsal, form string, style Style) error {
	var out string
	switch form {
	case "markdown":
		out = RehearsalMarkdown(r)
	case "html":
		out = rehearsalHTML(r)
	default:
		out = rehearsalText(r, style)
	}
	_, err := io.WriteString(w, out)
	return err
}

// part is one part of what is told of a rehearsal: a title, and a line for each thing.
type part struct {
	title string
	lines []string
}

// rehearsalParts are what is told beside the sentence, the worst first; what there is nothing of is left out.
func rehearsalParts(r lifecycle.Rehearsal) []part {
	var out []part
	add := func(title string, lines []string) {
		if len(lines) > 0 {
			out = append(out, part{title, lines})
		}
	}
	var blocks, lost, waits, least, faults, refused, differs []string
	for _, b := range r.Blocks {
		line := withOwner(b.What(r.Site), b.Owner)
		for _, detail := range []string{b.Detail, b.Hint} {
			if detail != "" {
				line += "\n" + detail
			}
		}
		blocks = append(blocks, line)
	}
	for _, s := range r.Services {
		if s.Lost > 0 {
			lost = append(lost, fmt.Sprintf("%s/%s: %d of %d requests\n%s", s.Namespace, s.Name, s.Lost, s.Requests, strings.Join(s.Why, "\n")))
		}
	}
	for _, w := range r.Waits {
		line := fmt.Sprintf("%s: %s until %s", w.Step, seconds(w.Took), w.Gate)
		if w.Reason != "" {
			line += ": " + w.Reason
		}
		waits = append(waits, withOwner(line, w.Owner))
	}
	for _, l := range r.Workloads {
		line := fmt.Sprintf("%s %s/%s: %d of %d pods ready", l.Kind, l.Namespace, l.Name, l.Fewest, l.Desired)
		if l.Step != "" {
			line += ", " + l.Step
		}
		least = append(least, line)
	}
	for _, f := range r.Faults {
		at := "injected at " + f.At
		if f.At == "" {
			at = "never injected: its step did not begin"
		}
		faults = append(faults, f.Spec+": "+at)
	}
	for _, o := range r.Refused {
		refused = append(refused, o.Object+": "+o.Reason)
	}
	for _, d := range r.Differences {
		differs = append(differs, d.What+". "+d.Consequence)
	}
	add("In the way", blocks)
	add("Requests lost", lost)
	add("The twin's plan is not the site's", r.Other)
	add("Faults", faults)
	add("Waited", waits)
	add("Least redundancy", least)
	add("Order", oneLine(strings.Join(r.Order, ", ")))
	add("Refused by the twin's API", refused)
	add("Ready at the site, and not in the twin", r.Unwell)
	add("Assumed", r.Assumed)
	add("Not proven", differs)
	return out
}

func oneLine(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func withOwner(line, owner string) string {
	if owner == "" {
		return line
	}
	return line + " (" + owner + ")"
}

// seconds says how long something took, to the second.
func seconds(d time.Duration) string { return d.Round(time.Second).String() }

// rehearsalHead names what was rehearsed.
func rehearsalHead(r lifecycle.Rehearsal) string {
	head := "Site " + r.Site
	if !r.From.IsZero() {
		head += ", k0s " + r.From.String()
	}
	if !r.To.IsZero() && r.To != r.From {
		head += " -> " + r.To.String()
	}
	return head + ", as it was at " + r.Taken.UTC().Format("2006-01-02 15:04 UTC")
}

func rehearsalText(r lifecycle.Rehearsal, style Style) string {
	t := planText{style: style}
	t.line("%s", style.paint(codeBold, rehearsalHead(r)))
	t.line("%s", capital(r.Sentence())+".")
	for _, p := range rehearsalParts(r) {
		t.line("")
		t.line("%s", style.paint(codeBold, p.title))
		for _, l := range p.lines {
			t.line("  %s", strings.ReplaceAll(l, "\n", "\n      "))
		}
	}
	return t.b.String()
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// RehearsalMarkdown is the sentence, and the rest folded: for a note in a merge request.
func RehearsalMarkdown(r lifecycle.Rehearsal) string {
	var b strings.Builder
	parts := rehearsalParts(r)
	fmt.Fprintf(&b, "%s.\n\n", lifecycle.Markdown(capital(r.Sentence())))
	if len(parts) == 0 {
		fmt.Fprintf(&b, "%s.\n", lifecycle.Markdown(rehearsalHead(r)))
		return b.String()
	}
	fmt.Fprintf(&b, "<details><summary>%s</summary>\n", html.EscapeString(rehearsalHead(r)))
	for _, p := range parts {
		fmt.Fprintf(&b, "\n**%s**\n\n", p.title)
		for _, l := range p.lines {
			var safe []string
			for line := range strings.SplitSeq(l, "\n") {
				safe = append(safe, lifecycle.Markdown(line))
			}
			fmt.Fprintf(&b, "- %s\n", strings.Join(safe, "<br>"))
		}
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// rehearsalHTML is a page of its own, which loads nothing.
func rehearsalHTML(r lifecycle.Rehearsal) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>%s</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}
h1{font-size:1.3em}h2{font-size:1.05em;margin:1.4em 0 .3em}
li{margin:.2em 0;white-space:pre-line}p{font-weight:600}p.no{color:#b00020}</style>
<h1>%s</h1>
<p class="%s">%s.</p>
`, html.EscapeString("Rehearsal of "+r.Site), html.EscapeString(rehearsalHead(r)), verdictClass(r),
		html.EscapeString(capital(r.Sentence())))
	for _, p := range rehearsalParts(r) {
		fmt.Fprintf(&b, "<h2>%s</h2>\n<ul>\n", p.title)
		for _, l := range p.lines {
			fmt.Fprintf(&b, "<li>%s</li>\n", html.EscapeString(l))
		}
		b.WriteString("</ul>\n")
	}
	b.WriteString("</html>\n")
	return b.String()
}

func verdictClass(r lifecycle.Rehearsal) string {
	return cmp.Or(map[bool]string{true: "yes"}[r.Through()], "no")
}
