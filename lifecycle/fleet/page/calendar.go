package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// calendarPage says by when to leave which version.
func calendarPage(sites []site) Doc {
	d := Doc{File: "calendar.html", Title: "By when must sites leave their version?", Lead: []string{
		"The last day on which the first merge request may be opened, for a site to be off its minor release " +
			"before support ends, the most urgent first. " +
			"What was assumed is on each site's page."}}
	dated, unknown := byUrgency(sites)
	t := &Table{Caption: lifecycle.Count(len(dated), "site"), Head: []string{"Open by", "Days left", "Site", "First merge request is for",
		"Runs", "Goes to",
		"Support ends", "Next version"}, Empty: "No date is known of any site.", Search: true}
	minors := map[string][]site{}
	for _, s := range dated {
		v := look(s, s.Support)
		e, n := v.Value, daysUntil(v.Value.OpenBy, s.now)
		mark := supportMark(e, s.now)
		if !v.Now {
			mark = MarkOld
		}
		minors[e.Runs] = append(minors[e.Runs], s)
		runs := Cell{Text: e.Runs}
		if !v.Now {
			runs.Text += " (" + v.when() + ")"
		}
		t.Rows = append(t.Rows, []Cell{{Text: day(e.OpenBy), Mark: mark}, {Text: daysLeft(n), Key: fmt.Sprintf("%09d", n+100000)}, s.name(),
			{Text: e.First}, runs, {Text: e.Target}, {Text: day(e.Ends)}, s.next()})
	}
	d.Sections = []Section{minorsSection(minors), {ID: "sites", Title: "By site", Table: t}}
	if len(unknown) > 0 {
		rest := &Table{Caption: lifecycle.Count(len(unknown), "site"), Head: []string{"Site", "Why", "Declared"}}
		for _, s := range unknown {
			why := cmp.Or(look(s, s.Support).Why, s.Support.Value.Why)
			rest.Rows = append(rest.Rows, []Cell{s.name(), {Text: why}, {Text: declaredVersion(s)}})
		}
		d.Sections = append(d.Sections, Section{ID: "unknown", Title: "No date is known", Table: rest})
	}
	return d
}

func declaredVersion(s site) string {
	switch v := s.Declared.Value.Version; {
	case s.external():
		return "run by others"
	case v.IsZero():
		return "not known"
	default:
		return v.String()
	}
}

func daysLeft(n int) string {
	switch {
	case n == 0:
		return "today"
	case n < 0:
		return lifecycle.Count(-n, "day") + " late"
	}
	return lifecycle.Count(n, "day")
}

// byUrgency are the sites with a date, the first one first, and those without.
func byUrgency(sites []site) (dated, unknown []site) {
	for _, s := range sites {
		if v := look(s, s.Support); v.Ever && !v.Value.OpenBy.IsZero() {
			dated = append(dated, s)
		} else {
			unknown = append(unknown, s)
		}
	}
	slices.SortStableFunc(dated, func(a, b site) int { return a.Support.Value.OpenBy.Compare(b.Support.Value.OpenBy) })
	return dated, unknown
}

// minorsSection is how many sites run each minor, and until when it is supported.
func minorsSection(minors map[string][]site) Section {
	t := &Table{Caption: "Minor releases that sites run", Head: []string{"Kubernetes", "Sites", "Support ends", "First to leave it, by"},
		Empty: "None is known."}
	names := slices.SortedFunc(maps.Keys(minors), func(a, b string) int { return cmp.Compare(versionKey(a), versionKey(b)) })
	for _, name := range names {
		all := minors[name]
		e := all[0].Support.Value
		ends := Cell{Text: day(e.Ends) + left(e.Ends, all[0].now)}
		if outOfSupport(e, all[0].now) {
			ends.Mark = MarkBad
		}
		t.Rows = append(t.Rows, []Cell{{Text: name, Key: versionKey(name)}, {Text: fmt.Sprint(len(all)), Key: numberKey(len(all))}, ends,
			{Text: all[0].Site + ", " + day(e.OpenBy), Link: sitePage(all[0].Site)}})
	}
	return Section{ID: "minors", Title: "By minor release", Table: t}
}
