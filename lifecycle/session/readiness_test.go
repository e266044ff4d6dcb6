package session_test

import (
	"context"
	"strings"
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

// TestVersionsFarAwayAreJudged: the plan to a version that is minors away is made by way of those between, so that what it finds is told,
// and that they are not declared is, too.
func TestVersionsFarAwayAreJudged(t *testing.T) {
	v134, to := lifecycle.Version{Major: 1, Minor: 34, Patch: 1}, lifecycle.Version{Major: 1, Minor: 37, Patch: 1}
	site := lifecycle.Site{Name: "lab"}
	for _, rank := range []lifecycle.Rank{lifecycle.RankAttention, lifecycle.RankBlocks} {
		var path []lifecycle.Version
		seen := lifecycle.State{Hosts: []lifecycle.HostState{{Name: "c1", Binary: v134, Running: v134, ServiceName: "k0scontroller"}}}
		s := session.With(site, session.Options{}, session.Parts{Site: seenSite{seen}, Plans: session.Planners{
			Make: func(site lifecycle.Site, _ lifecycle.State, _ lifecycle.PlanOptions) lifecycle.Plan {
				path = site.Policy.Path
				return lifecycle.Plan{Site: "lab", Target: to}
			},
			Ready: func(in readiness.Input) lifecycle.Readiness {
				return lifecycle.Readiness{Site: in.Site.Name, To: in.Target}
			}}})
		r, err := s.Ready(t.Context(), to, false)
		if err != nil || len(path) != 2 || path[0].Minor != 35 || path[1].Minor != 36 || len(r.Of(rank)) != 1 ||
			!strings.Contains(r.Findings[0].Remedy, "spec.k0s.version to v1.37.1+k0s.0") {
			t.Errorf("%s: by %v: %+v, %v", rank, path, r.Findings, err)
		}
		site.Cluster.Version = to
	}
}

// TestWhatBothFindIsToldOnce: what the plan's own checks tell of a machine readiness does not tell again, neither in the plan nor in ready,
// and beside a plan that is stopped nothing reads as ready.
func TestWhatBothFindIsToldOnce(t *testing.T) {
	to := lifecycle.Version{Major: 1, Minor: 37, Patch: 1}
	risk := lifecycle.ReadinessFinding{Rule: lifecycle.RuleDropIns, Rank: lifecycle.RankBlocks, Subject: "lab", Machines: []string{"w1", "w2"},
		Summary: "workers do not start", Seen: []string{"w1: a file", "w2: a file", "why"}, Remedy: "Declare it."}
	clock := lifecycle.ReadinessFinding{Rule: lifecycle.RuleClock, Rank: lifecycle.RankAttention, Subject: "w3", Summary: "its clock is off",
		Remedy: "Mend it."}
	disk := lifecycle.ReadinessFinding{Rule: "machine-disk", Rank: lifecycle.RankAttention, Subject: "w3", Summary: "full", Remedy: "Mend it."}
	of := func(rule string, names ...string) lifecycle.Diagnostic {
		d := lifecycle.Errorf(names[0], "of the plan").Try("Mend it.").OfRule(rule)
		if d.Subjects = names; len(names) == 1 {
			d.Subjects = nil
		}
		return d
	}
	for name, tt := range map[string]struct {
		own     lifecycle.Diagnostics
		plan    string // rule and subject of what readiness still tells, then its verdict
		ready   int    // findings in the way
		verdict string
	}{
		"all": {lifecycle.Diagnostics{of(lifecycle.RuleDropIns, "w1", "w2"), of(lifecycle.RuleClock, "w3")}, "machine-disk w3", 2,
			"Not ready: 2 findings of the plan itself in the way, 1 to see to."},
		"some of the machines": {lifecycle.Diagnostics{of(lifecycle.RuleDropIns, "w1")}, "k0s-containerd-drop-ins w2, machine-clock w3, " +
			"machine-disk w3", 2, "Not ready: 1 finding in the way, 1 of the plan itself, 2 to see to."},
		"something else": {lifecycle.Diagnostics{of("", "w1")}, "k0s-containerd-drop-ins lab, machine-clock w3, machine-disk w3", 2,
			"Not ready: 1 finding in the way, 1 of the plan itself, 2 to see to."},
	} {
		s := session.With(lifecycle.Site{Name: "lab"}, session.Options{}, session.Parts{Site: seenSite{}, Plans: session.Planners{
			Make: func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
				return lifecycle.Plan{Site: "lab", Target: to, Hops: []lifecycle.Version{to}, Diagnostics: tt.own}
			},
			Ready: func(in readiness.Input) lifecycle.Readiness {
				return lifecycle.Readiness{Site: in.Site.Name, To: in.Target, Findings: []lifecycle.ReadinessFinding{risk, clock, disk}}
			}}})
		plan, err := s.Plan(t.Context(), lifecycle.PlanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, f := range plan.Readiness.Findings {
			told = append(told, f.Rule+" "+f.Subject)
		}
		if got := strings.Join(told, ", "); got != tt.plan || plan.Readiness.Verdict() != tt.verdict || plan.Readiness.IsReady() {
			t.Errorf("%s: the plan tells %s: %s", name, got, plan.Readiness.Verdict())
		}
		r, err := s.Ready(t.Context(), to, false)
		if err != nil || len(r.Of(lifecycle.RankBlocks)) != tt.ready || r.Stops != 0 {
			t.Errorf("%s: ready tells %+v, %v", name, r.Findings, err)
		}
	}
}

// TestWhatIsNotServedIsToldOnce: an object of an API that has gone can't be applied, which its plan says, and the rule of removed APIs,
// too. ready has one finding of both, which is in the way; beside the plan, readiness says nothing of it.
func TestWhatIsNotServedIsToldOnce(t *testing.T) {
	to, at := lifecycle.Version{Major: 1, Minor: 37, Patch: 1}, "overlays/lab/jobs.yaml:1"
	gone := lifecycle.ReadinessFinding{Rule: lifecycle.RuleRemovedAPI, Rank: lifecycle.RankAttention, Subject: "CronJob shop/nightly",
		Owner: "tenant shop", Source: at, Summary: "it can't be applied now either", Remedy: "Write apiVersion: batch/v1."}
	refused := lifecycle.Errorf(at, "the cluster does not know the kind of it").Because("it serves it as batch/v1").
		Hiding(lifecycle.ErrUnserved)
	for name, tt := range map[string]struct {
		own   lifecycle.Diagnostic
		plan  int    // what readiness tells beside the plan
		ready string // what is in the way
	}{
		"the same":      {refused, 0, "tenant shop it can't be applied now either"},
		"another place": {lifecycle.Errorf("overlays/lab/web.yaml:9", "other").Hiding(lifecycle.ErrUnserved), 1, " other"},
		"another cause": {lifecycle.Errorf(at, "other"), 1, " other"},
	} {
		s := session.With(lifecycle.Site{Name: "lab"}, session.Options{}, session.Parts{Site: seenSite{}, Plans: session.Planners{
			Make: func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
				return lifecycle.Plan{Site: "lab", Target: to, Hops: []lifecycle.Version{to}, Diagnostics: lifecycle.Diagnostics{tt.own}}
			},
			Ready: func(in readiness.Input) lifecycle.Readiness {
				return lifecycle.Readiness{Site: in.Site.Name, To: in.Target, Findings: []lifecycle.ReadinessFinding{gone}}
			}}})
		plan, err := s.Plan(t.Context(), lifecycle.PlanOptions{})
		if err != nil || len(plan.Readiness.Findings) != tt.plan || plan.Readiness.Stops != 1 {
			t.Errorf("%s: beside the plan: %+v, %v", name, plan.Readiness, err)
		}
		r, err := s.Ready(t.Context(), to, false)
		if err != nil {
			t.Fatal(err)
		}
		blocks := r.Of(lifecycle.RankBlocks)
		if len(blocks) != 1 || blocks[0].Owner+" "+blocks[0].Summary != tt.ready || len(r.Findings) != 1+tt.plan {
			t.Errorf("%s: ready tells %+v", name, r.Findings)
		}
	}
}

// TestPlansFindingsHaveOwners: a budget is whose its namespace is.
func TestPlansFindingsHaveOwners(t *testing.T) {
	site := lifecycle.Site{Name: "lab", Tenants: []lifecycle.Tenant{{Name: "shop",
		Namespaces: []lifecycle.TenantNamespace{{Name: "web"}}}}}
	s := session.With(site, session.Options{}, session.Parts{Site: seenSite{}, Plans: session.Planners{
		Make: func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
			return lifecycle.Plan{Site: "lab", Diagnostics: lifecycle.Diagnostics{
				lifecycle.Blockedf("web/all", "the disruption budget can never allow an eviction").Within("web")}}
		},
		Ready: func(in readiness.Input) lifecycle.Readiness {
			return lifecycle.Readiness{Site: in.Site.Name, To: in.Target}
		}}})
	r, err := s.Ready(t.Context(), lifecycle.Version{Major: 1, Minor: 37}, false)
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Owner != "tenant shop" {
		t.Errorf("%+v, %v", r.Findings, err)
	}
}
