package review

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// differencesTold is how many lines a refusal has of what differs.
const differencesTold = 60

// Check holds the plan as it is now against the one that was reviewed; the zero Plan when nobody has reviewed one. An empty plan
// touches nothing, so it needs no review. begun: a run of the reviewed plan has begun, so this one may be what is left of it. The error
// says how they differ, and the id by which exactly this plan can be accepted.
func Check(reviewed, now lifecycle.Plan, begun bool) error {
	lines := Differences(reviewed, now, begun)
	if len(lines) == 0 {
		return nil
	}
	d := lifecycle.Errorf(now.Site, "what would be done is not what was reviewed").Hiding(ErrStale)
	if reviewed.Site == "" {
		d.Summary = "nobody has reviewed what would be done"
	}
	d.Detail = strings.Join(atMost(lines, differencesTold), "\n")
	if reviewed.Site != "" {
		d.Detail += "\n(+ was not reviewed, - was reviewed and is gone, ~ does something else)"
	}
	d.Hint = fmt.Sprintf("Find out who changed what, and have the plan reviewed as it is now: a merge request shows it. "+
		"To carry out exactly the plan above all the same: --accept-changes %s (in the fleet's pipeline, the variable KIBAN_ACCEPT_CHANGES). "+
		"It is recorded who accepted what.", ID(now))
	return d
}

// ID is how people name a plan that they accept: the first twelve digits of its Meaning.
func ID(p lifecycle.Plan) string {
	_, digits, _ := strings.Cut(p.Meaning(), ":")
	return digits[:min(12, len(digits))]
}

// Differences says, a line each and details indented, what of the plan as it is now was not reviewed; none when it may go.
//
// Without a run that has begun, both plans must mean the same. With one, steps may be missing, and steps that bring to its end what was
// cut off may be there. A cluster that was not there when the plan was reviewed, or that does not answer now, keeps no record that a run
// has begun: then the plan alone tells.
func Differences(reviewed, now lifecycle.Plan, begun bool) []string {
	switch {
	case now.Empty(), reviewed.Meaning() == now.Meaning() && sameCluster(reviewed, now):
		return nil
	case reviewed.Site == "":
		return planChanges(reviewed, now)
	case reviewed.Site != now.Site:
		return []string{fmt.Sprintf("the plan that was reviewed is of site %s", reviewed.Site)}
	case !sameCluster(reviewed, now):
		return append([]string{"the plan was reviewed for another cluster (the UID of kube-system differs)"}, planChanges(reviewed, now)...)
	case begun:
		return remains(reviewed, now)
	case untold(reviewed, now) && len(remains(reviewed, now)) == 0:
		return nil
	}
	return planChanges(reviewed, now)
}

// untold reports whether no cluster can tell that a run of the reviewed plan has begun.
func untold(reviewed, now lifecycle.Plan) bool {
	return reviewed.ClusterUID == "" || now.ClusterUID == ""
}

func sameCluster(reviewed, now lifecycle.Plan) bool {
	return untold(reviewed, now) || reviewed.ClusterUID == now.ClusterUID
}

// CarriedOut is the run that carried out a reviewed plan to its end, by the records, newest first: that of the very merge request and
// job, for another may ask for the same again. A plan that could not see to its end is never known to be at its own.
func CarriedOut(of lifecycle.ReviewedPlan, runs []lifecycle.RunRecord) (lifecycle.RunRecord, bool) {
	if of.Plan.Site == "" || of.Evidence.Job == "" || of.Plan.Unfinished != "" {
		return lifecycle.RunRecord{}, false
	}
	meaning := of.Plan.Meaning()
	for _, r := range runs {
		if r.Review != nil && r.Review.Plan == meaning && r.Review.Where == of.Where && r.Review.Job == of.Evidence.Job {
			return r, r.Result == lifecycle.RunDone
		}
	}
	return lifecycle.RunRecord{}, false
}

// Begun reports whether the records, newest first, say that a run of the reviewed plan was begun and has not brought it to its end.
func Begun(reviewed lifecycle.Plan, runs []lifecycle.RunRecord) bool {
	meaning := reviewed.Meaning()
	for _, r := range runs {
		if r.Review != nil && r.Review.Plan == meaning {
			return r.Result != lifecycle.RunDone || reviewed.Unfinished != ""
		}
	}
	return false
}

func atMost(lines []string, n int) []string {
	if more := len(lines) - n; more > 1 {
		return append(lines[:n:n], "and "+lifecycle.Count(more, "more line"))
	}
	return lines
}
