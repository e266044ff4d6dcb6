package promotion

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestFindings(t *testing.T) {
	site := lifecycle.Site{Name: "far", Promotion: lifecycle.Promotion{From: []string{"lab", "staging"}, Source: "overlays/far/site.yaml:7"}}
	until := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	promoted := []lifecycle.Promoted{
		{From: "lab", State: lifecycle.GateMet, Reason: "lab has run it"},
		{From: "lab", State: lifecycle.GateSkipped, Reason: "far has taken it before"},
		{From: "staging", State: lifecycle.GateWaiting, Reason: "staging has run it for 20h of 72h", Until: until},
		{From: "lab", State: lifecycle.GateFailed, Reason: "lab has never run it"},
	}
	found := Findings(site, promoted, []string{"staging"})
	if len(found) != 2 {
		t.Fatalf("got %v: what is met or skipped is no finding", found)
	}
	for i, want := range []struct{ summary, detail, hint string }{
		{"staging has run it for 20h of 72h", "on 2026-11-22 05:00:00 UTC at the earliest, if staging stays healthy",
			"Then retry the job soak:staging, and after it this one."},
		{"lab has never run it", "far takes a version when lab and staging has run it, healthy, for its soak time (overlays/far/site.yaml:7).",
			"for long enough, retry this job."},
	} {
		d := found[i]
		if d.Severity != lifecycle.SeverityBlocked || d.Subject != "far" || d.Summary != want.summary {
			t.Errorf("got %+v", d)
		}
		if !strings.Contains(d.Detail, want.detail) || !strings.Contains(d.Hint, want.hint) {
			t.Errorf("got %q, %q; want %q, %q", d.Detail, d.Hint, want.detail, want.hint)
		}
		if filed := i == 0; strings.Contains(d.Hint, "A schedule with KIBAN_GO = true takes it up by itself.") != filed {
			t.Errorf("in a pipeline, a schedule takes it up, and nowhere else: %q", d.Hint)
		}
	}
}
