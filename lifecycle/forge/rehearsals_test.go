package forge

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// A note tells how this very plan went, or that nobody knows; what it says of another plan is never shown as this one's.
func TestRehearsalInTheNote(t *testing.T) {
	site := rendertest.Site(t, 1, 3)
	site.Rehearse.On = lifecycle.RehearseUpgrade
	plan := rendertest.UpgradePlan(t, site, 3)
	went := lifecycle.Rehearsal{Format: lifecycle.RehearsalFormat, Site: site.Name, Plan: plan.Meaning(), Steps: 41, Done: 41,
		Result: lifecycle.RunDone, Same: true, Expected: 72 * time.Minute,
		Services:    []lifecycle.RehearsedService{{Namespace: "shop", Name: "web", Requests: 52_310}},
		Differences: []lifecycle.TwinDifference{{What: "3 CronJobs are suspended", Consequence: "What they would do meanwhile is not proven."}}}
	other, lost, strange := went, went, went
	other.Plan = "sha256:0"
	lost.Services = []lifecycle.RehearsedService{{Namespace: "shop", Name: "web", Requests: 100, Lost: 3}}
	strange.Format = "2.0"
	for name, tt := range map[string]struct {
		file      any
		demanded  bool
		want, not string
		urgency   urgency
	}{
		"it went through": {file: went, want: "ehearsed: 41 of 41 steps, 0 of 52,310 requests lost", not: "**Rehearsed",
			urgency: urgencySafe},
		"requests were lost":          {file: lost, want: "3 of 100 requests lost", urgency: urgencyAttention},
		"lost, and it must go well":   {file: lost, demanded: true, want: "3 of 100 requests lost", urgency: urgencyBlocked},
		"of another plan":             {file: other, want: "stale", not: "41 of 41", urgency: urgencyAttention},
		"it could not be made":        {file: nil, want: "could not be rehearsed: the log of the job rehearse:", urgency: urgencyAttention},
		"not made, and must be":       {file: nil, demanded: true, want: "could not be rehearsed", urgency: urgencyBlocked},
		"a form that is not known":    {file: strange, want: `the format "2.0"`, not: "41 of 41", urgency: urgencyAttention},
		"the job was cut off writing": {file: "{", want: "cut off", urgency: urgencyAttention},
	} {
		dir := t.TempDir()
		switch f := tt.file.(type) {
		case string:
			write(t, filepath.Join(dir, site.Name+".json"), []byte(f))
		case lifecycle.Rehearsal:
			b, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, site.Name+".json"), b)
		}
		of := site
		of.Promotion.Rehearsed = tt.demanded
		plans := []SitePlan{{Site: of, Plan: plan}}
		Rehearse(plans, dir)
		note := Note(plans, NoteOptions{})
		if !strings.Contains(note, tt.want) || tt.not != "" && strings.Contains(note, tt.not) {
			t.Errorf("%s: the note does not say %q, or says %q:\n%s", name, tt.want, tt.not, note)
		}
		calm := assess(SitePlan{Site: site, Plan: plan}, NoteOptions{}).urgency
		if got := assess(plans[0], NoteOptions{}).urgency; got != min(tt.urgency, calm) {
			t.Errorf("%s: urgency %d, want %d", name, got, min(tt.urgency, calm))
		}
	}
	quiet := []SitePlan{{Site: site, Plan: lifecycle.Plan{Format: lifecycle.PlanFormat, Site: site.Name}}}
	if Rehearse(quiet, t.TempDir()); quiet[0].Unrehearsed != "" {
		t.Errorf("a plan without an upgrade is said not to be rehearsed: %s", quiet[0].Unrehearsed)
	}
}

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What stands behind a reviewed plan is a rehearsal of that plan which went through, and nothing else.
func TestReviewedPlansAreRehearsed(t *testing.T) {
	plan := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab",
		Steps: []lifecycle.Step{{ID: "w/upgrade", Action: lifecycle.ActionUpgrade}}}
	file, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		rehearsal lifecycle.Rehearsal
		through   bool
	}{
		"through": {lifecycle.Rehearsal{Format: "1.0", Site: "lab", Plan: plan.Meaning(), Result: lifecycle.RunDone}, true},
		"blocked": {lifecycle.Rehearsal{Format: "1.0", Site: "lab", Plan: plan.Meaning(), Result: lifecycle.RunBlocked}, false},
		"another": {lifecycle.Rehearsal{Format: "1.0", Site: "lab", Plan: "sha256:1", Result: lifecycle.RunDone}, false},
	} {
		b, err := json.Marshal(tt.rehearsal)
		if err != nil {
			t.Fatal(err)
		}
		got := ReviewedPlans(lifecycle.ReviewedSites{Sites: []lifecycle.ReviewedSite{{Name: "lab", Plan: file, Rehearsal: b}}})
		if e := got[0].Evidence; (e.Rehearsed != "") != tt.through || (e.NotRehearsed == "") != tt.through {
			t.Errorf("%s: got %+v", name, e)
		}
	}
}
