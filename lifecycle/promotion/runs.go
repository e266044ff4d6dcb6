package promotion

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// The names that versions are kept under.
const (
	K0s   = "k0s"
	chart = "chart/"
)

// Chart is the name that the versions of a chart are kept under.
func Chart(name string) string { return chart + name }

// readable reports whether the account has a form that is known.
func readable(s lifecycle.Soak) bool {
	return lifecycle.SameMajor(s.Format, lifecycle.SoakFormat)
}

// list holds each version once.
type list []lifecycle.SoakVersion

func (l *list) add(name, version string) {
	if _, known := find(*l, name, version); !known {
		*l = append(*l, lifecycle.SoakVersion{Name: name, Version: version})
	}
}

// find finds a version.
func find(all []lifecycle.SoakVersion, name, version string) (lifecycle.SoakVersion, bool) {
	i := slices.IndexFunc(all, func(v lifecycle.SoakVersion) bool { return v.Name == name && v.Version == version })
	if i < 0 {
		return lifecycle.SoakVersion{}, false
	}
	return all[i], true
}

// versions are what the site runs, wholly or in part, each once. What can't be seen runs on as it was seen last.
func versions(site lifecycle.Site, state lifecycle.State, prev lifecycle.Soak) []lifecycle.SoakVersion {
	var out list
	again := func(unseen func(name string) bool) {
		for _, v := range prev.Versions {
			if v.Runs && unseen(v.Name) {
				out.add(v.Name, v.Version)
			}
		}
	}
	for _, h := range site.Cluster.Hosts {
		if hs, _ := state.Host(h.Name); !h.Reset && hs.Reached() && hs.Installed() && !hs.Level().IsZero() {
			out.add(K0s, hs.Level().String())
		}
	}
	if !knowsEveryHost(site, state) {
		again(func(name string) bool { return name == K0s })
	}
	blind := state.API.Unknown != ""
	for _, u := range state.Units {
		switch {
		case !strings.HasPrefix(u.Name, lifecycle.UnitAddon):
		case u.Unknown != "":
			blind = true
		case u.Installed && u.Release.Chart != "" && u.Release.Version != "":
			out.add(chart+u.Release.Chart, u.Release.Version)
		}
	}
	if blind {
		again(func(name string) bool { return name != K0s })
	}
	return out
}

func knowsEveryHost(site lifecycle.Site, state lifecycle.State) bool {
	for _, h := range site.Cluster.Hosts {
		if hs, told := state.Host(h.Name); !h.Reset && (!told || !hs.Reached()) {
			return false
		}
	}
	return true
}
