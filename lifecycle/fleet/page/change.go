package page

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// ExampleSite is the name of a new site, where it is to be filled in.
const ExampleSite = "new-site"

// newSite is how a site comes into the fleet.
func newSite(in Input, sites []site) Section {
	from := ""
	for _, s := range sites {
		if d, _, known := s.Declared.Last(); known && d.Provider != lifecycle.ProviderExternal {
			from = s.Site
		}
	}
	add := "kiban site add " + ExampleSite + " --controllers 192.0.2.11 --workers 192.0.2.101"
	if from != "" {
		add = "kiban site add " + ExampleSite + " --from " + lifecycle.ShellWord(from) + " --controllers 192.0.2.11 --workers 192.0.2.101"
	}
	ways := []Way{{Title: "At a terminal",
		Says: "kiban makes all files of the overlay, and checks them with the rest of the fleet. Fill in the name and the addresses.",
		Text: in.Repository.proposal("add-"+ExampleSite, "Add the site "+ExampleSite, add, "kiban hosts trust "+ExampleSite)}}
	return Section{ID: "new-site", Title: "Add a site to the fleet", Ways: append(ways, in.newFiles()...)}
}

// newFiles are the files of a new site, each as a button that opens it. The first makes the branch, the others go into that.
func (in Input) newFiles() (out []Way) {
	message, branch := "Add the site "+ExampleSite, in.Repository
	for i, f := range in.NewSite {
		path := "overlays/" + ExampleSite + "/" + f.Name
		w := Way{Title: fmt.Sprintf("In the browser, file %d of %d: %s", i+1, len(in.NewSite), f.Name), Text: f.Content,
			Link: branch.create(path, f.Content, message), Label: "New file in GitLab"}
		switch {
		case i == 0:
			w.Says = path + ". Change " + ExampleSite + " to the site's name, and commit it to a new branch called add-" + ExampleSite +
				", without a merge request yet."
			branch.Branch = "add-" + ExampleSite
		case i == len(in.NewSite)-1:
			w.Says = path + ", into that branch. Then open its merge request. known_hosts is made at a terminal: kiban hosts trust " +
				ExampleSite + "."
		default:
			w.Says = path + ", into that branch."
		}
		out = append(out, w)
	}
	return out
}

// change is how a site is changed.
func (s site) change(in Input, components []string) Section {
	out := Section{ID: "change", Title: "Change this site"}
	overlay, kustomization := "overlays/"+s.Site, in.Files.kustomization(s.Site)
	d := s.Declared.Value
	var lacking []string
	for _, name := range components {
		if !slices.Contains(d.Components, name) {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		var lines []string
		for _, name := range lacking {
			lines = append(lines, componentLine(name))
		}
		out.Ways = append(out.Ways, Way{Title: "Add a component", Link: in.Repository.edit(overlay + "/" + kustomization),
			Label: "Edit " + kustomization + " in GitLab", Says: "Below components, add the line of one that it has not:",
			Text: strings.Join(lines, "\n")},
			Way{Title: "Add a component at a terminal", Says: "With another name of those above, the same:",
				Text: in.Repository.proposal("add-"+lacking[0]+"-"+s.Site, "Add "+lacking[0]+" to "+s.Site,
					"(cd "+lifecycle.ShellWord(overlay)+" && kustomize edit add component "+
						lifecycle.ShellWord("../../clusters/components/"+lacking[0])+")",
					"kiban validate "+lifecycle.ShellWord(s.Site))})
	}
	if to := s.Ready.Value.To; !to.IsZero() && !d.Version.IsZero() && d.Version.Less(to) {
		for _, w := range s.versionWays(in, to) {
			w.Warn = s.inTheWay()
			out.Ways = append(out.Ways, w)
		}
	}
	if w := s.addonWay(in); w.Title != "" {
		out.Ways = append(out.Ways, w)
	}
	if s.place.Unread {
		out.Note, out.Mark = "Its overlay can't be read, so the files may not be as below. Mend it first: "+trimStop(s.place.Why)+".", MarkUnknown
	}
	if in.Repository.URL == "" {
		out.Lines = []Cell{{Text: "These pages were made without the repository's address (--repository), so there are no buttons. " +
			"The files are in " +
			overlay + "."}}
	}
	return out
}

func addonPatch(name, version string) string {
	return fmt.Sprintf("apiVersion: kiban.dev/v1alpha1\nkind: Addon\nmetadata:\n  name: %s\nspec:\n  chart:\n    version: %s", name, version)
}
