package review

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// acceptedKept is how many differences a record keeps, and acceptedWide how many bytes of each: a cluster keeps twenty records in one
// object.
const (
	acceptedKept = 30
	acceptedWide = 200
)

// AcceptedLines are the differences that somebody accepted, as a record keeps them.
func AcceptedLines(lines []string) []string {
	out := slices.Clone(atMost(lines, acceptedKept))
	for i, l := range out {
		if len(l) > acceptedWide {
			out[i] = strings.ToValidUTF8(l[:acceptedWide], "") + "…"
		}
	}
	return out
}

// Accepted reports whether what differs now is what is left of what somebody accepted by this id in a run that was cut off: the same
// machines, and of addons and objects the very same differences. reviewed is the Meaning of the plan that was reviewed then and now.
func Accepted(id, reviewed string, lines []string, runs []lifecycle.RunRecord) bool {
	i := slices.IndexFunc(runs, func(r lifecycle.RunRecord) bool {
		return r.Review != nil && r.Review.AcceptedID == id && r.Review.Plan == reviewed
	})
	if i < 0 || runs[i].Result == lifecycle.RunDone {
		return false
	}
	accepted := runs[i].Review.Accepted
	machines := map[string]bool{}
	for _, l := range accepted {
		machines[machineOf(l)] = true
	}
	covered := false // whether the line that the details belong to is about a machine
	for _, l := range AcceptedLines(lines) {
		if !strings.HasPrefix(l, " ") {
			m := machineOf(l)
			covered = m != "" && machines[m]
		}
		if !covered && !slices.Contains(accepted, l) {
			return false
		}
	}
	return true
}

// machineOf is the machine that a line about a step names; "" for lines about anything else.
func machineOf(line string) string {
	step, _, found := strings.Cut(line, ": ")
	if !found || len(step) < 3 || !strings.Contains("+-~", step[:1]) || step[1] != ' ' {
		return ""
	}
	target, _, _ := strings.Cut(step[2:], "/")
	if lifecycle.IsUnit(target+"/") || target == lifecycle.UnitObjects {
		return ""
	}
	return target
}
