package scaffold

import (
	"os"
	"path/filepath"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// NewOverlay is the overlay of a new site of a fleet: after the site from, or upon the base where from is "". Without a version of its own
// it takes that of from, or the newest of the others.
func (s Site) NewOverlay(fleet, from string, others []lifecycle.Site) ([]File, error) {
	if from != "" {
		if !SiteName(from) {
			return nil, lifecycle.Errorf("", "there is no site %q", from).Try("Name a folder of overlays/.")
		}
		files, err := ReadFolder(filepath.Join(fleet, "overlays", from))
		if err != nil {
			return nil, lifecycle.Errorf(from, "the site can't be copied").From(err)
		}
		return s.Copy(from, files)
	}
	if _, err := os.Stat(filepath.Join(fleet, "clusters", "base")); err != nil {
		return nil, lifecycle.Errorf(fleet, "the fleet has no clusters/base").
			Try("Make the site after another one: --from SITE. `kiban init` brings the base into a new fleet.").
			From(err)
	}
	if s.Version == "" {
		var newest lifecycle.Version
		for _, o := range others {
			if newest.Less(o.Cluster.Version) {
				newest = o.Cluster.Version
			}
		}
		if s.Version = newest.String(); newest.IsZero() {
			return nil, lifecycle.Errorf(s.Name, "which k0s version is the site to have?").
				Because("No other site of the fleet has one.").
				Try("kiban site add " + s.Name + " --version " + FirstVersion)
		}
	}
	return s.Overlay(), nil
}

// Fresh are the findings that were not there before: what other sites have among themselves is not the new one's.
func Fresh(before, after lifecycle.Diagnostics) lifecycle.Diagnostics {
	known := map[string]bool{}
	for _, d := range before {
		known[d.Error()] = true
	}
	return slices.DeleteFunc(after, func(d lifecycle.Diagnostic) bool { return known[d.Error()] })
}
