package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
		Lead: []string{"Which sites may be changed now, who waits for whom, and for how long still, " +
			"by what the repository declares and what is known " +
			"of all sites: kiban fleet next says the same at any time. Sites that are done are not listed."}}
	if len(in.Queue.Places) == 0 {
		d.Lead = append(d.Lead, "The fleet's overlays were not read, so this is not known.")
	}
	of := map[string]site{}
	for _, s := range sites {
		of[s.Site] = s
	}
	d.Sections = append(d.Sections, stagesSection(sites))
	for _, t := range turnsInOrder() {
		places := in.Queue.Of(t)
		f := Figure{Number: fmt.Sprint(len(places)), Label: turnSays(t), Link: "turns.html", Mark: figureMark(len(places), turnMark(t))}
		switch {
		case len(places) == 0:
		case t == fleet.TurnDone:
			f.Link = "index.html#sites"
		default:
			f.Link += "#" + string(t)
			d.Sections = append(d.Sections, Section{ID: string(t), Title: fmt.Sprintf("%s: %d", capital(turnSays(t)), len(places)),
				Table: turnTable(places, in.Queue.At, of)})
		}
		d.Figures = append(d.Figures, f)
	}
	d.Sections = append(d.Sections, promotionSection(sites, in.Queue.At))
	return d
}

// waitsFor names the sites that one waits for, or whose failure holds it, and leads to each.
func (s site) waitsFor() (c Cell) {
	for _, name := range s.place.For {
		if name != s.Site {
			c.Parts = append(c.Parts, s.link(name))
		}
	}
	var names []string
	for _, p := range c.Parts {
		names = append(names, p.Text)
	}
	c.Text = strings.Join(names, ", ")
	return c
}

// fewOf are the first of several, and how many more there are, which the page at link names.
func (c Cell) fewOf(most int, link string) Cell {
	if more := len(c.Parts) - most; more > 0 {
		c.Parts = append(slices.Clone(c.Parts[:most]), Cell{Text: fmt.Sprintf("%d more", more), Link: link})
	}
	return c
}

func turnTable(places []fleet.Place, now time.Time, of map[string]site) *Table {
	t := &Table{Caption: lifecycle.Count(len(places), "site"), Search: len(places) > 20,
		Head: []string{"Site", "Wave", "Why", "Waits for", "So far", "Until", "Steps", "What to do"}}
	for _, p := range places {
		s, has := of[p.Site]
		if !has { // the repository has it, and nothing else
			s = site{Collected: fleet.Collected{Site: p.Site}, now: now, place: p}
		}
		until, name := Cell{Text: "nothing says when"}, s.link(p.Site)
		switch {
		case !p.Until.IsZero():
			until = Cell{Key: lifecycle.Stamp(p.Until)}
			until.Text = until.Key + ", in " + lifecycle.Span(p.Until.Sub(now))
		case p.Turn == fleet.TurnGo:
			until = Cell{}
		}
		so, _ := soaked(p, now, s.Declared.Value.Promotion.Soak)
		t.Rows = append(t.Rows, []Cell{name, s.wave().cell(), {Text: p.Why, Mark: turnMark(p.Turn)},
			s.waitsFor().fewOf(5, name.Link), {Text: so}, until,
			{Text: fmt.Sprint(p.Steps), Key: numberKey(p.Steps)}, {Text: p.Hint}})
	}
	return t.withoutEmpty()
}

func figureMark(n int, m Mark) Mark {
	if n == 0 {
		return MarkNone
	}
	return m
}
