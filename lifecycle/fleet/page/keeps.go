package page

import (
	"cmp"
	"fmt"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// whoseTurn is the turn on the site's own page: it leads to what is said of it there.
func (s site) whoseTurn() Cell {
	c := s.turn()
	if s.stopped() {
		c.Text, c.Link = turnSays(s.place.Turn), anchor(sitePage(s.Site), "keeps")
	}
	return c
}

// stopped reports whether it has something to do, and something keeps it from that.
func (s site) stopped() bool {
	switch s.place.Turn {
	case fleet.TurnHeld, fleet.TurnBlocked, fleet.TurnWaits, fleet.TurnWindow, fleet.TurnUnknown:
		return true
	}
	return false
}

// keeps is why the site does not go on, as far as anything keeps it: a failure of its own first, then what the queue says.
func (s site) keeps() Section {
	out := Section{ID: "keeps", Title: "Why it does not go on"}
	if c, failed := s.failure(); failed {
		out.Facts = append(out.Facts, Fact{"Its last run failed", c})
	}
	p := s.place
	if !s.stopped() {
		out.Title = "What failed"
		return out
	}
	fact := func(name string, c Cell) {
		if c.Text != "" {
			out.Facts = append(out.Facts, Fact{name, c})
		}
	}
	fact(capital(turnSays(p.Turn)), Cell{Text: p.Why, Mark: turnMark(p.Turn)})
	others := "Waits for"
	if p.Turn == fleet.TurnHeld {
		others = "Held by what failed at"
		fact("Hold", Cell{Text: p.Hold})
	}
	fact(others, s.waitsFor())
	until := Cell{Text: "nothing says when: somebody has to see to it"}
	switch {
	case !p.Until.IsZero():
		until.Text = lifecycle.Stamp(p.Until) + ", in " + lifecycle.Span(p.Until.Sub(s.now))
	case p.Turn == fleet.TurnHeld:
		until.Text = "it is lifted, or a run of its own goes through"
	case p.Turn == fleet.TurnWaits:
		until.Text = "nothing says when: until those have come through"
	}
	fact("Until", until)
	fact("What to do", Cell{Text: p.Hint})
	fact("Others of which the same is so", Cell{Text: "Who may go: " + turnSays(p.Turn), Link: "turns.html#" + string(p.Turn)})
	return out
}

// failure is why the site's last run that carried out what is declared has failed; false where it has not.
func (s site) failure() (Cell, bool) {
	v := look(s, s.Runs)
	r, ok := lastApplied(v.Value)
	if !v.Ever || !ok || r.Result != lifecycle.RunFailed {
		return Cell{}, false
	}
	return v.cell(func([]lifecycle.RunRecord) Cell {
		return Cell{Text: fmt.Sprintf("%s, %s: %s", r.ID, lifecycle.Stamp(r.Ended), whyFailed(r)), Mark: MarkBad}
	}), true
}

// inTheWay is what stands in the way of another version, before anybody proposes it.
func (s site) inTheWay() (out []Cell) {
	why, mark := trimStop(s.place.Why)+".", cmp.Or(turnMark(s.place.Turn), MarkOdd)
	switch {
	case s.place.Unread:
		out = append(out, Cell{Text: "Its overlay can't be read: mend that first.", Mark: mark})
	case s.place.Turn == fleet.TurnUnknown:
		out = append(out, Cell{Text: "Whether it can take another version now is not known: " + why, Mark: mark})
	case s.stopped(), s.place.Turn == fleet.TurnRunning:
		out = append(out, Cell{Text: "It can't take another version now (" + turnSays(s.place.Turn) + "): " + why, Mark: mark})
	}
	f := look(s, s.Ready)
	if n := f.Value.Blocks; n > 0 {
		out = append(out, f.cell(func(r fleet.Foresight) Cell {
			text := lifecycle.Count(n, "finding") + " in the way of " + r.To.String()
			if len(r.First) > 0 {
				text += ", the first: " + trimStop(r.First[0])
			}
			return Cell{Text: text, Mark: MarkBad, Link: anchor(sitePage(s.Site), "ready")}
		}))
	}
	if f.Ever && !f.Now {
		out = append(out, Cell{Text: "What it would break is not known as of now: kiban ready " + lifecycle.ShellWord(s.Site) + " says.",
			Mark: MarkOld})
	}
	return out
}
