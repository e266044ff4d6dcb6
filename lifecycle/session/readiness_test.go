package session_test

import (
	"context"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness"
	"kiban.dev/kiban/lifecycle/session"
)

// witness counts how often it is asked.
type witness struct{ asked int }

func (w *witness) Evidence(context.Context, lifecycle.State, lifecycle.Version) lifecycle.Evidence {
	w.asked++
	return lifecycle.Evidence{}
}

// seenSite is a site as it is seen.
type seenSite struct{ lifecycle.State }

func (s seenSite) Observe(context.Context) (lifecycle.State, error) { return s.State, nil }
func (seenSite) Credentials(context.Context) (lifecycle.Credentials, error) {
	return lifecycle.Credentials{}, nil
}
func (seenSite) Close() error { return nil }

// TestPlansOfANewVersionAreJudged: what a version breaks stops the plan that brings it, a plan that brings none is not judged, and
// witnesses
// are asked once for the plans of one moment.
func TestPlansOfANewVersionAreJudged(t *testing.T) {
	to := lifecycle.Version{Major: 1, Minor: 37, Patch: 1}
	hops := []lifecycle.Version{to}
	w := &witness{}
	s := session.With(lifecycle.Site{Name: "lab"}, session.Options{}, session.Parts{Site: seenSite{}, Witnesses: w, Plans: session.Planners{
		Make: func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
			return lifecycle.Plan{Site: "lab", Target: to, Hops: hops, Steps: []lifecycle.Step{{ID: "w1/upgrade"}}}
		},
		Ready: func(in readiness.Input) lifecycle.Readiness {
			return lifecycle.Readiness{Site: in.Site.Name, To: in.Target, Findings: []lifecycle.ReadinessFinding{{Rule: "removed-api",
				Rank: lifecycle.RankBlocks, Subject: "Ingress shop/web", Summary: "it goes", Remedy: "Write it anew."}}}
		}}})
	for range 3 {
		plan, err := s.Plan(t.Context(), lifecycle.PlanOptions{})
		if err != nil || plan.Readiness == nil || plan.Diagnostics.Err() == nil {
			t.Fatalf("%+v, %v: want a plan that is stopped, with its readiness", plan, err)
		}
	}
	if w.asked != 1 {
		t.Errorf("witnesses were asked %d times", w.asked)
	}
	hops = nil
	if plan, err := s.Plan(t.Context(), lifecycle.PlanOptions{}); err != nil || plan.Readiness != nil || plan.Diagnostics.Err() != nil {
		t.Errorf("%+v, %v: a plan that changes no version is judged", plan, err)
	}
}
