package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// exampleSite is the name in what is there to be filled in.
const exampleSite = "new-site"

// newSite is how a site comes into the fleet.
func newSite(in Input, sites []site) Section {
	from := ""
	for _, s := range sites {
		if d, _, known := s.Declared.Last(); known && d.Provider != lifecycle.ProviderExternal {
			from = s.Site
		}
	}
	add := "kiban site add " + exampleSite + " --controllers 192.0.2.11 --workers 192.0.2.101"
	if from != "" {
		add = "kiban site add " + exampleSite + " --from " + lifecycle.ShellWord(from) + " --controllers 192.0.2.11 --workers 192.0.2.101"
	}
	content := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ../../clusters/base\npatches:\n" +
		"- path: cluster.yaml\n  target:\n    group: k0sctl.k0sproject.io\n    kind: Cluster\n  options:\n    allowNameChange: true\n"
	file := "overlays/" + exampleSite + "/kustomization.yaml"
	return Section{ID: "new-site", Title: "Add a site to the fleet", Ways: []Way{
		{Title: "At a terminal",
			Says: "kiban makes all files of the overlay, and checks them with the rest of the fleet. Fill in the name and the addresses.",
			Text: in.Repository.proposal("add-"+exampleSite, "Add the site "+exampleSite, add, "kiban hosts trust "+exampleSite)},
		{Title: "In the browser", Link: in.Repository.create(file, content, "Add the site "+exampleSite), Label: "New file in GitLab",
			Says: "It begins with this file; the overlay needs cluster.yaml, site.yaml, version.yaml " +
				"and known_hosts beside it, as another site's folder has them.",
			Text: file + "\n\n" + content},
	}}
}

// change is how a site is changed.
func (s site) change(in Input, components []string) Section {
	out := Section{ID: "change", Title: "Change this site"}
	overlay := "overlays/" + s.Site
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
		out.Ways = append(out.Ways, Way{Title: "Add a component", Link: in.Repository.edit(overlay + "/kustomization.yaml"),
			Label: "Edit kustomization.yaml in GitLab", Says: "Below components, add the line of one that it has not:", Text: strings.Join(lines,
				"\n")},
			Way{Title: "Add a component at a terminal", Says: "With another name of those above, the same:",
				Text: in.Repository.proposal("add-"+lacking[0]+"-"+s.Site, "Add "+lacking[0]+" to "+s.Site,
					"(cd "+lifecycle.ShellWord(overlay)+" && kustomize edit add component "+
						lifecycle.ShellWord("../../clusters/components/"+lacking[0])+")",
					"kiban validate "+lifecycle.ShellWord(s.Site))})
	}
	if to := s.Ready.Value.To; !to.IsZero() && !d.Version.IsZero() && d.Version.Less(to) {
		out.Ways = append(out.Ways, Way{Title: fmt.Sprintf("Take %s", to), Link: in.Repository.edit(overlay + "/version.yaml"),
			Label: "Edit version.yaml in GitLab", Says: fmt.Sprintf("It has %s; the line becomes:", d.Version), Text: "    version: " +
				to.String()})
	}
	if len(d.Addons) > 0 {
		out.Ways = append(out.Ways, Way{Title: "Another version of an addon", Link: in.Repository.edit(overlay + "/addons.yaml"),
			Label: "Edit addons.yaml in GitLab", Says: "A patch for this site alone; the version for all sites is in the component.",
			Text: addonPatch(d.Addons[0].Name, cmp.Or(d.Addons[0].Version, "1.2.3"))})
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
