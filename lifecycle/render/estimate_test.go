package render

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestEstimateText(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		runs int
		want string
	}{
		{time.Second, 1, "less than a minute, by 1 past run"},
		{time.Minute, 2, "about 1 min, by 2 past runs"},
		{61 * time.Second, 2, "about 2 min, by 2 past runs"},
		{12 * time.Minute, 3, "about 12 min, by 3 past runs"},
		{90 * time.Minute, 3, "about 90 min, by 3 past runs"},
		{91 * time.Minute, 3, "about 1 h 40 min, by 3 past runs"},
		{111 * time.Minute, 3, "about 2 h, by 3 past runs"},
	} {
		if got := EstimateText(&lifecycle.Estimate{Duration: tt.d, Runs: tt.runs}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.d, got, tt.want)
		}
	}
	if got := EstimateText(nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

// TestEstimateIsShown wherever a plan is.
func TestEstimateIsShown(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	p := rendertest.UpgradePlan(t, site, 1)
	p.Estimate = &lifecycle.Estimate{Duration: 12 * time.Minute, Runs: 3}
	const want = "bout 12 min, by 3 past runs"
	var text, markdown strings.Builder
	if err := PlanText(&text, site, p, Style{}); err != nil || !strings.Contains(text.String(), want) {
		t.Errorf("text: %v\n%s", err, text.String())
	}
	if err := PlanMarkdown(&markdown, site, p); err != nil || !strings.Contains(markdown.String(), want) {
		t.Errorf("markdown: %v\n%s", err, markdown.String())
	}
}
