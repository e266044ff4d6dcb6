package readiness

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

// recently is how far back a request counts as one that will come again. What was mended must not be in the way for longer.
const recently = 7 * 24 * time.Hour

// foresight is how many minor releases beyond the target a removal deserves attention.
const foresight = 2

// fate is what becomes of an API on the way to a version.
type fate int

const (
	fateNone  fate = iota // it stays, or nobody has called it deprecated yet
	fateGone              // it is not served where the site stands now
	fateEnds              // it ends on the way
	fateSoon              // it ends within the next minors after the target
	fateLater             // it ends later
)

// fateOf says what becomes of an API between the version that a site has and the one that is judged. Where the former is not known, what
// the target does not serve ends on the way.
func fateOf(a lifecycle.API, from, to lifecycle.Version) fate {
	end := minor(a.Removed)
	switch {
	case end.IsZero():
		return fateNone
	case !from.IsZero() && from.MinorsAhead(end) >= 0:
		return fateGone
	case to.MinorsAhead(end) >= 0:
		return fateEnds
	case end.MinorsAhead(to) <= foresight:
		return fateSoon
	case a.Deprecated != "" && to.MinorsAhead(minor(a.Deprecated)) < 0:
		return fateNone
	}
	return fateLater
}

// rank is what an API in use means. certain: that it is used, and would break, was seen beyond doubt.
func (f fate) rank(certain bool) lifecycle.Rank {
	switch {
	case f == fateEnds && certain:
		return lifecycle.RankBlocks
	case f == fateGone, f == fateEnds, f == fateSoon && certain:
		return lifecycle.RankAttention
	}
	return lifecycle.RankGood
}

// rule is the name of the finding.
func (f fate) rule() string {
	if f == fateGone || f == fateEnds {
		return "removed-api"
	}
	return "deprecated-api"
}
