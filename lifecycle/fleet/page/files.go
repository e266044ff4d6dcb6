package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// NewFile is a file of a site that is to be added, by its name in the overlay.
type NewFile struct{ Name, Content string }

// Files are the files of the repository that merge requests change: those of each overlay, and of each component. Nil: that is not known.
type Files struct{ Overlays, Components map[string][]string }

// lacks reports whether a site's overlay is known not to have a file.
func (f Files) lacks(site, file string) bool {
	names, known := f.Overlays[site]
	return known && !slices.Contains(names, file)
}

// kustomization is what a site's kustomization is called: kustomize takes three names.
func (f Files) kustomization(site string) string {
	for _, name := range []string{"kustomization.yml", "Kustomization"} {
		if slices.Contains(f.Overlays[site], name) {
			return name
		}
	}
	return "kustomization.yaml"
}

// NewestDeclared is the newest version of k0s that a site declares, for a site that is to be added; zero where none does.
func NewestDeclared(sites []fleet.Collected) (newest lifecycle.Version) {
	for _, c := range sites {
		if v := c.Declared.Value.Version; newest.IsZero() || newest.Less(v) {
			newest = v
		}
	}
	return newest
}

// components are all that a site can be given: those of the repository, and those that sites have.
func (in Input) components(sites []site) []*component {
	all := byName(sites, componentsOf)
	for _, name := range slices.Sorted(maps.Keys(in.Files.Components)) {
		if !slices.ContainsFunc(all, func(c *component) bool { return c.name == name }) {
			all = append(all, &component{name: name, of: map[string][]site{}})
		}
	}
	slices.SortFunc(all, func(a, b *component) int { return strings.Compare(a.name, b.name) })
	return all
}

// versionWays are how a site takes a version of k0s: in the file where it stands, in a browser and at a terminal.
func (s site) versionWays(in Input, to lifecycle.Version) []Way {
	has, file := s.Declared.Value.Version, "version.yaml"
	if in.Files.lacks(s.Site, file) {
		file = "cluster.yaml"
	}
	path := "overlays/" + s.Site + "/" + file
	if in.Files.lacks(s.Site, file) {
		return []Way{{Title: fmt.Sprintf("Take %s", to), Link: in.Repository.to("tree", "overlays/"+s.Site),
			Label: "The site's files in GitLab",
			Says:  fmt.Sprintf("It has %s, which stands below spec.k0s of its Cluster document; the line becomes:", has),
			Text:  "    version: " + to.String()}}
	}
	from := strings.NewReplacer(".", `\.`, "+", `+`).Replace(has.String())
	return []Way{{Title: fmt.Sprintf("Take %s", to), Link: in.Repository.edit(path), Label: "Edit " + file + " in GitLab",
		Says: fmt.Sprintf("It has %s; the line below spec.k0s becomes:", has), Text: "    version: " + to.String()},
		{Title: fmt.Sprintf("Take %s, at a terminal", to), Says: "The same, and what it would break and do:",
			Text: in.Repository.proposal("upgrade-"+s.Site, "Upgrade "+s.Site+" to "+to.String(),
				"sed -i "+lifecycle.ShellWord("s/version: "+from+"$/version: "+to.String()+"/")+" "+lifecycle.ShellWord(path),
				"kiban validate "+lifecycle.ShellWord(s.Site), "kiban plan "+lifecycle.ShellWord(s.Site))}}
}

// addonWay is how a site gets other versions of its addons than the components have.
func (s site) addonWay(in Input) Way {
	var patches []string
	for _, a := range s.Declared.Value.Addons {
		if a.Version != "" {
			patches = append(patches, addonPatch(a.Name, a.Version))
		}
	}
	if len(patches) == 0 {
		return Way{}
	}
	const file = "addons.yaml"
	path, text := "overlays/"+s.Site+"/"+file, strings.Join(patches, "\n---\n")+"\n"
	if !in.Files.lacks(s.Site, file) {
		return Way{Title: "Another version of an addon", Link: in.Repository.edit(path), Label: "Edit " + file + " in GitLab",
			Says: "Patches for this site alone, with the versions that it has now; that of new sites is in the component.", Text: text}
	}
	return Way{Title: "Another version of an addon", Link: in.Repository.create(path, text, "Versions of addons of "+s.Site),
		Label: "New file " + file + " in GitLab", Text: text,
		Says: fmt.Sprintf("Patches for this site alone, with the versions that it has now: keep those that are to differ. "+
			"The site has no %s yet; below patches of %s it gets the line: - path: %s", file, in.Files.kustomization(s.Site), file)}
}
