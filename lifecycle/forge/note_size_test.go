package forge

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// manySites are fifty sites of a hundred machines and twenty addons, all of which change, no two of them alike, with findings beside.
func manySites(t *testing.T) []SitePlan {
	wide := rendertest.Site(t, 3, 97)
	plan := rendertest.UpgradePlan(t, wide, 10)
	for i := range plan.Steps {
		plan.Steps[i].Reason += fmt.Sprintf(" (%d)", i)
	}
	plan.Stages = append(plan.Stages, lifecycle.Stage{ID: "addons", Title: "addons"})
	for i := range 20 {
		bump := rendertest.MetalLBBump()
		bump.Target, bump.Stage = fmt.Sprintf("addon/addon-%d", i), "addons"
		bump.Objects = append(bump.Objects, lifecycle.ObjectChange{ObjectRef: bump.Objects[0].ObjectRef, Change: lifecycle.ChangeUpdate,
			Fields: []lifecycle.FieldChange{{Field: "data.motd", From: `"` + strings.Repeat("いろは", 100) + `"`, To: fmt.Sprintf(`"基盤 %d"`, i)}}})
		plan.Steps = append(plan.Steps, bump)
	}
	for i := range 30 {
		plan.Diagnostics = append(plan.Diagnostics, lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning,
			Subject: fmt.Sprintf("worker-%d", i), Summary: "its disk is nearly full", Detail: "86% of /var/lib/k0s"})
	}
	var sites []SitePlan
	for i := range 50 {
		s := wide
		s.Name = fmt.Sprintf("site-%02d", i)
		p := plan
		p.Site = s.Name
		sites = append(sites, SitePlan{Site: s, Plan: p})
	}
	return sites
}

func TestNoteFits(t *testing.T) {
	sites := append(manySites(t), sitePlans(t)...)
	for _, limit := range []int{NoteLimit, 100_000, 40_000, 1_000} {
		opts := noteOptions()
		opts.Limit = limit
		note := Note(sites, opts)
		if bytes, runes := len(note), utf8.RuneCountInString(note); bytes > limit || runes > limit || !utf8.ValidString(note) {
			t.Errorf("%d bytes, %d characters; GitLab takes %d", bytes, runes, limit)
		}
		if !strings.HasPrefix(note, NoteMarker+"\n### kiban plan: 3 sites blocked, 52 need attention, 1 safe, 1 without changes") {
			t.Errorf("at %d characters the note does not begin with what matters: %.200s", limit, note)
		}
		for _, folds := range [][2]string{{"<details>", "</details>"}, {"<summary>", "</summary>"}} {
			if open, end := strings.Count(note, folds[0]), strings.Count(note, folds[1]); open != end {
				t.Errorf("at %d characters, %d of %s and %d of %s", limit, open, folds[0], end, folds[1])
			}
		}
		if fences := strings.Count(note, "\n```"); fences%2 != 0 {
			t.Errorf("at %d characters, a block of code has no end", limit)
		}
		if limit < 40_000 {
			continue
		}
		if want := "| ⚠️&nbsp;needs&nbsp;attention | `site-49` |"; !strings.Contains(note, want) {
			t.Errorf("at %d characters the table has no line for site-49", limit)
		}
	}
	full := Note(sites, noteOptions())
	if n := strings.Count(full, "\n#### "); n != 55 {
		t.Errorf("%d sections; each of the 55 sites that change has one, whatever it has to say", n)
	}
	if !strings.Contains(full, "than a note can hold: see `kiban plan site-00`") {
		t.Error("what was left out has no pointer to where it is")
	}
	if !strings.Contains(full, "#### ⛔ `osaka-prod`: blocked") || !strings.Contains(full, "behind which gates") {
		t.Error("sites whose steps are short lost them too")
	}
}

// TestNoteBoundsWhatOthersWrote: one finding with a log in it takes no site's section away.
func TestNoteBoundsWhatOthersWrote(t *testing.T) {
	p := rendertest.UpgradePlan(t, rendertest.Site(t, 1, 1), 1)
	long := strings.Repeat("語 ", 600_000)
	p.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Subject: "worker-1", Summary: long,
		Detail: strings.Repeat(long+"\n", 2) + strings.Repeat("line\n", 1000), Hint: long}}
	p.Unfinished = long
	note := Note([]SitePlan{{Site: rendertest.Site(t, 1, 1), Plan: p,
		Promoted: []lifecycle.Promoted{{State: lifecycle.GateFailed, Reason: long}}}}, NoteOptions{})
	if len(note) > 30_000 || !strings.Contains(note, "#### ⛔ `tokyo-prod`: blocked") || !strings.Contains(note, "and 992 more lines") {
		t.Errorf("%d bytes: %.3000s", len(note), note)
	}
}
