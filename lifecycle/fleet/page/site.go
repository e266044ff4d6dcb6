package page

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// siteDoc is the page of one site.
func siteDoc(in Input, s site, components []string) Doc {
	d := Doc{File: sitePage(s.Site), Title: s.Site}
	switch {
	case s.Asked.IsZero():
		d.Lead = append(d.Lead, "Nothing is known of it: "+trimStop(s.Failed)+".")
	case s.Failed != "":
		d.Lead = append(d.Lead, fmt.Sprintf("It was asked at %s, and nothing could be learnt: %s.", lifecycle.Stamp(s.Asked),
			trimStop(s.Failed)))
	case s.stale():
		d.Lead = append(d.Lead, fmt.Sprintf("It was asked at %s, %s before the moment of these pages: nothing below is of now.",
			lifecycle.Stamp(s.Asked),
			lifecycle.Span(s.now.Sub(s.Asked))))
	default:
		d.Lead = append(d.Lead, "It was asked at "+lifecycle.Stamp(s.Asked)+".")
	}
	if !s.listed {
		d.Lead = append(d.Lead, "The repository has no such site any more.")
	}
	if s.place.Unread {
		d.Lead = append(d.Lead, "Its overlay can't be read, so what it is to be is not known: what it declares, what a plan would do and what "+
			"the next version would break are as of when it was known last. To see why: "+s.place.Hint)
	}
	d.Sections = []Section{s.summary()}
	if why := s.keeps(); len(why.Facts) > 0 {
		d.Sections = append(d.Sections, why)
	}
	add := func(sections ...Section) { d.Sections = append(d.Sections, sections...) }
	if !s.Asked.IsZero() {
		add(s.problems(), s.planSection(), s.readiness(), s.supportSection(), s.runsSection(), s.locksSection(), s.backupsSection(),
			s.certificatesSection(), s.machinesSection(), s.addonsSection(), s.tenantsSection())
	}
	add(s.declaredSection(), s.change(in, components))
	return d
}

// summary is how it is, in short.
func (s site) summary() Section {
	out := Section{ID: "summary", Title: "In short"}
	out.Facts = append(out.Facts, Fact{"Stands", s.stands()}, Fact{"k0s", s.versions()}, Fact{"Support", s.support()},
		Fact{"Next version", s.next()}, Fact{"Drift", s.drift()}, Fact{"Turn", s.whoseTurn()}, Fact{"Last run", s.lastRun()},
		Fact{"Proven restore", s.proven()}, Fact{"Newest backup", s.newestBackup()}, Fact{"First certificate ends", s.certificates()})
	if st := look(s, s.Standing); st.Ever {
		out.Facts = append(out.Facts, Fact{"Machines that answer", ofAll(st.Value.Reached, st.Value.Machines)},
			Fact{"Nodes that are ready", ofAll(st.Value.Ready, st.Value.Nodes)})
	}
	return out
}

// section is one that is made of a part, with when that was learnt.
func section[T any](s site, id, title string, p fleet.Part[T], fill func(*Section, T)) Section {
	v := look(s, p)
	out := Section{ID: id, Title: title}
	out.Note, out.Mark = v.note()
	if v.Ever {
		fill(&out, v.Value)
	}
	if !v.Now {
		out.age()
	}
	return out
}

// age has nothing of a section be taken for what is: what was good then may not be now.
func (s *Section) age() {
	old := func(c *Cell) {
		if c.Mark == MarkGood || c.Mark == MarkOdd || c.Mark == MarkBad {
			c.Mark = MarkOld
		}
	}
	for i := range s.Lines {
		old(&s.Lines[i])
	}
	for i := range s.Facts {
		old(&s.Facts[i].Cell)
	}
	if s.Table == nil {
		return
	}
	for _, row := range s.Table.Rows {
		for i := range row {
			old(&row[i])
		}
	}
}

func (s site) problems() Section {
	return section(s, "problems", "What is wrong", s.Standing, func(out *Section, st fleet.Standing) {
		out.Lines = findings(st.Problems)
		if st.API != "" {
			out.Lines = append(out.Lines, Cell{Text: "The API did not answer: " + st.API, Mark: MarkBad})
		}
		if len(out.Lines) == 0 && out.Note == "" {
			out.Lines = []Cell{{Text: "Nothing that kiban status looks at.", Mark: MarkGood}}
		} else if len(out.Lines) == 0 {
			out.Lines = []Cell{{Text: "Nothing then.", Mark: MarkOld}}
		}
	})
}

// findings are diagnostics, a line each.
func findings(ds lifecycle.Diagnostics) (out []Cell) {
	for _, d := range ds {
		text := d.Summary
		if d.Subject != "" && !strings.Contains(text, d.Subject) {
			text = d.Subject + ": " + text
		}
		for _, more := range []string{d.Detail, d.Hint} {
			if more != "" {
				text += ". " + trimStop(more)
			}
		}
		mark := MarkBad
		if d.Severity == lifecycle.SeverityWarning {
			mark = MarkOdd
		}
		out = append(out, Cell{Text: text, Mark: mark})
	}
	return out
}

func (s site) planSection() Section {
	return section(s, "drift", "What a plan would do", s.Drift, func(out *Section, d fleet.Drift) {
		out.Facts = []Fact{{"Steps", s.drift()}, {"Of them disrupt", Cell{Text: fmt.Sprint(d.Disrupts)}}}
		fact := func(name, text string) {
			if text != "" {
				out.Facts = append(out.Facts, Fact{name, Cell{Text: text}})
			}
		}
		if !d.Target.IsZero() {
			fact("Version to come", d.Target.String())
		}
		fact("Unfinished", d.Unfinished)
		fact("Not due yet", d.Waits)
		if d.Estimate > 0 {
			fact("May take", lifecycle.Span(d.Estimate))
		}
		out.Lines = append(findings(d.Stops), texts(d.First)...)
		if more := d.Steps - len(d.First); more > 0 && len(d.First) > 0 {
			out.Lines = append(out.Lines, Cell{Text: fmt.Sprintf("and %d more: kiban plan %s", more, lifecycle.ShellWord(s.Site))})
		}
	})
}

func texts(lines []string) (out []Cell) {
	for _, l := range lines {
		out = append(out, Cell{Text: l})
	}
	return out
}

func (s site) readiness() Section {
	return section(s, "ready", "What the next version would break", s.Ready, func(out *Section, f fleet.Foresight) {
		verdict := Cell{Text: f.Verdict}
		if out.Note != "" {
			verdict = Cell{Text: "Then: " + f.Verdict, Mark: MarkOld}
		}
		out.Lines = append([]Cell{verdict}, texts(f.First)...)
		if !f.To.IsZero() {
			out.Facts = []Fact{{"Version", Cell{Text: f.To.String()}}, {"In the way", Cell{Text: fmt.Sprint(f.Blocks)}},
				{"To look at", Cell{Text: fmt.Sprint(f.Attention)}}, {"Not looked at", Cell{Text: fmt.Sprint(f.Unseen)}}}
		}
	})
}
