package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// component is what sites are built with, or install, with the sites that do, by version.
type component struct {
	name, chart string
	// of are the sites by declared version; "" where there is none.
	of map[string][]site
	// differs are sites where something else is installed than is declared, ailing those where it is not well; unknown where that is not
	// known.
	differs, ailing, unknown int
}

func (c *component) sites() (n int) {
	for _, s := range c.of {
		n += len(s)
	}
	return n
}

// byName sums up sites by the names that of gives for each.
func byName(sites []site, of func(s site, add func(name, chart, version string))) []*component {
	all := map[string]*component{}
	for _, s := range sites {
		of(s, func(name, chart, version string) {
			c := all[name]
			if c == nil {
				c = &component{name: name, of: map[string][]site{}}
				all[name] = c
			}
			c.chart = cmp.Or(c.chart, chart)
			c.of[version] = append(c.of[version], s)
			c.judge(s)
		})
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *component) int { return cmp.Compare(a.name, b.name) })
}

// judge counts how the addon stands at a site.
func (c *component) judge(s site) {
	v := look(s, s.Addons)
	i := slices.IndexFunc(v.Value, func(a fleet.InstalledAddon) bool { return a.Name == c.name })
	switch {
	case !v.Now || i < 0 || v.Value[i].Unknown != "":
		c.unknown++
	case !v.Value[i].Well:
		c.ailing++
	}
	if v.Now && i >= 0 && v.Value[i].Version != "" {
		for _, d := range s.Declared.Value.Addons {
			if d.Name == c.name && d.Version != "" && d.Version != v.Value[i].Version {
				c.differs++
			}
		}
	}
}

func addonsOf(s site, add func(name, chart, version string)) {
	for _, a := range s.Declared.Value.Addons {
		add(a.Name, a.Chart, a.Version)
	}
}

func componentsOf(s site, add func(name, chart, version string)) {
	for _, name := range s.Declared.Value.Components {
		add(name, "", "")
	}
}

func versionsDiffering(all []*component) (n int) {
	for _, c := range all {
		if len(c.of) > 1 {
			n++
		}
	}
	return n
}

func cataloguePage(in Input, sites []site) Doc {
	d := Doc{File: "catalogue.html", Title: "Catalogue", Lead: []string{
		"What sites are built with, and in which versions. Everything is changed by a merge request: a button opens GitLab's " +
			"editor at the file, " +
			"beside it is what to write there, or what to run at a terminal."}}
	addons := byName(sites, addonsOf)
	t := &Table{Caption: "Addons, as the repository declares them", Head: []string{"Addon", "Chart", "Sites", "Versions",
		"Installed differs", "Not well", "Not known now"}, Empty: "No addon is declared at any site that is known."}
	for i, c := range addons {
		t.Rows = append(t.Rows, c.row(fmt.Sprintf("catalogue.html#a%d", i)))
	}
	versions := Section{ID: "versions", Title: "Which addon versions differ across sites?"}
	if versionsDiffering(addons) == 0 {
		versions.Lines = []Cell{{Text: "No addon is declared in more than one version."}}
	}
	for i, c := range addons {
		versions.Tree = append(versions.Tree, c.branch(fmt.Sprintf("a%d", i)))
	}
	d.Sections = append(d.Sections, Section{ID: "addons", Title: "Addons", Table: t}, versions, componentsSection(in, sites), newSite(in,
		sites))
	return d
}

// row is an addon in the table.
func (c *component) row(link string) []Cell {
	var parts []string
	for _, v := range c.versions() {
		parts = append(parts, fmt.Sprintf("%s (%d)", cmp.Or(v, "none of its own"), len(c.of[v])))
	}
	count := func(n int, m Mark) Cell {
		if n == 0 {
			m = MarkNone
		}
		return Cell{Text: fmt.Sprint(n), Key: numberKey(n), Mark: m}
	}
	versions := Cell{Text: strings.Join(parts, ", ")}
	if len(c.of) > 1 {
		versions.Mark = MarkOdd
	}
	return []Cell{{Text: c.name, Link: link}, {Text: c.chart}, count(c.sites(), MarkNone), versions, count(c.differs, MarkOdd),
		count(c.ailing, MarkBad), count(c.unknown, MarkUnknown)}
}

// versions are those that are declared, the one that most sites have first.
func (c *component) versions() []string {
	return slices.SortedFunc(maps.Keys(c.of), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(c.of[b]), len(c.of[a])), cmp.Compare(a, b))
	})
}

// branch is a component with the sites of each version.
func (c *component) branch(id string) Branch {
	b := Branch{ID: id, Cell: Cell{Text: fmt.Sprintf("%s: %s", c.name, lifecycle.Count(c.sites(), "site"))}}
	if len(c.of) > 1 {
		b.Text += fmt.Sprintf(", %d versions", len(c.of))
		b.Mark = MarkOdd
	}
	for _, v := range c.versions() {
		b.Below = append(b.Below, Branch{Cell: Cell{Text: fmt.Sprintf("%s: %s", cmp.Or(v, "no version of its own"),
			lifecycle.Count(len(c.of[v]), "site"))}, Below: asBranches(c.of[v]), Folded: len(c.of[v]) > openSites})
	}
	return b
}

// openSites is up to how many sites a list of them is open at first.
const openSites = 20

// withoutShown is how many sites that lack a component are named.
const withoutShown = 200

func componentsSection(in Input, sites []site) Section {
	s := Section{ID: "components", Title: "Components: what a site can be given"}
	all := in.components(sites)
	if len(all) == 0 {
		s.Lines = []Cell{{Text: "The repository has no component that is known, and no site has one."}}
	}
	for i, c := range all {
		var without []site
		for _, one := range sites {
			if d, _, known := one.Declared.Last(); known && !slices.Contains(d.Components, c.name) {
				without = append(without, one)
			}
		}
		b := Branch{ID: fmt.Sprintf("c%d", i), Cell: Cell{Text: fmt.Sprintf("%s: %s with it, %d without", c.name,
			lifecycle.Count(c.sites(), "site"), len(without))}, Below: []Branch{
			{Cell: Cell{Text: "The line that a site's kustomization.yaml gets below components: " + componentLine(c.name)}},
			{Cell: Cell{Text: "Its files", Link: in.Repository.to("tree", "clusters/components/"+c.name)}}}}
		if b.Below[1].Link == "" {
			b.Below[1].Text = "Its files are in clusters/components/" + c.name
		}
		if len(c.of[""]) > 0 {
			b.Below = append(b.Below, Branch{Cell: Cell{Text: "Sites with it"}, Below: asBranches(c.of[""]), Folded: true})
		}
		if len(without) > 0 {
			shut := Branch{Cell: Cell{Text: "Add it to a site: choose one"}, Folded: true}
			for _, one := range without[:min(len(without), withoutShown)] {
				shut.Below = append(shut.Below, Branch{Cell: Cell{Text: one.Site, Link: anchor(sitePage(one.Site), "change")}})
			}
			if more := len(without) - withoutShown; more > 0 {
				shut.Below = append(shut.Below, Branch{Cell: Cell{Text: fmt.Sprintf("%d more: each site's page has the same button", more),
					Link: "index.html#sites"}})
			}
			b.Below = append(b.Below, shut)
		}
		s.Tree = append(s.Tree, b)
	}
	return s
}

func componentLine(name string) string { return "- ../../clusters/components/" + name }
