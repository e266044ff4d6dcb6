package calendar

import (
	"fmt"
	"html/template"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Soon is how little slack is worth a word to people: in status, in notes, in messages.
const Soon = 30

// Last is how little slack is worth a second word.
const Last = 7

// Near is the last mark that an entry's slack has passed: Soon or Last, days that are left at most, or -1, where it is used up. ok is false
// where there is no hurry, or the date is not known.
func (e Entry) Near() (mark int, ok bool) {
	switch {
	case e.OpenBy.IsZero() || e.Slack > Soon:
		return 0, false
	case e.Slack < 0:
		return -1, true
	case e.Slack <= Last:
		return Last, true
	}
	return Soon, true
}

// slack says how many days are left: "in 11 days", "today", "3 days ago".
func (e Entry) slack() string {
	switch {
	case e.Slack == 0:
		return "today"
	case e.Slack < 0:
		return lifecycle.Count(-e.Slack, "day") + " ago"
	}
	return "in " + lifecycle.Count(e.Slack, "day")
}

// sentence is an entry in a sentence, with how many days are left, and what to do where none are.
func (e Entry) sentence() string {
	if e.OpenBy.IsZero() {
		return e.fact() + "."
	}
	said := e.fact() + " (" + e.slack() + ")."
	if e.Slack < 0 {
		said += fmt.Sprintf(" Open it now: kiban ready %s --to %s says what is in its way.", e.First, e.Target)
	}
	return said
}

// fact is what does not change from day to day.
func (e Entry) fact() string {
	if e.OpenBy.IsZero() {
		return e.Site + ": " + e.Why
	}
	who := "its first merge request"
	if e.First != e.Site {
		who = "the first merge request, which is for " + e.First + ","
	}
	return fmt.Sprintf("%s is to be off Kubernetes %s by %s: %s must be open by %s", e.Site, e.Runs, e.Ends.Format(time.DateOnly), who,
		e.OpenBy.Format(time.DateOnly))
}

// Line is what status and notes say of a site whose time runs short: "11 days of slack left: ..."; "" where there is no hurry.
func (e Entry) Line() string {
	switch {
	case e.OpenBy.IsZero() || e.Slack > Soon:
		return ""
	case e.Slack < 0:
		return fmt.Sprintf("%s late to leave Kubernetes %s in time: %s", lifecycle.Count(-e.Slack, "day"), e.Runs, e.sentence())
	}
	return fmt.Sprintf("%s of slack left: %s", lifecycle.Count(e.Slack, "day"), e.sentence())
}

// Text writes the calendar for people: nothing where it has no site.
func (c Calendar) Text(w io.Writer) error {
	if len(c.Entries) == 0 {
		return nil
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SITE\tRUNS\tSUPPORT ENDS\tOPEN THE FIRST BY\tFOR\tTO")
	for _, e := range c.Entries {
		if e.OpenBy.IsZero() {
			fmt.Fprintf(t, "%s\t%s\t-\t-\t-\t-\n", e.Site, dash(e.Runs))
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s, %s\t%s\t%s\n", e.Site, e.Runs, e.Ends.Format(time.DateOnly), e.OpenBy.Format(time.DateOnly),
			e.slack(), e.First,
			e.Target)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, e := range c.Entries {
		fmt.Fprintf(&b, "\n%s\n", e.sentence())
		for _, a := range e.Assumed {
			fmt.Fprintf(&b, "  Assumed: %s\n", a)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// HTML writes the calendar as one page that needs nothing else.
func (c Calendar) HTML(w io.Writer) error { return page().Execute(w, c) }

func page() *template.Template {
	return template.Must(template.New("calendar").Funcs(template.FuncMap{
		"day":   func(t time.Time) string { return t.Format(time.DateOnly) },
		"slack": Entry.slack, "sentence": Entry.sentence,
		"mark": func(e Entry) string {
			switch {
			case e.OpenBy.IsZero():
				return "unknown"
			case e.Slack < 0:
				return "late"
			case e.Slack <= Soon:
				return "soon"
			}
			return "well"
		},
	}).Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Support of this fleet</title>
<style>body{font:15px sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse}th,td{text-align:left;padding:.3em 1em .3em 0;
border-bottom:1px solid #ccc;vertical-align:top}
.late{color:#b00020;font-weight:bold}.soon{color:#9a5b00;font-weight:bold}.unknown{color:#666}</style>
<h1>By when the first merge request must be open</h1><p>As of {{day .Made}}.</p>
<table><tr><th>Site<th>Runs<th>Support ends<th>Open by<th>For<th>To<th>Assumed</tr>
{{range .Entries}}<tr class="{{mark .}}"><td>{{.Site}}<td>{{.Runs}}{{if .OpenBy.IsZero}}<td colspan="5">{{.Why}}{{else -}}
<td>{{day .Ends}}<td>{{day .OpenBy}}, {{slack .}}<td>{{.First}}<td>{{.Target}}<td><details><summary>{{len .Assumed}}</summary>
{{range .Assumed}}<p>{{.}}</p>{{end}}</details>{{end}}</tr>
{{end}}</table></html>
`))
}
