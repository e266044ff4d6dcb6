package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// ErrStale is in the chain of CheckFresh's error.
var ErrStale = errors.New("the saved plan is stale")

// CheckFresh compares a saved plan with the one that would be made now. They must say the same; else what was reviewed is not what
// would run, and the error says how they differ.
func CheckFresh(saved, now lifecycle.Plan) error {
	if saved.Site != now.Site {
		return stale(saved, fmt.Sprintf("it was made for site %s, not for %s", saved.Site, now.Site))
	}
	if saved.Format != now.Format {
		return stale(saved, fmt.Sprintf("its format is %q; this kiban writes %q", saved.Format, now.Format))
	}
	var why []string
	if saved.ClusterUID != now.ClusterUID {
		why = append(why, "it was made for another cluster (the UID of kube-system differs)")
	}
	if saved.SiteDigest != now.SiteDigest {
		why = append(why, "the declaration has changed since")
	}
	if saved.FactsDigest != now.FactsDigest {
		why = append(why, "the machines or the cluster have changed since")
	}
	why = append(why, stepChanges(saved, now)...)
	if len(why) == 0 {
		return nil
	}
	return stale(saved, strings.Join(why, "\n"))
}

func stale(saved lifecycle.Plan, why string) error {
	return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the saved plan no longer holds", Detail: why,
		Hint: "Make a new plan, have it reviewed, and apply that one.", Subject: saved.Site, Cause: ErrStale}
}

// stepChanges names the steps that only one of the plans has, or that differ.
func stepChanges(saved, now lifecycle.Plan) []string {
	var out []string
	for _, s := range saved.Steps {
		n, ok := now.Step(s.ID)
		if !ok {
			out = append(out, "- "+s.ID+": "+s.Reason)
		} else if s, n := reviewed(s), reviewed(n); !same(s, n) {
			out = append(out, "~ "+s.ID+": "+n.Reason)
			out = append(out, objectsSince(s, n)...)
		}
	}
	for _, n := range now.Steps {
		if _, ok := saved.Step(n.ID); !ok {
			out = append(out, "+ "+n.ID+": "+n.Reason)
		}
	}
	if len(out) == 0 && (!slices.EqualFunc(saved.Steps, now.Steps, func(a, b lifecycle.Step) bool { return a.ID == b.ID }) || !same(saved.Stages, now.Stages)) {
		out = append(out, "the order or the pace of the steps differs")
	}
	return out
}

// same compares by what would be saved, which is what was reviewed.
func same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
