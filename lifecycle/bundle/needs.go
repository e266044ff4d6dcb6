package bundle

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
	n.Charts = slices.CompactFunc(n.Charts, func(a, b lifecycle.Chart) bool { return a.Repo == b.Repo && a.Name == b.Name && a.Version == b.Version })
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

// Check holds a bundle against the lock file of the site that it is used for, and says what it lacks.
// The architectures of its machines are not known before they were asked: k0s is checked for those that the bundle holds.
func Check(index Index, site lifecycle.Site) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	fail := func(summary, detail, hint string) {
		ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: summary, Detail: detail, Hint: hint})
	}
	if site.Pins == nil {
		fail("a bundle is used with a lock file only", "Without "+lifecycle.PinsFile+" nothing says that what is in the bundle is what the repository means.", "kiban lock "+site.Name)
		return ds
	}
	again := "Make it again from this revision: kiban bundle " + site.Name + " -o FILE"
	held := func(what, locked, bundled string) {
		switch {
		case locked == "":
			fail(what+" is not in the lock file", "The repository has changed since "+lifecycle.PinsFile+" was written.", "kiban lock "+site.Name)
		case bundled == "":
			fail(what+" is not in the bundle", "The bundle was made for "+index.Site+", at another revision.", again)
		case locked != bundled:
			fail(what+" is another one in the bundle", "The lock file says "+locked+", the bundle "+bundled+".", again)
		}
	}
	needs := NeedsOf(site)
	for _, c := range needs.Charts {
		if !Remote(c.Repo) {
			continue
		}
		locked, _ := site.Pins.Chart(c)
		bundled, _ := index.Pins.Chart(c)
		held("chart "+c.Name+" "+c.Version, locked.Digest, bundled.Digest)
	}
	for _, m := range needs.Manifests {
		locked, _ := site.Pins.Manifest(m)
		bundled, _ := index.Pins.Manifest(m)
		held("manifest "+m, locked.Digest, bundled.Digest)
	}
	for _, v := range needs.Versions {
		for _, arch := range index.Arch {
			id := v.String() + "/" + arch
			held("k0s "+id, site.Pins.K0s[id], index.Pins.K0s[id])
		}
	}
	return ds
}
