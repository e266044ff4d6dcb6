package forge

import (
	"fmt"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestAssess(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	patch := rendertest.UpgradePlan(t, site, 1)
	for i := range patch.Steps {
		if !patch.Steps[i].From.IsZero() {
			patch.Steps[i].From = rendertest.Version(t, "v1.36.2+k0s.0")
		}
	}
	with := func(change func(*lifecycle.Plan)) lifecycle.Plan {
		p := patch
		p.Steps = append([]lifecycle.Step(nil), p.Steps...)
		change(&p)
		return p
	}
	windowed := func(zone string) lifecycle.Site {
		s := site
		s.Policy.Windows = []lifecycle.Window{{Days: []time.Weekday{time.Saturday}, Start: 18 * 60, End: 23 * 60, TimeZone: zone}}
		if zone == "Asia/Tokyo" {
			s.Policy.Windows[0].Start = 22 * 60
		}
		return s
	}
	behindWindow := func(p *lifecycle.Plan) {
		p.Steps[len(p.Steps)-1].Before = []lifecycle.Gate{{Kind: lifecycle.GateWindow}}
	}
	to := func(p *lifecycle.Plan, v lifecycle.Version) {
		p.Target, p.Hops = v, []lifecycle.Version{v}
		for i := range p.Steps {
			if !p.Steps[i].From.IsZero() {
				p.Steps[i].From, p.Steps[i].Version = v, v
			}
		}
	}
	objects := func(a lifecycle.Action, cs ...lifecycle.ObjectChange) func(*lifecycle.Plan) {
		return func(p *lifecycle.Plan) {
			p.Steps = append(p.Steps, lifecycle.Step{ID: "addon/metallb/apply", Stage: "addons", Action: a, Target: "addon/metallb", Objects: cs})
		}
	}
	for _, tt := range []struct {
		name string
		in   SitePlan
		want urgency
		why  string
	}{
		{"nothing to do", SitePlan{Site: site, Plan: lifecycle.Plan{Target: site.Cluster.Version}}, urgencyNone, ""},
		{"a patch release", SitePlan{Site: site, Plan: patch}, urgencySafe, ""},
		{"a minor release", SitePlan{Site: site, Plan: rendertest.UpgradePlan(t, site, 1)}, urgencyAttention,
			"Kubernetes goes from v1.35 to v1.36, which may serve other APIs"},
		{"a new object", SitePlan{Site: site, Plan: with(objects(lifecycle.ActionApply, lifecycle.ObjectChange{Change: lifecycle.ChangeCreate}))},
			urgencySafe, ""},
		{"an object that goes", SitePlan{Site: site, Plan: with(objects(lifecycle.ActionApply,
			lifecycle.ObjectChange{Change: lifecycle.ChangeDelete}))}, urgencyAttention, "1 object is deleted"},
		{"drift", SitePlan{Site: site, Plan: with(objects(lifecycle.ActionApply,
			lifecycle.ObjectChange{Change: lifecycle.ChangeUpdate, Drift: true}))}, urgencyAttention,
			"1 object that someone changed in the cluster is put back"},
		{"an addon that leaves", SitePlan{Site: site, Plan: with(objects(lifecycle.ActionPrune))}, urgencyAttention, "addon metallb is removed"},
		{"a machine that leaves", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) {
			p.Steps = append(p.Steps, lifecycle.Step{Target: "worker-9", Action: lifecycle.ActionReset})
		})}, urgencyAttention, "worker-9 loses its data on reset"},
		{"configuration", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) {
			p.Steps = append(p.Steps, lifecycle.Step{Target: "controller-1", Action: lifecycle.ActionConfigure, Changes: []string{"a: 1 -> 2"}})
		})}, urgencyAttention, "1 field of the control plane's configuration changes"},
		{"a warning", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) {
			p.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "worker-2 was not reached"}}
		})}, urgencyAttention, "worker-2 was not reached"},
		{"a gate that blocks", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) {
			p.Diagnostics = lifecycle.Diagnostics{rendertest.BlockedFinding(), rendertest.BlockedFinding()}
		})}, urgencyBlocked, "a disruption budget can never allow an eviction (shop/web); " +
			"a disruption budget can never allow an eviction (shop/web)"},
		{"blocked with nothing to do", SitePlan{Site: site,
			Plan: lifecycle.Plan{Diagnostics: lifecycle.Diagnostics{rendertest.BlockedFinding()}}}, urgencyBlocked,
			"a disruption budget can never allow an eviction (shop/web)"},
		{"unfinished", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) { p.Unfinished = "the API does not answer yet" })},
			urgencyAttention, "another plan must follow: the API does not answer yet"},
		{"not committed", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) { p.Revision = "3f2a-dirty" })}, urgencyAttention,
			"it was planned from files that are not committed"},
		{"one controller", SitePlan{Site: rendertest.Site(t, 1, 4), Plan: func() lifecycle.Plan {
			p := rendertest.UpgradePlan(t, rendertest.Site(t, 1, 4), 1)
			for i := range p.Steps {
				p.Steps[i].From = lifecycle.Version{}
			}
			return p
		}()}, urgencyAttention, "its only controller restarts: no API meanwhile"},
		{"no plan", SitePlan{Site: site, Missing: "it could not be planned"}, urgencyBlocked, "it could not be planned"},
		{"more findings than a line holds", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) {
			for i := range 5 {
				p.Diagnostics = append(p.Diagnostics, lifecycle.Diagnostic{Severity: lifecycle.SeverityError,
					Summary: fmt.Sprintf("worker-%d was not reached", i), Subject: fmt.Sprintf("worker-%d", i)})
			}
		})}, urgencyBlocked, "worker-0 was not reached; worker-1 was not reached; worker-2 was not reached; and 2 more"},
		{"an overlay that goes", SitePlan{Site: site, Gone: true, Plan: patch}, urgencyAttention,
			"its overlay is deleted: nothing is destroyed, its cluster goes on running and nobody looks after it"},
		{"a version that has not soaked", SitePlan{Site: site, Plan: patch, Promoted: []lifecycle.Promoted{
			{State: lifecycle.GateWaiting, Reason: "staging has run it for 20h of 72h", Until: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)},
			{State: lifecycle.GateMet, Reason: "lab has"}}},
			urgencyBlocked, "promotion: staging has run it for 20h of 72h, so at the earliest Tue 24 Nov 10:00 UTC"},
		{"a version that nobody runs", SitePlan{Site: site, Plan: patch,
			Promoted: []lifecycle.Promoted{{State: lifecycle.GateFailed, Reason: "nothing is known of staging"}}}, urgencyBlocked,
			"promotion: nothing is known of staging"},
		{"a version that has soaked", SitePlan{Site: site, Plan: patch,
			Promoted: []lifecycle.Promoted{{State: lifecycle.GateMet, Reason: "lab has"}, {State: lifecycle.GateSkipped, Reason: "had it"}}},
			urgencySafe, ""},
		{"a closed window", SitePlan{Site: windowed("Asia/Tokyo"), Plan: with(behindWindow)}, urgencyAttention,
			"its maintenance window opens Sat 28 Nov 22:00 JST: applied before that, it stops"},
		{"an open window", SitePlan{Site: windowed("Pacific/Honolulu"), Plan: with(behindWindow)}, urgencySafe, ""},
		{"a closed window that nothing waits for", SitePlan{Site: windowed("Asia/Tokyo"), Plan: patch}, urgencySafe, ""},
		{"a window in no time zone", SitePlan{Site: windowed("Mars/Olympus"), Plan: with(behindWindow)}, urgencySafe, ""},
		{"a minor without support", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) { to(p, rendertest.Version(t, "v1.34.9+k0s.0")) })},
			urgencyAttention, "Kubernetes 1.34, which it goes to, gets no more patches since 2026-10-27"},
		{"a minor of which nothing is known", SitePlan{Site: site,
			Plan: with(func(p *lifecycle.Plan) { to(p, rendertest.Version(t, "v1.99.9+k0s.0")) })}, urgencySafe, ""},
	} {
		got := assess(tt.in, NoteOptions{Now: noteTime, Support: supported})
		if got.urgency != tt.want || got.why() != tt.why {
			t.Errorf("%s: got %s because %q, want %s because %q", tt.name, got.urgency.word(), got.why(), tt.want.word(), tt.why)
		}
	}
}

// TestSupportEnds: a target whose support ends within two months is worth a reviewer's eye.
func TestSupportEnds(t *testing.T) {
	p := rendertest.UpgradePlan(t, rendertest.Site(t, 1, 1), 1) // to 1.36, until 2027-06-28
	for now, want := range map[string]int{"2027-04-28": 0, "2027-04-29": 1, "2027-06-27": 1, "2027-06-28": 1, "2028-01-01": 1} {
		at, err := time.Parse(time.DateOnly, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := supportReasons(p, NoteOptions{Now: at, Support: supported}); len(got) != want {
			t.Errorf("on %s: %q", now, got)
		}
	}
	p.Hops = nil
	if got := supportReasons(p, NoteOptions{Now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Support: supported}); got != nil {
		t.Errorf("a plan that changes no version: %q", got)
	}
}
