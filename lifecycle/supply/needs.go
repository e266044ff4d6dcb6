package supply

import (
	"cmp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Needs are the foreign files that a site is made of.
type Needs struct {
	// Charts and Manifests are each once, sorted; Manifests are URLs only, for paths are in the repository.
	Charts    []lifecycle.Chart
	Manifests []string
	// Versions of k0s may run: the declared one, and those on the way to it, oldest first.
	Versions []lifecycle.Version
}

// NeedsOf lists what a site needs.
func NeedsOf(site lifecycle.Site) Needs {
	var n Needs
	for _, a := range site.Addons {
		if a.Chart != nil {
			n.Charts = append(n.Charts, lifecycle.Chart{Repo: a.Chart.Repo, Name: a.Chart.Name, Version: a.Chart.Version})
		}
		for _, m := range a.Manifests {
			if Remote(m) {
				n.Manifests = append(n.Manifests, m)
			}
		}
	}
	slices.SortFunc(n.Charts, func(a, b lifecycle.Chart) int {
		return cmp.Or(cmp.Compare(a.Repo, b.Repo), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	n.Charts = slices.CompactFunc(n.Charts,
		func(a, b lifecycle.Chart) bool { return a.Repo == b.Repo && a.Name == b.Name && a.Version == b.Version })
	slices.Sort(n.Manifests)
	n.Manifests = slices.Compact(n.Manifests)
	if site.Provider != lifecycle.ProviderExternal {
		n.Versions = append(slices.Clone(site.Policy.Path), site.Cluster.Version)
		n.Versions = slices.DeleteFunc(n.Versions, lifecycle.Version.IsZero)
		slices.SortFunc(n.Versions, lifecycle.Version.Compare)
		n.Versions = slices.Compact(n.Versions)
	}
	return n
}

// Remote reports whether a chart's repository or a file of manifests is elsewhere, not in the repository.
func Remote(source string) bool { return strings.Contains(source, "://") }
