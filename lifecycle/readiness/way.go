package readiness

import (
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness/risks"
)

// Way is the path by which a version is judged that lies more than one minor release away: what is declared of it, and of each minor
// that is left out the newest release that is known, else its first. assumed are those that nothing declares.
func Way(declared []lifecycle.Version, from, to lifecycle.Version) (path, assumed []lifecycle.Version) {
	path = slices.DeleteFunc(slices.Clone(declared), func(v lifecycle.Version) bool { return to.Less(v) })
	if from.IsZero() || from.Major != to.Major {
		return path, nil
	}
	for minor := from.Minor + 1; minor < to.Minor; minor++ {
		if slices.ContainsFunc(path, func(v lifecycle.Version) bool { return v.Major == to.Major && v.Minor == minor }) {
			continue
		}
		hop := risks.Newest(to.Major, minor)
		if hop.IsZero() {
			hop = lifecycle.Version{Major: to.Major, Minor: minor}
		}
		path, assumed = append(path, hop), append(assumed, hop)
	}
	slices.SortFunc(path, lifecycle.Version.Compare)
	return path, assumed
}

// Releases are the releases of k0s of a version's minor that kiban's data knows, the newest first.
func Releases(of lifecycle.Version) []lifecycle.Version { return risks.Releases(of.Major, of.Minor) }
