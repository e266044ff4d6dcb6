package calendar

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Took is how long an upgrade of a site by one minor takes, by its record: the longest of the runs that took all its machines from one
// version to another. Of one over several minors it is the part of one; patches count only where no run changed the minor. One that had
// fewer machines than there are now counts for as much more. 0: the record does not tell.
func Took(runs []lifecycle.RunRecord, machines int) time.Duration {
	var minors, patches time.Duration
	for _, r := range runs {
		took, whole := r.Ended.Sub(r.Began), len(r.Before) == 1 && len(r.After) == 1 && r.Before[0].Less(r.After[0])
		if r.Result != lifecycle.RunDone || !r.Applied() || !whole || took <= 0 {
			continue
		}
		if r.Machines > 0 && r.Machines < machines {
			took = took * time.Duration(machines) / time.Duration(r.Machines)
		}
		if n := r.After[0].Minor - r.Before[0].Minor; n > 0 && r.After[0].Major == r.Before[0].Major {
			minors = max(minors, took/time.Duration(n))
		} else {
			patches = max(patches, took)
		}
	}
	if minors > 0 {
		return minors
	}
	return patches
}
