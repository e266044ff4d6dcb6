package forge

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func guardChange() []lifecycle.DeclaredChange {
	return []lifecycle.DeclaredChange{
		{Subject: "site", Path: "metadata.labels.tier", Kind: lifecycle.DeclaredRemoved, From: `"production"`},
		{Subject: "site", Path: "spec.upgrade.drain.force", Kind: lifecycle.DeclaredAdded, To: "true"},
		{Subject: "site", Path: "spec.upgrade.windows[0]", Kind: lifecycle.DeclaredRemoved, From: `"Sat 22:00-04:00 Asia/Tokyo"`},
		{Subject: "host worker-1", Path: "ssh.address", Kind: lifecycle.DeclaredChanged, From: `"10.0.0.2"`, To: `"10.6.6.6 @all"`},
		{Subject: lifecycle.PinsFile, Path: `k0s["v1/amd64"]`, From: `"a"`, To: `"b"`, Note: "other bytes under the same name"},
	}
}

// TestA3_GuardsInTheNote: whoever reads the note sees what a merge request takes from under a site, also where nothing else changes, where
// the plan failed, and where there is room for nothing else.
func TestA3_GuardsInTheNote(t *testing.T) {
	site := rendertest.Site(t, 1, 20)
	idle := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: site.Name}
	const section = "**What guards this site changes**"
	for name, tt := range map[string]struct {
		plan  SitePlan
		limit int
		title string
	}{
		"nothing else changes": {plan: SitePlan{Site: site, Plan: idle, Guards: guardChange()}, title: "1 site needs attention"},
		"machines change": {plan: SitePlan{Site: site, Plan: rendertest.UpgradePlan(t, site, 4), Guards: guardChange()},
			title: "1 site needs attention"},
		"no plan": {plan: SitePlan{Site: site, Missing: "it failed", Guards: guardChange()}, title: "1 site blocked"},
		"no room": {plan: SitePlan{Site: site, Plan: rendertest.UpgradePlan(t, site, 4), Guards: guardChange()}, limit: 1900,
			title: "1 site needs attention"},
	} {
		note := Note([]SitePlan{tt.plan}, NoteOptions{Limit: tt.limit})
		for _, want := range []string{tt.title, section, "- metadata.labels.tier: \"production\" → not there\n",
			"- spec.upgrade.drain.force: not there → true\n", "- host worker-1 ssh.address: \"10.0.0.2\" → \"10.6.6.6 \\@all\"\n",
			"(other bytes under the same name)"} {
			if !strings.Contains(note, want) {
				t.Errorf("%s: the note does not say %q:\n%s", name, want, note)
			}
		}
		if reason := "hat guards this site changes: labels, upgrade.drain, upgrade.windows, host worker-1 and kiban.lock"; name != "no plan" &&
			!strings.Contains(note, reason) {
			t.Errorf("%s: the table does not say %q:\n%s", name, reason, note)
		}
		if tt.limit > 0 && (strings.Contains(note, "1. ") || len(note) > tt.limit) {
			t.Errorf("%s: something else was told instead, in %d bytes:\n%s", name, len(note), note)
		}
	}
	calm := Note([]SitePlan{{Site: site, Plan: idle}}, NoteOptions{})
	if strings.Contains(calm, "guards") || !strings.Contains(calm, "1 site without changes") {
		t.Errorf("got\n%s", calm)
	}
}

// TestA3_GuardsOfTheFleet: what fleet.yaml allows is every site's, and what could not be compared is no calm.
func TestA3_GuardsOfTheFleet(t *testing.T) {
	site := rendertest.Site(t, 1, 1)
	idle := SitePlan{Site: site, Plan: lifecycle.Plan{Format: lifecycle.PlanFormat, Site: site.Name}}
	allowed := []lifecycle.DeclaredChange{{Subject: lifecycle.FleetFile, Path: "spec.execPlugins", To: `["aws"]`}}
	note := Note([]SitePlan{idle}, NoteOptions{Fleet: allowed})
	for _, want := range []string{"the fleet: needs attention", "**What guards every site changes**",
		`- fleet.yaml spec.execPlugins: not there → \["aws"]`} {
		if !strings.Contains(note, want) {
			t.Errorf("the note does not say %q:\n%s", want, note)
		}
	}
	if note := Note(nil, NoteOptions{Unguarded: "the log says why"}); !strings.Contains(note,
		"was not compared with the target branch**: the log says why") {
		t.Errorf("got\n%s", note)
	}
	idle.Unguarded, idle.New = "it can't be read", true
	note = Note([]SitePlan{idle}, NoteOptions{})
	for _, want := range []string{"1 site needs attention", "could not be compared: it can't be read", "ts overlay is new"} {
		if !strings.Contains(note, want) {
			t.Errorf("the note does not say %q:\n%s", want, note)
		}
	}
}
