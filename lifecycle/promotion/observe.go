// Package promotion decides whether a site may take a version: whether other sites have run it first, healthy, for long enough. Observe
// keeps the account of how long a site has run what, Decide reads it. Both are made of words alone.
package promotion

import (
	"cmp"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// kept is how many versions of one name an account has.
const kept = 10

// skew is how far the clocks of those who look may be apart. A look from further ahead was taken by a clock that was wrong.
const skew = 10 * time.Minute

// Observe is the account prev with one more look at the site. A stretch that was under way goes on when the site is healthy and still runs
// the version, however long ago the last look was; else it ends where it was seen last. The zero Soak is an account without any look.
//
// Two who look at once may write in any order: a look that is older than the last one adds nothing, unless it found something wrong.
func Observe(prev lifecycle.Soak, site lifecycle.Site, state lifecycle.State, now time.Time) lifecycle.Soak {
	now = now.UTC().Truncate(time.Second)
	prev = believed(prev, site.Name, now)
	reason := unhealthy(site, state)
	if prev.Observed.After(now) {
		if reason == "" {
			return prev
		}
		now = prev.Observed
	}
	next := lifecycle.Soak{Format: lifecycle.SoakFormat, Site: site.Name, Observed: now, Healthy: reason == "", Reason: reason}
	running := versions(site, state, prev)
	for _, v := range running {
		if _, known := find(prev.Versions, v.Name, v.Version); !known {
			next.Versions = append(next.Versions, v)
		}
	}
	next.Versions = append(next.Versions, prev.Versions...)
	for i, v := range next.Versions {
		_, v.Runs = find(running, v.Name, v.Version)
		next.Versions[i] = extend(v, next.Healthy, now)
	}
	next.Versions = trim(next.Versions)
	return next
}

// Restored is an account that came back with a backup: what was under way then has ended, for nobody knows since when it runs again.
func Restored(prev lifecycle.Soak) lifecycle.Soak {
	prev.Versions = slices.Clone(prev.Versions)
	for i := range prev.Versions {
		prev.Versions[i].Since = time.Time{}
	}
	return prev
}

// believed is what can be made use of in an account: nothing of another site's, or of a format that is not known; and no stretch that
// was measured by a clock far ahead of ours.
func believed(prev lifecycle.Soak, site string, now time.Time) lifecycle.Soak {
	if prev.Site != site || !readable(prev) {
		return lifecycle.Soak{}
	}
	prev.Versions = slices.Clone(prev.Versions)
	if !prev.Observed.After(now.Add(skew)) {
		return prev
	}
	for i, v := range prev.Versions {
		if !v.Since.IsZero() && v.Longest == prev.Observed.Sub(v.Since) {
			v.Longest = 0
		}
		v.Since = time.Time{}
		prev.Versions[i] = v
	}
	prev.Observed = now
	return prev
}

// extend adds a look to a version's stretch.
func extend(v lifecycle.SoakVersion, healthy bool, now time.Time) lifecycle.SoakVersion {
	switch {
	case !healthy || !v.Runs:
		v.Since = time.Time{}
		return v
	case v.Since.IsZero() || v.Since.After(now):
		v.Since = now
	}
	v.Longest = max(v.Longest, now.Sub(v.Since))
	return v
}

// trim sorts the account, k0s first, what runs before what ran, and lets go of the oldest versions of each name.
func trim(all []lifecycle.SoakVersion) []lifecycle.SoakVersion {
	rank := func(v lifecycle.SoakVersion) (name, runs int) {
		if v.Name != K0s {
			name = 1
		}
		if !v.Runs {
			runs = 1
		}
		return name, runs
	}
	slices.SortStableFunc(all, func(a, b lifecycle.SoakVersion) int {
		nameA, runsA := rank(a)
		nameB, runsB := rank(b)
		return cmp.Or(cmp.Compare(nameA, nameB), cmp.Compare(a.Name, b.Name), cmp.Compare(runsA, runsB))
	})
	count := map[string]int{}
	return slices.DeleteFunc(all, func(v lifecycle.SoakVersion) bool {
		count[v.Name]++
		return count[v.Name] > kept
	})
}
