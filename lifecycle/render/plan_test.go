package render

import (
	"bytes"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestPlans(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	upgrade := rendertest.UpgradePlan(t, site, 1)
	empty := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: site.Name, Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d-dirty",
		Target: site.Cluster.Version}
	blocked := rendertest.UpgradePlan(t, site, 2)
	blocked.Diagnostics = lifecycle.Diagnostics{rendertest.BlockedFinding(),
		{Severity: lifecycle.SeverityWarning, Subject: "overlays/tokyo-prod/cluster.yaml:12",
			Summary: "an even number of controllers | gains <nothing>"}}
	unfinished := rendertest.UpgradePlan(t, site, 2)
	unfinished.Steps, unfinished.Stages, unfinished.Unfinished = unfinished.Steps[7:11], unfinished.Stages[1:3], "the API does not answer yet"
	config := lifecycle.Plan{
		Format: lifecycle.PlanFormat, Site: site.Name, Target: site.Cluster.Version,
		Stages: []lifecycle.Stage{{ID: "config", Title: "configuration of the controllers", Width: 1}},
		Steps: []lifecycle.Step{{ID: "controller-1/configure", Stage: "config", Action: lifecycle.ActionConfigure, Target: "controller-1",
			Disrupts: true,
			Reason:   "its k0s.yaml differs from the declared one",
			Changes:  []string{"spec.network.provider: kuberouter -> calico", "spec.telemetry.enabled: true -> false"}}},
	}
	for name, p := range map[string]lifecycle.Plan{"upgrade": upgrade, "empty": empty, "blocked": blocked, "unfinished": unfinished,
		"config": config} {
		t.Run(name, func(t *testing.T) {
			var text, markdown bytes.Buffer
			if err := PlanText(&text, site, p, Style{}); err != nil {
				t.Fatal(err)
			}
			if err := PlanMarkdown(&markdown, site, p); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", text.String())
			golden(t, name+".md", markdown.String())
			var colored bytes.Buffer
			if err := onTerminal(&colored, func(w *Writer, s Style) error { return PlanText(w, site, p, s) }); err != nil {
				t.Fatal(err)
			}
			if stripped := stripANSI(colored.String()); stripped != text.String() {
				t.Errorf("colour changes the text:\n%s", stripped)
			}
		})
	}
}

func TestTheLastLineOfAPlanTellsWhetherItCanBe(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	finding := func(s lifecycle.Severity, summary string) lifecycle.Diagnostic {
		return lifecycle.Diagnostic{Severity: s, Subject: "worker-1", Summary: summary}
	}
	stops := func(severity lifecycle.Severity, summaries ...string) (ds lifecycle.Diagnostics) {
		for _, s := range summaries {
			ds = append(ds, finding(severity, s))
		}
		return ds
	}
	upgrade, nothing := rendertest.UpgradePlan(t, site, 2), lifecycle.Plan{Site: site.Name}
	for _, tt := range []struct {
		name     string
		plan     lifecycle.Plan
		findings lifecycle.Diagnostics
		want     string
	}{
		{"none", upgrade, nil, "Plan: 3 controllers and 4 workers to upgrade, at most 2 workers out of service at a time. 7 machines disturbed."},
		{"warning", upgrade, stops(lifecycle.SeverityWarning, "few"),
			"Plan: 3 controllers and 4 workers to upgrade, at most 2 workers out of service at a time. 7 machines disturbed."},
		{"blocked", upgrade, stops(lifecycle.SeverityBlocked, "too few pods"),
			"Blocked: nothing is changed, because of what stands above: too few pods (worker-1)."},
		{"error", upgrade, append(stops(lifecycle.SeverityError, "not reached"), finding(lifecycle.SeverityBlocked, "too few pods")),
			"Not possible: nothing is changed, because of what stands above: not reached (worker-1); too few pods (worker-1)."},
		{"many", upgrade, stops(lifecycle.SeverityBlocked, "a", "b", "c", "d", "e"),
			"Blocked: nothing is changed, because of what stands above: a (worker-1); b (worker-1); c (worker-1); and 2 more."},
		{"no steps", nothing, stops(lifecycle.SeverityError, "not reached"),
			"Not possible: nothing is changed, because of what stands above: not reached (worker-1)."},
		{"of many machines, whose names stand above", nothing, lifecycle.Diagnostics{{Severity: lifecycle.SeverityError,
			Summary: "no key", Subject: "3 machines: a, b, c", Subjects: []string{"a", "b", "c"}}},
			"Not possible: nothing is changed, because of what stands above: no key (3 machines)."},
		{"nothing to do", nothing, nil, "No changes. " + site.Name + " is what the repository declares."},
	} {
		tt.plan.Diagnostics = tt.findings
		var b bytes.Buffer
		if err := PlanText(&b, site, tt.plan, Style{}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if got := lines[len(lines)-1]; got != tt.want {
			t.Errorf("%s: the last line is\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestTotals(t *testing.T) {
	site := rendertest.Site(t, 3, 20)
	step := func(target string, a lifecycle.Action, disrupts bool) lifecycle.Step {
		return lifecycle.Step{Stage: "s", Target: target, Action: a, Disrupts: disrupts}
	}
	wide := []lifecycle.Stage{{ID: "s", Width: 0}}
	for _, tt := range []struct {
		name string
		plan lifecycle.Plan
		want string
	}{
		{"upgrade", rendertest.UpgradePlan(t, site, 4),
			"3 controllers and 20 workers to upgrade, at most 4 workers out of service at a time. 23 machines disturbed."},
		{"join", lifecycle.Plan{Stages: wide, Steps: []lifecycle.Step{step("controller-1", lifecycle.ActionInitialize, false),
			step("worker-1", lifecycle.ActionJoinWorker, false), step("worker-2", lifecycle.ActionJoinWorker, false)}},
			"1 controller and 2 workers to join. No machine disturbed."},
		{"removal wins over drain", lifecycle.Plan{Stages: wide,
			Steps: []lifecycle.Step{step("worker-1", lifecycle.ActionDrain, true), step("worker-1", lifecycle.ActionReset, true)}},
			"1 worker to remove, at most 1 worker out of service at a time. 1 machine disturbed."},
		{"give back", lifecycle.Plan{Stages: wide, Steps: []lifecycle.Step{step("worker-3", lifecycle.ActionUncordon, false)}},
			"1 worker to return to service. No machine disturbed."},
		{"restore", lifecycle.Plan{Stages: wide, Steps: []lifecycle.Step{step("controller-1", lifecycle.ActionConfigure, false),
			step("controller-1", lifecycle.ActionRestore, false),
			step("worker-1", lifecycle.ActionRestart, false), step("worker-2", lifecycle.ActionReset, true),
			step("worker-2", lifecycle.ActionJoinWorker, false)}},
			"1 controller to restore, 1 worker to join, 1 worker to restart, at most 1 worker out of service at a time. 1 machine disturbed."},
		{"cluster only", lifecycle.Plan{Stages: wide, Steps: []lifecycle.Step{step("", lifecycle.ActionBackup, false)}},
			"1 step for the cluster as a whole. No machine disturbed."},
	} {
		if got := Totals(site, tt.plan); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestSameTreatmentIsShownOnce(t *testing.T) {
	site := rendertest.Site(t, 1, 12)
	p := rendertest.UpgradePlan(t, site, 4)
	for _, o := range Outlines(p) {
		if len(o.Groups) > 1 && o.Stage.ID == "workers" {
			t.Errorf("12 workers with the same steps make %d groups", len(o.Groups))
		}
	}
	// worker-7 runs another version: it is not the same treatment.
	for i := range p.Steps {
		if p.Steps[i].Target == "worker-7" && p.Steps[i].Action == lifecycle.ActionUpgrade {
			p.Steps[i].From = rendertest.Version(t, "v1.35.6+k0s.0")
		}
	}
	for _, o := range Outlines(p) {
		if o.Stage.ID == "workers" && (len(o.Groups) != 2 || len(o.Groups[0].Targets) != 11 || o.Groups[1].Targets[0] != "worker-7") {
			t.Errorf("got groups %+v, want worker-7 apart", o.Groups)
		}
	}
}

func TestReplaceWord(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"worker-1 and worker-10", "<machine> and worker-10"},
		{"node worker-1", "node <machine>"},
		{"my-worker-1, worker-1.", "my-worker-1, <machine>."},
		{"", ""},
	} {
		if got := replaceWord(tt.in, "worker-1", placeholder); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestMarkdownCannotBeBrokenByNames(t *testing.T) {
	p := rendertest.UpgradePlan(t, rendertest.Site(t, 1, 1), 1)
	p.Steps[0].Reason = "a | b\n<script>[x](y)"
	var b bytes.Buffer
	if err := PlanMarkdown(&b, rendertest.Site(t, 1, 1), p); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script>") || strings.Contains(b.String(), "a | b") {
		t.Errorf("markup from a reason got through:\n%s", b.String())
	}
}

// TestGoingBackIsToldAsThat: a controller that gets its former k0s again is not only prepared.
func TestGoingBackIsToldAsThat(t *testing.T) {
	site := lifecycle.Site{Cluster: lifecycle.Cluster{Hosts: []lifecycle.Host{{Name: "controller-1", Role: lifecycle.RoleController}}}}
	for _, a := range []lifecycle.Action{lifecycle.ActionRestoreFormer, lifecycle.ActionRestoreSettings} {
		p := lifecycle.Plan{Steps: []lifecycle.Step{{Target: "controller-1", Action: a, Disrupts: true}}}
		if got := Totals(site, p); got != "1 controller to take back. 1 machine disturbed." || symbolOf(a) != "~" {
			t.Errorf("%s: %q %q", a, symbolOf(a), got)
		}
	}
}
