package forge

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // windows name time zones, and the machine may have none

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/plan"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// sitePlans are those of a merge request that goes to the next minor in production, and to the next patch of an addon elsewhere.
func sitePlans(t *testing.T) []SitePlan {
	big := rendertest.Site(t, 3, 20)
	big.Addons = []lifecycle.Addon{{Name: "metallb", Chart: &lifecycle.Chart{Repo: "https://metallb.github.io/metallb", Name: "metallb"}}}
	upgrade := rendertest.UpgradePlan(t, big, 4)
	upgrade.Estimate = &lifecycle.Estimate{Duration: 47 * time.Minute, Runs: 3}
	for i := range upgrade.Steps {
		if s := &upgrade.Steps[i]; s.Action == lifecycle.ActionCordon {
			s.Before = append([]lifecycle.Gate{{Kind: lifecycle.GateWindow}}, s.Before...)
		}
	}
	big.Policy.Windows = []lifecycle.Window{{Days: []time.Weekday{time.Saturday}, Start: 22 * 60, End: 4 * 60, TimeZone: "Asia/Tokyo"}}
	waiting := rendertest.Site(t, 1, 2)
	waiting.Name = "nagoya-prod"
	early := rendertest.UpgradePlan(t, waiting, 1)
	early.Site = waiting.Name
	small := rendertest.Site(t, 1, 2)
	small.Name, small.Wave = "lab", 1
	addon := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab", Revision: small.Revision, Target: small.Cluster.Version,
		Stages: []lifecycle.Stage{{ID: "addons", Title: "addons"}}, Steps: []lifecycle.Step{rendertest.MetalLBBump()}}
	small.Addons = big.Addons
	stopped := rendertest.Site(t, 3, 4)
	stopped.Name = "osaka-prod"
	blocked := rendertest.UpgradePlan(t, stopped, 1)
	blocked.Site, blocked.Diagnostics = "osaka-prod",
		lifecycle.Diagnostics{rendertest.BlockedFinding(),
			{Severity: lifecycle.SeverityWarning, Subject: "overlays/osaka-prod/cluster.yaml:12",
				Summary: "an even number of controllers | gains <nothing>"}}
	idle := rendertest.Site(t, 1, 1)
	idle.Name = "berlin"
	return []SitePlan{
		{Site: idle, Plan: lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "berlin", Revision: idle.Revision}},
		{Site: big, Plan: upgrade},
		{Site: small, Plan: addon},
		{Site: stopped, Plan: blocked},
		{Site: lifecycle.Site{Name: "oslo"}, Missing: "it could not be planned: its job's log says why"},
		{Site: lifecycle.Site{Name: "lisbon"}, Gone: true},
		{Site: waiting, Plan: early, Promoted: []lifecycle.Promoted{
			{Name: "k0s", Version: "v1.36.3+k0s.2", From: "lab", State: lifecycle.GateWaiting,
				Reason: "lab has run k0s v1.36.3+k0s.2, healthy, for 20h of 72h", Until: noteTime.Add(52 * time.Hour)},
			{Name: "chart/metallb", Version: "0.16.2", From: "lab", State: lifecycle.GateMet,
				Reason: "lab has run chart metallb 0.16.2, healthy, for 90h of 72h"}}},
	}
}

// noteTime is a Sunday on which no window is open.
var noteTime = time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)

func noteOptions() NoteOptions {
	return NoteOptions{Pipeline: "https://gitlab.example.com/fleet/-/pipelines/7", Now: noteTime, Support: supported}
}

// supported knows two minors.
func supported(v lifecycle.Version) lifecycle.Support {
	ends := map[int]time.Time{34: time.Date(2026, 10, 27, 0, 0, 0, 0, time.UTC), 35: time.Date(2027, 2, 28, 0, 0, 0, 0, time.UTC),
		36: time.Date(2027, 6, 28, 0, 0, 0, 0, time.UTC)}
	return lifecycle.Support{Minor: fmt.Sprintf("1.%d", v.Minor), Ends: ends[v.Minor]}
}

func TestNote(t *testing.T) {
	golden(t, "note.md", Note(sitePlans(t), noteOptions()))
	golden(t, "note_empty.md", Note(nil, NoteOptions{}))
}

// TestNoteExplainsTwoSteps: of an upgrade in two steps, each stage is explained where the plan has it, in two sentences at most; and no
// other stage is.
func TestNoteExplainsTwoSteps(t *testing.T) {
	var sites []SitePlan
	add := func(name string, policy lifecycle.TwoStep, stages ...string) {
		site := rendertest.Site(t, 1, 1)
		site.Name, site.Policy.ControlPlane = name, policy
		p := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: name, Target: site.Cluster.Version}
		for _, id := range stages {
			p.Stages = append(p.Stages, lifecycle.Stage{ID: id, Title: "the stage " + id, Width: 1})
			p.Steps = append(p.Steps, lifecycle.Step{ID: "controller-1/" + id, Stage: id, Action: lifecycle.ActionConfigure,
				Target: "controller-1", Reason: "so that there is one", Disrupts: true})
		}
		sites = append(sites, SitePlan{Site: site, Plan: p})
	}
	auto := lifecycle.TwoStep{Soak: 48 * time.Hour}
	add("forth", auto, lifecycle.StagePin, lifecycle.StageRoll+"@v1.36.3+k0s.2", lifecycle.StageSoak)
	add("forth-by-hand", lifecycle.TwoStep{Soak: time.Hour, Commit: lifecycle.CommitManual}, lifecycle.StageSoak)
	add("on", auto, lifecycle.StageCommit, "workers@v1.36.3+k0s.2")
	add("again", auto, lifecycle.StageBack, lifecycle.StageUnpin)
	golden(t, "note_twostep.md", Note(sites, NoteOptions{}))
	for _, s := range sites {
		for _, stage := range s.Plan.Stages {
			says := meaning(s.Site, stage)
			if n := strings.Count(says, ". ") + 1; n > 2 || (says == "") != strings.HasPrefix(stage.ID, "workers") {
				t.Errorf("%s of %s: %q", stage.ID, s.Site.Name, says)
			}
		}
	}
}

// TestNoteSaysToWait: the next minor that a robot proposes while a site soaks is blocked there, and the note says why, and until when.
func TestNoteSaysToWait(t *testing.T) {
	site := rendertest.Site(t, 1, 1)
	site.Name, site.Policy.ControlPlane = "soaks", lifecycle.TwoStep{Soak: 48 * time.Hour}
	former, to := rendertest.Version(t, "v1.35.7+k0s.0"), rendertest.Version(t, "v1.36.3+k0s.2")
	site.Cluster.Version = rendertest.Version(t, "v1.37.0+k0s.0")
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	st := lifecycle.State{Site: site.Name, ObservedAt: at.Add(time.Hour)}
	st.Past.Pinned.Value = lifecycle.Pinned{Former: former, To: to, Since: at, Soaks: at}
	for i, h := range site.Cluster.Hosts {
		v := []lifecycle.Version{to, former}[i]
		st.Hosts = append(st.Hosts, lifecycle.HostState{Name: h.Name, ServiceName: "k0s" + string(h.Role), Service: lifecycle.ServiceRunning,
			Binary: v, Running: v})
	}
	note := Note([]SitePlan{{Site: site, Plan: plan.Make(site, st, lifecycle.PlanOptions{})}}, NoteOptions{})
	for _, want := range []string{"blocked", "between v1.35.7+k0s.0 and v1.36.3+k0s.2", "it goes nowhere else",
		"Wait with v1.37.0+k0s.0 until",
		"by the first apply after 2026-11-05 09:00 UTC with v1.36.3+k0s.2 declared"} {
		if !strings.Contains(note, want) {
			t.Errorf("it does not say %q:\n%s", want, note)
		}
	}
}

func TestNoteWithoutTheSite(t *testing.T) {
	known := rendertest.UpgradePlan(t, rendertest.Site(t, 3, 4), 1)
	note := Note([]SitePlan{{Site: lifecycle.Site{Name: "tokyo-prod"}, Plan: known}}, NoteOptions{})
	if !strings.Contains(note, "3 controllers and 4 workers to upgrade") {
		t.Errorf("the plan alone tells controllers from workers by their gates; got\n%s", note)
	}
}

// TestNoteCannotBeSteered: what hosts, charts and people wrote must become neither markup, nor a mention, nor one of GitLab's quick
// actions, which are lines that begin with a slash.
func TestNoteCannotBeSteered(t *testing.T) {
	for name, evil := range map[string]string{
		"everything":        "x\n/close\n/assign @root <!-- kiban:plan --> </details> **@all**",
		"another line end":  "x\r/close\r\n/merge @root",
		"the first words":   "/close @all",
		"the end of a list": "x\n\n/close\n\n</details></details>\n| a | b |",
		"the end of a code": "x```\n/close\n```\n@root `/close`",
		"a link":            "[x](javascript:alert(1)) ![x](https://evil.example/pixel.png) @root",
	} {
		t.Run(name, func(t *testing.T) { steer(t, evil) })
	}
}

func steer(t *testing.T, evil string) {
	site := rendertest.Site(t, 1, 1)
	site.Addons = []lifecycle.Addon{{Name: "metallb",
		Chart: &lifecycle.Chart{Repo: "https://metallb.github.io/metallb" + evil, Name: "metallb"}}}
	p := rendertest.UpgradePlan(t, site, 1)
	p.Steps[0].Reason, p.Stages[0].Title, p.Unfinished, p.Revision = evil, evil, evil, evil
	p.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: evil, Detail: evil, Hint: evil, Subject: evil}}
	bump := rendertest.MetalLBBump()
	bump.Reason, bump.Chart, bump.Ignored = evil, evil+" -> "+evil, []string{evil}
	bump.Objects[0].Reason, bump.Objects[0].Fields[0].To, bump.Objects[0].Drift = evil, evil, true
	bump.Objects[0].Name, bump.Objects[0].Fields[0].Field, bump.Objects[0].Fields[0].By = evil, evil, evil
	named := bump
	named.Target = lifecycle.UnitAddon + evil
	p.Steps = append(p.Steps, bump, named)
	p.Stages = append(p.Stages, lifecycle.Stage{ID: "addons", Title: evil})
	promoted := []lifecycle.Promoted{{State: lifecycle.GateMet, Reason: evil}}
	note := Note([]SitePlan{{Site: site, Plan: p, Promoted: promoted}, {Site: lifecycle.Site{Name: "oslo"}, Missing: evil},
		{Site: lifecycle.Site{Name: evil}, Gone: true},
		{Site: lifecycle.Site{Name: "berlin"}, Plan: p, Promoted: []lifecycle.Promoted{{State: lifecycle.GateFailed, Reason: evil}}}},
		noteOptions())
	code, prose := false, ""
	for line := range strings.Lines(note) {
		if strings.HasPrefix(line, "```") {
			code = !code
			continue
		}
		if code {
			continue
		}
		prose += line
		if strings.HasPrefix(strings.TrimLeft(line, " "), "/") {
			t.Errorf("a quick action: %s", line)
		}
		if strings.Contains(strings.ReplaceAll(line, `\@`, ""), "@") {
			t.Errorf("a mention: %s", line)
		}
		if strings.Contains(strings.ReplaceAll(line, `\[`, ""), "[x]") {
			t.Errorf("a link: %s", line)
		}
	}
	if code || strings.Contains(note, "\r") {
		t.Error("a line, or a block of code, ends where it should not")
	}
	if strings.Count(prose, NoteMarker) != 1 || strings.Count(prose, "<details>") != strings.Count(prose, "</details>") {
		t.Errorf("markup got through:\n%s", note)
	}
}

// TestNoteKeepsSecretsMasked: what the plan masks stays so, wherever the note speaks of it, and a chart's message that speaks of a secret
// by its name makes nothing else of it.
func TestNoteKeepsSecretsMasked(t *testing.T) {
	const masked = "(masked)"
	bump := rendertest.MetalLBBump()
	bump.Objects = []lifecycle.ObjectChange{{ObjectRef: lifecycle.ObjectRef{APIVersion: "v1", Kind: "Secret", Namespace: "shop",
		Name: "token"}, Change: lifecycle.ChangeUpdate,
		Fields: []lifecycle.FieldChange{{Field: "data.token", From: masked, To: masked}}}}
	p := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab", Stages: []lifecycle.Stage{{ID: bump.Stage, Title: "addons"}},
		Steps:       []lifecycle.Step{bump},
		Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "the chart says: token is " + masked + "\n/close"}}}
	note := Note([]SitePlan{{Site: lifecycle.Site{Name: "lab"}, Plan: p}}, NoteOptions{})
	for _, line := range strings.Split(note, "\n") {
		if i := strings.Index(line, "data.token"); i >= 0 && !strings.Contains(line, masked) {
			t.Errorf("a line tells more than that it changes: %s", line)
		}
	}
	if !strings.Contains(note, "data.token") {
		t.Errorf("the note does not say that the secret changes:\n%s", note)
	}
}

func TestNoteTellsHowLongItMayTake(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	p := rendertest.UpgradePlan(t, site, 1)
	p.Estimate = &lifecycle.Estimate{Duration: 12 * time.Minute, Runs: 3}
	if note := Note([]SitePlan{{Site: site, Plan: p}}, NoteOptions{}); !strings.Contains(note, "about 12 min, by 3 past runs") {
		t.Errorf("note:\n%s", note)
	}
}

// What somebody changed in the cluster stands apart from what the merge request does, with who did it; where nobody did, nothing is said.
func TestChangesByHandStandApart(t *testing.T) {
	site := rendertest.Site(t, 1, 2)
	plan := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: site.Name, Target: site.Cluster.Version,
		Stages: []lifecycle.Stage{{ID: "addons", Title: "addons"}}, Steps: []lifecycle.Step{rendertest.MetalLBBump()}}
	const heading = "**Changed by hand in the cluster, and not by this merge request:**"
	if got := newSection(SitePlan{Site: site, Plan: plan}, NoteOptions{}).brief(""); strings.Contains(got, heading) {
		t.Errorf("nobody changed anything by hand:\n%s", got)
	}
	plan.Steps = append(plan.Steps, rendertest.Drifted())
	got := newSection(SitePlan{Site: site, Plan: plan}, NoteOptions{}).brief("")
	_, apart, found := strings.Cut(got, heading)
	for _, want := range []string{"- Deployment shop/web: changed by kubectl-edit, 2026-11-21 14:03 UTC; put back\n", "- ConfigMap shop/web: ",
		"- Service shop/web: deleted by hand; made again\n", "- ConfigMap shop/feature-flags: changed in the cluster; put back\n"} {
		if !found || !strings.Contains(apart, want) {
			t.Errorf("no %q apart:\n%s", want, got)
		}
	}
	if strings.Contains(apart, "metallb") {
		t.Errorf("what the merge request does is among it:\n%s", got)
	}
}
