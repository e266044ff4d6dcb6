package review

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// A plan that should have been rehearsed and did not go through counts as one that nobody reviewed; any other counts as it did.
func TestRehearsed(t *testing.T) {
	upgrade := lifecycle.Plan{Site: "lab", Steps: []lifecycle.Step{{ID: "worker-1/upgrade", Action: lifecycle.ActionUpgrade}}}
	addon := lifecycle.Plan{Site: "lab", Steps: []lifecycle.Step{{ID: "addon/metallb", Action: lifecycle.ActionApply}}}
	for name, tt := range map[string]struct {
		plan     lifecycle.Plan
		evidence lifecycle.ReviewEvidence
		why      string
	}{
		"it went through":      {upgrade, lifecycle.ReviewEvidence{Rehearsed: "rehearsed: 41 of 41 steps"}, ""},
		"it was not rehearsed": {upgrade, lifecycle.ReviewEvidence{}, "left a rehearsal"},
		"it did not go through": {upgrade, lifecycle.ReviewEvidence{NotRehearsed: "rehearsed: 3 of 41 steps, then blocked by shop/web"},
			"blocked by shop/web"},
		"nothing to rehearse": {addon, lifecycle.ReviewEvidence{}, ""},
		"nobody reviewed it":  {lifecycle.Plan{}, lifecycle.ReviewEvidence{}, ""},
	} {
		r := lifecycle.ReviewedPlan{Kind: lifecycle.ReviewedPlanKind, Where: "https://gitlab.example/1", Evidence: tt.evidence, Plan: tt.plan}
		got, why := Rehearsed(r, lifecycle.Rehearse{On: lifecycle.RehearseUpgrade})
		if (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
			t.Errorf("%s: got %q, want %q", name, why, tt.why)
		}
		if counts := got.Plan.Site != ""; tt.plan.Site != "" && counts != (tt.why == "") || got.Where != r.Where {
			t.Errorf("%s: counts %t, got %+v", name, counts, got)
		}
	}
}
