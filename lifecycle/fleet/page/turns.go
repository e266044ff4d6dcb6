package page

import (
	"fmt"
	"slices"
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
	paged, soaks := map[string]bool{}, map[string]time.Duration{}
	for _, s := range sites {
		paged[s.Site], soaks[s.Site] = true, s.Declared.Value.Promotion.Soak
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
				Table: turnTable(places, in.Queue.At, paged, soaks)})
		}
		d.Figures = append(d.Figures, f)
	}
	d.Sections = append(d.Sections, promotionSection(sites, in.Queue.At))
	return d
}

// waitsFor names the sites that one waits for, or whose failure holds it, and leads to the first of them.
func waitsFor(p fleet.Place, paged map[string]bool) Cell {
	others := slices.DeleteFunc(slices.Clone(p.For), func(name string) bool { return name == p.Site })
	c := Cell{Text: lifecycle.Few(others)}
	if len(others) > 0 && paged[others[0]] {
		c.Link = sitePage(others[0])
	}
	return c
}

func turnTable(places []fleet.Place, now time.Time, paged map[string]bool, soaks map[string]time.Duration) *Table {
	t := &Table{Caption: lifecycle.Count(len(places), "site"), Search: len(places) > 20,
		Head: []string{"Site", "Wave", "Why", "Waits for", "So far", "Until", "Steps", "What to do"}}
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
			until = Cell{Key: lifecycle.Stamp(p.Until)}
			until.Text = until.Key + ", in " + lifecycle.Span(p.Until.Sub(now))
		case p.Turn == fleet.TurnGo:
			until = Cell{}
		}
		so, _ := soaked(p, now, soaks[p.Site])
		t.Rows = append(t.Rows, []Cell{name, wave, {Text: p.Why, Mark: turnMark(p.Turn)}, waitsFor(p, paged), {Text: so}, until,
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
