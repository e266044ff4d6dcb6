package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// turnMark is how a turn is to be taken.
func turnMark(t fleet.Turn) Mark {
	switch t {
	case fleet.TurnDone:
		return MarkGood
	case fleet.TurnBlocked, fleet.TurnHeld:
		return MarkBad
	case fleet.TurnUnknown:
		return MarkUnknown
	}
	return MarkNone
}

// turnSays is a turn in words.
func turnSays(t fleet.Turn) string {
	switch t {
	case fleet.TurnGo:
		return "may go"
	case fleet.TurnRunning:
		return "a run is at work"
	case fleet.TurnWaits:
		return "waits"
	case fleet.TurnWindow:
		return "window closed"
	case fleet.TurnUnknown:
		return "not known"
	}
	return string(t)
}

// turn is whether the site may go now.
func (s site) turn() Cell {
	if s.place.Turn == "" {
		return Cell{Text: "not known", Mark: MarkUnknown}
	}
	c := Cell{Text: turnSays(s.place.Turn), Mark: turnMark(s.place.Turn)}
	if n := len(s.place.For); n > 0 && s.place.Turn == fleet.TurnWaits {
		c.Text += " for " + s.place.For[0]
		if n > 1 {
			c.Text += fmt.Sprintf(" and %d more", n-1)
		}
	}
	return c
}

// turnsPage says who may go now, who waits for whom, and what keeps the others.
func turnsPage(in Input, sites []site) Doc {
	d := Doc{File: "turns.html", Title: "Who waits for whom?",
		Lead: []string{"Which sites may be changed now, by what the repository declares and what is known " +
			"of all sites: kiban fleet next says the same at any time. Sites that are done are not listed."}}
	if len(in.Queue.Places) == 0 {
		d.Lead = append(d.Lead, "The fleet's overlays were not read, so this is not known.")
	}
	paged := map[string]bool{}
	for _, s := range sites {
		paged[s.Site] = true
	}
	for _, t := range []fleet.Turn{fleet.TurnWaits, fleet.TurnWindow, fleet.TurnHeld, fleet.TurnBlocked, fleet.TurnUnknown,
		fleet.TurnRunning,
		fleet.TurnGo, fleet.TurnDone} {
		places := in.Queue.Of(t)
		f := Figure{Number: fmt.Sprint(len(places)), Label: turnSays(t), Link: "turns.html", Mark: figureMark(len(places), turnMark(t))}
		switch {
		case len(places) == 0:
		case t == fleet.TurnDone:
			f.Link = "index.html#sites"
		default:
			f.Link += "#" + string(t)
			d.Sections = append(d.Sections, Section{ID: string(t), Title: fmt.Sprintf("%s: %d", capital(turnSays(t)), len(places)),
				Table: turnTable(places, paged)})
		}
		d.Figures = append(d.Figures, f)
	}
	d.Sections = append(d.Sections, promotionSection(sites))
	return d
}

func turnTable(places []fleet.Place, paged map[string]bool) *Table {
	t := &Table{Caption: lifecycle.Count(len(places), "site"), Head: []string{"Site", "Wave", "Why", "Until", "Steps", "What to do"},
		Search: len(places) > 20}
	for _, p := range places {
		wave, until, name := Cell{Text: fmt.Sprint(p.Wave), Key: numberKey(p.Wave)}, Cell{Text: "nothing says when"}, Cell{Text: p.Site}
		if paged[p.Site] {
			name.Link = sitePage(p.Site)
		}
		if p.Unread {
			wave = Cell{Text: "not known", Mark: MarkUnknown}
		}
		switch {
		case !p.Until.IsZero():
			until = Cell{Text: lifecycle.Stamp(p.Until)}
		case p.Turn == fleet.TurnGo:
			until = Cell{}
		}
		t.Rows = append(t.Rows, []Cell{name, wave, {Text: p.Why, Mark: turnMark(p.Turn)}, until,
			{Text: fmt.Sprint(p.Steps), Key: numberKey(p.Steps)}, {Text: p.Hint}})
	}
	return t
}

// promotionSection is who takes versions after whom, as a list within lists: those that go first, and below each those that wait for it.
func promotionSection(sites []site) Section {
	g := graph{of: map[string]site{}, below: map[string][]string{}, shown: map[string]bool{}}
	waits := map[string]bool{}
	for _, s := range sites {
		g.of[s.Site] = s
		for _, from := range s.Declared.Value.Promotion.From {
			g.below[from] = append(g.below[from], s.Site)
			waits[s.Site] = true
		}
	}
	out := Section{ID: "promotion", Title: "Promotion: who takes versions after whom"}
	var first []string
	for from := range g.below {
		if !waits[from] {
			first = append(first, from)
		}
	}
	slices.Sort(first)
	for _, name := range first {
		out.Tree = append(out.Tree, g.branch(name))
	}
	for _, name := range slices.Sorted(maps.Keys(g.below)) { // those of a circle, which validation refuses
		if !g.shown[name] {
			out.Tree = append(out.Tree, g.branch(name))
		}
	}
	if len(out.Tree) == 0 {
		out.Lines = []Cell{{Text: "No site that is known waits for another."}}
	}
	return out
}

// graph is who waits for whom.
type graph struct {
	of    map[string]site
	below map[string][]string
	shown map[string]bool
}

// branch is a site with those that wait for it. One that is shown already is not shown again with all that is below it.
func (g graph) branch(name string) Branch {
	s, known := g.of[name]
	b := Branch{Cell: Cell{Text: name}}
	if known {
		b.Link = sitePage(name)
		b.Beside = s.promotion()
	} else {
		b.Beside = Cell{Text: "not known", Mark: MarkUnknown}
	}
	if g.shown[name] {
		if len(g.below[name]) > 0 {
			b.Below = []Branch{{Cell: Cell{Text: "those that wait for it are named above"}}}
		}
		return b
	}
	g.shown[name] = true
	const open = 20
	b.Folded = len(g.below[name]) > open
	if n := len(g.below[name]); b.Folded {
		b.Beside.Text += fmt.Sprintf("; %d wait for it", n)
	}
	for _, next := range slices.Sorted(slices.Values(g.below[name])) {
		b.Below = append(b.Below, g.branch(next))
	}
	return b
}

// promotion is how a site stands in its promotion: what it runs, and what it waits for.
func (s site) promotion() Cell {
	switch s.place.Turn {
	case fleet.TurnWaits, fleet.TurnBlocked, fleet.TurnHeld, fleet.TurnUnknown, fleet.TurnWindow:
		return Cell{Text: turnSays(s.place.Turn) + ": " + s.place.Why, Mark: cmp.Or(turnMark(s.place.Turn), MarkOdd)}
	case "":
		return s.versions()
	}
	v := s.versions()
	return Cell{Text: v.Text + ", " + turnSays(s.place.Turn), Mark: cmp.Or(v.Mark, turnMark(s.place.Turn))}
}

func figureMark(n int, m Mark) Mark {
	if n == 0 {
		return MarkNone
	}
	return m
}
