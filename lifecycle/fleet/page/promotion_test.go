package page

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle/fleet"
)

// A graph with a circle, a diamond and a site that nobody knows ends.
func TestPromotionGraph(t *testing.T) {
	from := func(name string, from ...string) site {
		c := well(t, name, 1, nil)
		c.Declared.Value.Promotion.From = from
		return siteOf(c)
	}
	s := promotionSection([]site{from("a"), from("b", "a"), from("c", "a"), from("d", "b", "c"), from("e", "d"),
		from("x", "y"), from("y", "x"), from("z", "gone")}, at())
	if len(s.Tree) != 3 || s.Tree[2].Text != "x" || s.Tree[0].Text != "a" || s.Tree[1].Text != "gone" ||
		s.Tree[1].Beside.Mark != MarkUnknown {
		t.Fatalf("%+v", s.Tree)
	}
	b, c := s.Tree[0].Below[0], s.Tree[0].Below[1]
	if b.Below[0].Text != "d" || b.Below[0].Below[0].Text != "e" ||
		c.Below[0].Below[0].Text != "those that wait for it are named above" {
		t.Errorf("%+v", s.Tree[0])
	}
}

// How far a promotion is stands in words and in the picture; what nobody can reckon does not.
func TestSoaked(t *testing.T) {
	tests := map[string]struct {
		place fleet.Place
		soak  time.Duration
		says  string
		share int
	}{
		"under way":      {fleet.Place{Turn: fleet.TurnWaits, Until: at().Add(41 * time.Hour)}, 72 * time.Hour, "31 of 72 h", 43},
		"minutes":        {fleet.Place{Turn: fleet.TurnWaits, Until: at().Add(20 * time.Minute)}, 30 * time.Minute, "10 of 30 min", 33},
		"no end":         {fleet.Place{Turn: fleet.TurnWaits}, 72 * time.Hour, "", 0},
		"a window":       {fleet.Place{Turn: fleet.TurnWindow, Until: at().Add(time.Hour)}, 72 * time.Hour, "", 0},
		"another's rule": {fleet.Place{Turn: fleet.TurnWaits, Until: at().Add(80 * time.Hour)}, 72 * time.Hour, "", 0},
		"no rule":        {fleet.Place{Turn: fleet.TurnWaits, Until: at().Add(time.Hour)}, 0, "", 0},
	}
	for name, tt := range tests {
		says, bar := soaked(tt.place, at(), tt.soak)
		if says != tt.says || (bar == nil) != (says == "") || bar != nil && bar.Share != tt.share {
			t.Errorf("%s: %q %+v", name, says, bar)
		}
	}
}

// Three thousand sites make a graph that is no longer than what there is to say of them, and each has its place in it.
func TestPromotionScales(t *testing.T) {
	in := story(t, 400)
	s := promotionSection(in.sites(), in.At())
	named, lines := map[string]int{}, 0
	var walk func(b Branch, open bool)
	walk = func(b Branch, open bool) {
		named[b.Text]++
		if open {
			lines++
		}
		for _, below := range b.Below {
			walk(below, open && !b.Folded)
		}
	}
	for _, b := range s.Tree {
		walk(b, true)
	}
	for _, c := range in.Sites {
		for _, name := range append([]string{c.Site}, c.Declared.Value.Promotion.From...) {
			if named[name] == 0 && len(c.Declared.Value.Promotion.From) > 0 {
				t.Errorf("%s has no place in the graph", name)
			}
		}
	}
	if lines > 100 {
		t.Errorf("%d lines are open", lines)
	}
	all := 0
	for _, stage := range stagesSection(in.sites()).Stages {
		end := 0
		for _, p := range stage.Parts {
			all += p.Number
			if p.At < end {
				t.Errorf("%s: %s lies over the one before", stage.Title, p.Label)
			}
			end = p.At + 1
		}
		if stage.Summary() == "" {
			t.Errorf("%s says nothing", stage.Title)
		}
	}
	if all != 400 {
		t.Errorf("%d sites are in the picture", all)
	}
}

// What is done, not known, may go and is at work are told apart in the picture, on pages that are old, too.
func TestPicturesTellApart(t *testing.T) {
	css, fills := string(style), map[string]fleet.Turn{}
	for _, turn := range []fleet.Turn{fleet.TurnDone, fleet.TurnUnknown, fleet.TurnGo, fleet.TurnRunning, fleet.TurnWaits, fleet.TurnHeld} {
		class := string(cmp.Or(turnMark(turn), turnPicture(turn), "plain"))
		for _, aged := range []string{"", ".is-aged "} {
			_, rule, has := strings.Cut(css, aged+".stage ."+class+"{")
			if !has && aged != "" {
				continue // as before
			}
			rule, _, _ = strings.Cut(rule, "}")
			if other, taken := fills[rule]; !has || taken && other != turn {
				t.Errorf("%s%s is shown as %s is: %q", aged, turn, other, rule)
			}
			fills[rule] = turn
		}
	}
}
