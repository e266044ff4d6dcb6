package render

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestPlansOfUnits(t *testing.T) {
	site, plans := rendertest.UnitPlans(t)
	for name, p := range plans {
		t.Run(name, func(t *testing.T) {
			var text, markdown, colored bytes.Buffer
			onScreen := onTerminal(&colored, func(w *Writer, s Style) error { return PlanText(w, site, p, s) })
			if err := errors.Join(PlanText(&text, site, p, Style{}), PlanMarkdown(&markdown, site, p), onScreen); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", text.String())
			golden(t, name+".md", markdown.String())
			if stripped := stripANSI(colored.String()); stripped != text.String() {
				t.Errorf("colour changes the text:\n%s", stripped)
			}
		})
	}
}

// What a chart runs beside its objects is told, all of it while it is little.
func TestHooksAreTold(t *testing.T) {
	site, s := rendertest.Site(t, 1, 1), rendertest.MetalLBBump()
	for i := range 9 {
		s.Hooks = append(s.Hooks, fmt.Sprintf("Job metallb/hook-%d, before upgrade", i))
	}
	for _, tt := range []struct {
		hooks           int
		text, md, never string
	}{
		{1, "        runs     Job metallb/hook-0, before upgrade\n", "- runs: Job metallb/hook-0, before upgrade\n", "hook-1"},
		{7, "                 Job metallb/hook-6, before upgrade\n", "- runs: Job metallb/hook-6, before upgrade\n", "more hooks"},
		{9, "                 and 3 more hooks of the chart (-o json shows all)\n", "and 3 more hooks of the chart", "hook-6"},
	} {
		shown := s
		shown.Hooks = s.Hooks[:tt.hooks]
		var text, md bytes.Buffer
		if err := errors.Join(PlanText(&text, site, rendertest.UnitPlan(site, shown), Style{}),
			PlanMarkdown(&md, site, rendertest.UnitPlan(site, shown))); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), tt.text) || strings.Contains(text.String(), tt.never) || !strings.Contains(md.String(), tt.md) {
			t.Errorf("%d hooks:\n%s\n%s", tt.hooks, text.String(), md.String())
		}
	}
}

// TestMarkdownOfUnitsCannotBeBroken holds that what charts and people wrote ends neither the block nor the fold that it stands in.
func TestMarkdownOfUnitsCannotBeBroken(t *testing.T) {
	site := rendertest.Site(t, 1, 1)
	s := rendertest.MetalLBBump()
	s.Chart, s.Reason = "<script>", "why\n</details><script>"
	s.Objects = []lifecycle.ObjectChange{{ObjectRef: rendertest.Object("ConfigMap", "shop", "web"), Change: lifecycle.ChangeUpdate,
		Reason: "a\n```\n</details>", Fields: []lifecycle.FieldChange{rendertest.Field("data.x", "a", "b\n```\n")}}}
	var b bytes.Buffer
	if err := PlanMarkdown(&b, site, rendertest.UnitPlan(site, s)); err != nil {
		t.Fatal(err)
	}
	fences := 0
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "```") {
			fences++
		}
	}
	outside, _, _ := strings.Cut(b.String(), "```diff")
	if fences != 2 || strings.Contains(outside, "<script>") || strings.Contains(outside, "why\n</details>") {
		t.Errorf("%d lines begin or end a block, want 2, in\n%s", fences, b.String())
	}
}
