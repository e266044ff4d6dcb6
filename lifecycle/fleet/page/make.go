package page

import (
	"slices"
	"time"
)

// Site are all pages, and the moment for which they hold. Those of single sites are made when they are asked for: there may be thousands.
type Site struct {
	Now time.Time
	// Menu are the pages that every page leads to.
	Menu       []Cell
	docs       []Doc
	in         Input
	sites      []site
	components []string
}

// Make decides what stands on which page.
func Make(in Input) Site {
	sites, asked := in.sites(), questions()
	out := Site{Now: in.At(), in: in, sites: slices.DeleteFunc(slices.Clone(sites), func(s site) bool { return sitePage(s.Site) == "" })}
	answers := make([]answer, len(asked))
	for i, q := range asked {
		answers[i] = q.answer(sites)
	}
	out.docs = append(out.docs, indexPage(in, sites, answers))
	for _, a := range answers {
		out.docs = append(out.docs, a.doc())
	}
	out.docs = append(out.docs, turnsPage(in, sites), calendarPage(sites), runsPage(in, sites), groupsPage(sites, asked),
		tenantsPage(sites), cataloguePage(in, sites))
	out.Menu = []Cell{{Text: "Fleet", Link: "index.html"}, {Text: "Who may go", Link: "turns.html"}, {Text: "Calendar",
		Link: "calendar.html"},
		{Text: "Runs", Link: "runs.html"}, {Text: "Groups", Link: "groups.html"}, {Text: "Tenants", Link: "tenants.html"},
		{Text: "Catalogue", Link: "catalogue.html"}}
	for _, c := range in.components(sites) {
		out.components = append(out.components, c.name)
	}
	return out
}

// Len is how many pages there are.
func (s Site) Len() int { return len(s.docs) + len(s.sites) }

// Doc is one of the pages.
func (s Site) Doc(i int) Doc {
	if i < len(s.docs) {
		return s.docs[i]
	}
	return siteDoc(s.in, s.sites[i-len(s.docs)], s.components)
}
