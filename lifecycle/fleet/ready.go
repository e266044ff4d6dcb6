package fleet

import "kiban.dev/kiban/lifecycle"

// Readiness is what a version would break at sites.
type Readiness []lifecycle.Readiness

// Err is the finding for each site that the version would break, or that is not known to be ready for it: what nobody saw may break, too.
// Of a site where nobody answered nothing is known, and that is an error.
func (all Readiness) Err() error {
	var ds lifecycle.Diagnostics
	for _, r := range all {
		blocks := r.Of(lifecycle.RankBlocks)
		switch {
		case len(blocks) > 0:
			ds = append(ds, lifecycle.Blockedf(r.Site, "not ready for %s: %s in the way", r.To, lifecycle.Count(len(blocks), "finding")))
		case r.Blind:
			ds = append(ds, lifecycle.Errorf(r.Site, "nothing is known of what %s would break", r.To).Because(r.Unseen[0].What+": "+r.Unseen[0].Why).
				Try("kiban status "+r.Site))
		case len(r.Unseen) > 0:
			ds = append(ds, lifecycle.Blockedf(r.Site, "not known to be ready for %s: %s could not be looked at", r.To,
				lifecycle.Count(r.NotSeen(), "thing")))
		}
	}
	return ds.Err()
}

// Highest is the highest version that was judged.
func (all Readiness) Highest() lifecycle.Version {
	var high lifecycle.Version
	for _, r := range all {
		if high.Less(r.To) {
			high = r.To
		}
	}
	return high
}
