package page

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// standsShown is how many characters of how a site stands the table of all sites has.
const standsShown = 80

func indexPage(in Input, sites []site, answers []answer) Doc {
	d := Doc{File: "index.html", Title: "The fleet"}
	d.Figures = append(d.Figures, Figure{Number: fmt.Sprint(len(sites)), Label: plural(len(sites), "site"), Link: "index.html#sites"})
	for _, a := range answers {
		d.Figures = append(d.Figures, a.figure())
	}
	d.Figures = append(d.Figures, waiting(in), fullest(sites), addonVersions(sites))
	if n := len(in.Unusable); n > 0 {
		s := Section{ID: "unusable", Title: "Files that can't be used", Note: lifecycle.Count(n, "file") +
			" of the collect can't be used; nothing of what they say is on these pages.", Mark: MarkUnknown}
		for _, f := range in.Unusable {
			s.Lines = append(s.Lines, Cell{Text: f.Subject + ": " + f.Summary + ". " + lifecycle.OneLine(f.Detail)})
		}
		s.Folded = n > 5
		d.Sections = append(d.Sections, s)
	}
	t := &Table{Caption: fmt.Sprintf("All sites (%d)", len(sites)), Search: true,
		Head: []string{"Site", "Stands", "k0s", "Support", "Next version", "Drift", "Turn", "Last run", "Proven restore",
			"First certificate ends", "Asked",
			"Wave and labels"}, Empty: "Nothing was collected of any site. kiban fleet collect does."}
	for _, s := range sites {
		stands := s.stands()
		stands.Text = lifecycle.Shorten(stands.Text, standsShown)
		t.Rows = append(t.Rows, []Cell{s.name(), stands, s.versions(), s.support(), s.next(), s.drift(), s.turn(), s.lastRun(), s.proven(),
			s.certificates(),
			s.asked(), s.labels()})
	}
	d.Sections = append(d.Sections, Section{ID: "sites", Title: "All sites", Table: t})
	return d
}

// waiting is how many sites have something to do and may not go now.
func waiting(in Input) Figure {
	f := Figure{Label: "wait or are held", Link: "turns.html"}
	n := 0
	for _, t := range []fleet.Turn{fleet.TurnWaits, fleet.TurnWindow, fleet.TurnBlocked, fleet.TurnHeld} {
		n += len(in.Queue.Of(t))
	}
	f.Number = fmt.Sprint(n)
	if len(in.Queue.Places) == 0 {
		f.Number, f.Beside = "?", "not known"
	} else if may := len(in.Queue.Of(fleet.TurnGo)); may > 0 {
		f.Beside = fmt.Sprintf("%d may go now", may)
	}
	return f
}

// fullest is the fullest quota of all tenants.
func fullest(sites []site) Figure {
	f := Figure{Number: "none", Label: "quota is known", Link: "tenants.html"}
	if all := tenantsOf(sites); len(all) > 0 && all[0].resource != "" {
		t := all[0]
		f.Number, f.Label, f.Mark = fmt.Sprintf("%.0f %%", 100*t.fullest), "fullest quota", shareMark(t.fullest)
		f.Beside = lifecycle.Shorten(t.name, 40)
	}
	return f
}

// addonVersions is how many addons sites have in more than one version.
func addonVersions(sites []site) Figure {
	n := versionsDiffering(byName(sites, addonsOf))
	return Figure{Number: fmt.Sprint(n), Label: plural(n, "addon") + " in several versions", Link: "catalogue.html#versions",
		Mark: figureMark(n, MarkOdd)}
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
