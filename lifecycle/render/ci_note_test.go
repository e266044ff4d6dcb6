package render

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
)

// sitePlans are those of a merge request that goes to the next minor in production, and to the next patch of an addon elsewhere.
func sitePlans(t *testing.T) []SitePlan {
	big := siteOf(t, 3, 20)
	big.Addons = []lifecycle.Addon{{Name: "metallb", Chart: &lifecycle.Chart{Repo: "https://metallb.github.io/metallb", Name: "metallb"}}}
	upgrade := upgradePlan(t, big, 4)
	upgrade.Steps[3].Before = []lifecycle.Gate{{Kind: lifecycle.GateWindow}}
	small := siteOf(t, 1, 2)
	small.Name, small.Wave = "lab", 1
	addon := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab", Revision: small.Revision, Target: small.Cluster.Version,
		Stages: []lifecycle.Stage{{ID: "addons", Title: "addons"}}, Steps: []lifecycle.Step{metallbBump()}}
	small.Addons = big.Addons
	stopped := siteOf(t, 3, 4)
	stopped.Name = "osaka-prod"
	blocked := upgradePlan(t, stopped, 1)
	blocked.Site, blocked.Diagnostics = "osaka-prod", lifecycle.Diagnostics{blockedFinding(), {Severity: lifecycle.SeverityWarning, Subject: "overlays/osaka-prod/cluster.yaml:12", Summary: "an even number of controllers | gains <nothing>"}}
	idle := siteOf(t, 1, 1)
	idle.Name = "berlin"
	return []SitePlan{
		{Site: idle, Plan: lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "berlin", Revision: idle.Revision}},
		{Site: big, Plan: upgrade},
		{Site: small, Plan: addon},
		{Site: stopped, Plan: blocked},
		{Site: lifecycle.Site{Name: "oslo"}, Missing: "it could not be planned: its job's log says why"},
	}
}

func TestNote(t *testing.T) {
	golden(t, "note.md", Note(sitePlans(t), NoteOptions{Pipeline: "https://gitlab.example.com/fleet/-/pipelines/7"}))
	golden(t, "note_empty.md", Note(nil, NoteOptions{}))
}

func TestNoteFits(t *testing.T) {
	wide := siteOf(t, 3, 150)
	plan := upgradePlan(t, wide, 10)
	for i := range plan.Steps {
		plan.Steps[i].Reason += fmt.Sprintf(" (%d)", i) // no two machines get the same treatment
	}
	var sites []SitePlan
	for i := range 50 {
		s := wide
		s.Name = fmt.Sprintf("site-%02d", i)
		p := plan
		p.Site = s.Name
		sites = append(sites, SitePlan{Site: s, Plan: p})
	}
	sites = append(sites, sitePlans(t)...)
	for _, limit := range []int{NoteLimit, 100_000, 20_000, 1_000} {
		note := Note(sites, NoteOptions{Limit: limit})
		if n := utf8.RuneCountInString(note); n > limit {
			t.Errorf("%d characters; GitLab takes %d", n, limit)
		}
		if !strings.HasPrefix(note, NoteMarker+"\n### kiban plan: 55 sites") && !strings.HasPrefix(note, NoteMarker+"\n### kiban plan: 2 sites blocked, 51 need attention, 1 safe, 1 without changes") {
			t.Errorf("at %d characters the note does not begin with what matters: %.200s", limit, note)
		}
		if open, end := strings.Count(note, "<details>"), strings.Count(note, "</details>"); open != end {
			t.Errorf("at %d characters, %d are unfolded and %d folded again", limit, open, end)
		}
		if limit < 20_000 {
			continue
		}
		if want := "| ⚠️&nbsp;needs&nbsp;attention | `site-49` |"; !strings.Contains(note, want) {
			t.Errorf("at %d characters the table has no line for site-49", limit)
		}
	}
	full := Note(sites, NoteOptions{})
	if !strings.Contains(full, "than a note can hold: see `kiban plan site-00`") {
		t.Error("what was left out has no pointer to where it is")
	}
	if !strings.Contains(full, "#### ⛔ `osaka-prod`: blocked") || !strings.Contains(full, "behind which gates") {
		t.Error("sites whose steps are short lost them too")
	}
}

func TestAssess(t *testing.T) {
	site := siteOf(t, 3, 4)
	patch := upgradePlan(t, site, 1)
	for i := range patch.Steps {
		if !patch.Steps[i].From.IsZero() {
			patch.Steps[i].From = version(t, "v1.36.2+k0s.0")
		}
	}
	with := func(change func(*lifecycle.Plan)) lifecycle.Plan {
		p := patch
		p.Steps = append([]lifecycle.Step(nil), p.Steps...)
		change(&p)
		return p
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
		{"a minor release", SitePlan{Site: site, Plan: upgradePlan(t, site, 1)}, urgencyAttention, "Kubernetes goes from v1.35 to v1.36, which may serve other APIs"},
		{"a new object", SitePlan{Site: site, Plan: with(objects(lifecycle.ActionApply, lifecycle.ObjectChange{Change: lifecycle.ChangeCreate}))}, urgencySafe, ""},
		{"an object that goes", SitePlan{Site: site, Plan: with(objects(lifecycle.ActionApply, lifecycle.ObjectChange{Change: lifecycle.ChangeDelete}))}, urgencyAttention, "1 object is deleted"},
		{"drift", SitePlan{Site: site, Plan: with(objects(lifecycle.ActionApply, lifecycle.ObjectChange{Change: lifecycle.ChangeUpdate, Drift: true}))}, urgencyAttention, "1 object that someone changed in the cluster is put back"},
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
			p.Diagnostics = lifecycle.Diagnostics{blockedFinding(), blockedFinding()}
		})}, urgencyBlocked, "a disruption budget can never allow an eviction, and 1 more finding"},
		{"blocked with nothing to do", SitePlan{Site: site, Plan: lifecycle.Plan{Diagnostics: lifecycle.Diagnostics{blockedFinding()}}}, urgencyBlocked, "a disruption budget can never allow an eviction"},
		{"unfinished", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) { p.Unfinished = "the API does not answer yet" })}, urgencyAttention, "another plan must follow: the API does not answer yet"},
		{"not committed", SitePlan{Site: site, Plan: with(func(p *lifecycle.Plan) { p.Revision = "3f2a-dirty" })}, urgencyAttention, "it was planned from files that are not committed"},
		{"one controller", SitePlan{Site: siteOf(t, 1, 4), Plan: func() lifecycle.Plan {
			p := upgradePlan(t, siteOf(t, 1, 4), 1)
			for i := range p.Steps {
				p.Steps[i].From = lifecycle.Version{}
			}
			return p
		}()}, urgencyAttention, "its only controller restarts: no API meanwhile"},
		{"no plan", SitePlan{Site: site, Missing: "it could not be planned"}, urgencyBlocked, "it could not be planned"},
	} {
		got, reasons := assess(tt.in)
		if got != tt.want || strings.Join(reasons, "; ") != tt.why {
			t.Errorf("%s: got %s because %q, want %s because %q", tt.name, got.word(), reasons, tt.want.word(), tt.why)
		}
	}
}

func TestNoteWithoutTheSite(t *testing.T) {
	known := upgradePlan(t, siteOf(t, 3, 4), 1)
	note := Note([]SitePlan{{Site: lifecycle.Site{Name: "tokyo-prod"}, Plan: known}}, NoteOptions{})
	if !strings.Contains(note, "3 controllers and 4 workers to upgrade") {
		t.Errorf("the plan alone tells controllers from workers by their gates; got\n%s", note)
	}
}

// TestNoteCannotBeSteered: what hosts and people wrote must become neither markup, nor a mention, nor one of GitLab's quick actions, which
// are lines that begin with a slash.
func TestNoteCannotBeSteered(t *testing.T) {
	p := upgradePlan(t, siteOf(t, 1, 1), 1)
	evil := "x\n/close\n/assign @root <!-- kiban:plan --> </details> **@all**"
	p.Steps[0].Reason, p.Stages[0].Title, p.Unfinished = evil, evil, evil
	p.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: evil, Detail: evil, Hint: evil, Subject: evil}}
	bump := metallbBump()
	bump.Reason, bump.Chart, bump.Ignored = evil, evil, []string{evil}
	bump.Objects[0].Reason, bump.Objects[0].Fields[0].To, bump.Objects[0].Drift = evil, evil, true
	p.Steps = append(p.Steps, bump)
	p.Stages = append(p.Stages, lifecycle.Stage{ID: "addons", Title: evil})
	note := Note([]SitePlan{{Site: siteOf(t, 1, 1), Plan: p}, {Site: lifecycle.Site{Name: "oslo"}, Missing: evil}}, NoteOptions{})
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
	}
	if strings.Count(prose, NoteMarker) != 1 || strings.Count(prose, "<details>") != strings.Count(prose, "</details>") {
		t.Errorf("markup got through:\n%s", note)
	}
}
