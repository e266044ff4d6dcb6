package review

import (
	"cmp"

	"kiban.dev/kiban/lifecycle"
)

// unrehearsed says why a plan does not count of whose rehearsal nothing is known.
const unrehearsed = "no job rehearse:SITE of its pipeline left a rehearsal"

// Rehearsed is a reviewed plan as it counts at a site whose promotion asks for rehearsals: one that asks for one, and did not go through in
// it, is as if nobody had reviewed it, and why says so.
func Rehearsed(r lifecycle.ReviewedPlan, asks lifecycle.Rehearse) (counts lifecycle.ReviewedPlan, why string) {
	if r.Plan.Site == "" || r.Evidence.Rehearsed != "" || !asks.Asks(r.Plan) {
		return r, ""
	}
	return lifecycle.ReviewedPlan{Kind: r.Kind, Where: r.Where},
		"it was not rehearsed, and spec.promotion.rehearsed asks for that: " + cmp.Or(r.Evidence.NotRehearsed, unrehearsed)
}
