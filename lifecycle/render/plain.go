package render

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Plain gives a sink that writes one line an event with the time into the run, for logs and pipes.
func Plain(w io.Writer, style Style) lifecycle.Sink {
	var began time.Time
	return func(e lifecycle.Event) error {
		if began.IsZero() {
			began = e.Time
		}
		if line := eventLine(e, began, style); line != "" {
			_, err := fmt.Fprintln(w, line)
			return err
		}
		return nil
	}
}

// titlesOf are the titles of a plan's stages, by id.
func titlesOf(plan lifecycle.Plan) map[string]string {
	titles := map[string]string{}
	for _, s := range plan.Stages {
		titles[s.ID] = s.Title
	}
	return titles
}

// GitLab gives a sink for the log of a GitLab job: the same lines, with one collapsible section for each stage. Stages run one after
// another, so sections never overlap; steps do, and have none.
func GitLab(w io.Writer, plan lifecycle.Plan, style Style) lifecycle.Sink {
	plain, open, titles := Plain(w, style), "", titlesOf(plan)
	return func(e lifecycle.Event) error {
		if stage := e.Stage; e.Kind != lifecycle.EventPlanned && e.Kind != lifecycle.EventSkipped && stage != open {
			if err := section(w, style, e.Time, open, stage, titles[stage]); err != nil {
				return err
			}
			open = stage
		}
		return plain(e)
	}
}

// section closes one section and opens the next; either may be "".
func section(w io.Writer, style Style, at time.Time, closed, opened, title string) error {
	var b strings.Builder
	if closed != "" {
		fmt.Fprintln(&b, style.boundary("end", at, sectionName(closed)))
	}
	if opened != "" {
		fmt.Fprintf(&b, "%s%s\n", style.boundary("start", at, sectionName(opened)), title)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// boundary begins or ends a section for GitLab, which shows nothing of it.
func (s Style) boundary(what string, at time.Time, name string) string {
	return s.raw(fmt.Sprintf("\x1b[0Ksection_%s:%d:%s\r\x1b[0K", what, at.Unix(), name))
}

// Section wraps what write writes in a collapsed section of a GitLab job's log.
func Section(w io.Writer, style Style, now func() time.Time, name, title string, write func(io.Writer) error) error {
	if _, err := fmt.Fprintf(w, "%s%s\n", style.boundary("start", now(), sectionName(name)+"[collapsed=true]"), title); err != nil {
		return err
	}
	if err := write(w); err != nil {
		return err
	}
	return section(w, style, now(), name, "", "")
}

var notSectionName = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// sectionName keeps to the characters that GitLab takes in one.
func sectionName(id string) string { return notSectionName.ReplaceAllString(id, "_") }
