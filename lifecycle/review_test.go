package lifecycle

import (
	"testing"
	"time"
)

// TestPlanMeaning: what a reviewer said yes to is what is done to which machine and object, in which order, at which pace, behind which
// gates.
func TestPlanMeaning(t *testing.T) {
	base := func() Plan {
		return Plan{Format: PlanFormat, Site: "lab", Revision: "abc", SiteDigest: "sha256:1", FactsDigest: "sha256:2",
			Stages: []Stage{{ID: "workers", Title: "workers", Width: 2}},
			Steps: []Step{
				{ID: "w1/drain", Stage: "workers", Action: ActionDrain, Target: "w1", Reason: "v2 is declared", Timeout: time.Minute,
					Before: []Gate{{Kind: GateBudgets, Timeout: time.Minute}}},
				{ID: "w2/drain", Stage: "workers", Action: ActionDrain, Target: "w2"},
				{ID: "addon/shop/apply", Stage: "addons", Action: ActionApply, Target: "addon/shop", Digest: "sha256:3", Objects: []ObjectChange{
					{ObjectRef: ObjectRef{Kind: "ConfigMap", Name: "shop"}, Change: ChangeUpdate,
						Fields: []FieldChange{{Field: "data.a", From: "1", To: "2", By: "kubectl"}}}}},
			}}
	}
	want := base().Meaning()
	for name, tt := range map[string]struct {
		edit func(p *Plan)
		same bool
	}{
		"another commit and other facts": {func(p *Plan) { p.Revision, p.SiteDigest, p.FactsDigest = "def", "sha256:8", "sha256:9" }, true},
		"another reason":                 {func(p *Plan) { p.Steps[0].Reason = "it drifted" }, true},
		"more patience":                  {func(p *Plan) { p.Steps[0].Timeout, p.Steps[0].Before[0].Timeout = time.Hour, time.Hour }, true},
		"a finding more":                 {func(p *Plan) { p.Diagnostics = Diagnostics{{Summary: "budget busy"}} }, true},
		"an estimate":                    {func(p *Plan) { p.Estimate = &Estimate{Duration: time.Hour, Runs: 3} }, true},
		"written by another":             {func(p *Plan) { p.Steps[2].Objects[0].Fields[0].By = "helm" }, true},
		"found to be a change by hand":   {func(p *Plan) { p.Steps[2].Objects[0].Drift, p.Steps[2].Objects[0].Reason = true, "by hand" }, true},
		"a field that is left alone differs": {func(p *Plan) {
			p.Steps[2].Ignored = []string{"Deployment shop/web: spec.replicas (the addon ignores it)"}
		}, true},
		"another site":                      {func(p *Plan) { p.Site = "tokyo" }, false},
		"another order":                     {func(p *Plan) { p.Steps[0], p.Steps[1] = p.Steps[1], p.Steps[0] }, false},
		"another pace":                      {func(p *Plan) { p.Stages[0].Width = 20 }, false},
		"a step less":                       {func(p *Plan) { p.Steps = p.Steps[:2] }, false},
		"a gate less":                       {func(p *Plan) { p.Steps[0].Before = nil }, false},
		"another version":                   {func(p *Plan) { p.Steps[0].Version, _ = ParseVersion("v1.36.4+k0s.0") }, false},
		"another value":                     {func(p *Plan) { p.Steps[2].Objects[0].Fields[0].To = "3" }, false},
		"other contents of what is created": {func(p *Plan) { p.Steps[2].Digest = "sha256:4" }, false},
		"it ends before the end":            {func(p *Plan) { p.Unfinished = "the API is away" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := base()
			tt.edit(&p)
			if got := p.Meaning(); (got == want) != tt.same {
				t.Errorf("the meaning is the same: %v, want %v", got == want, tt.same)
			}
			if fresh := base(); fresh.Meaning() != want {
				t.Error("taking a meaning changed the plan")
			}
		})
	}
}

func TestReviewDescribe(t *testing.T) {
	for want, r := range map[string]Review{
		"nobody reviewed": {}, "reviewed": {Plan: "sha256:aa"},
		"reviewed in https://x/42 (merged by ann, approved by bob and eve, planned by https://x/jobs/7 at 3f2a9c1d5e)": {Plan: "sha256:aa",
			Where: "https://x/42", ReviewEvidence: ReviewEvidence{MergedBy: "ann", ApprovedBy: []string{"bob", "eve"}, Job: "https://x/jobs/7",
				Commit: "3f2a9c1d5e0000000000"}},
		"reviewed (merged by ann, approved by nobody)": {Plan: "sha256:aa", ReviewEvidence: ReviewEvidence{MergedBy: "ann"}},
		"reviewed (merged by ann, who approved is not known: why)": {Plan: "sha256:aa",
			ReviewEvidence: ReviewEvidence{MergedBy: "ann", Unknown: "who approved is not known: why"}},
		"nobody reviewed, with 2 differences accepted (ab)": {Accepted: []string{"a", "b"}, AcceptedID: "ab"},
	} {
		if got := r.Describe(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
