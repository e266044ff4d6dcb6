package readiness

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestAccepted: what the owners accept for a release is told with their reason and is in nobody's way; another release, subject or
// finding is.
func TestAccepted(t *testing.T) {
	to := lifecycle.Version{Major: 1, Minor: 37, Patch: 1}
	minor := lifecycle.Version{Major: 1, Minor: 37}
	for name, tt := range map[string]struct {
		accepted lifecycle.Accepted
		want     lifecycle.Rank
		told     string
	}{
		"for the minor release": {lifecycle.Accepted{Finding: "removed-api", Subject: "shop", For: minor, Because: "known"}, lifecycle.RankGood,
			"known"},
		"for the very version": {lifecycle.Accepted{Finding: "removed-api", Subject: "shop", For: to, Because: "known"}, lifecycle.RankGood,
			"known"},
		"for another version": {lifecycle.Accepted{Finding: "removed-api", Subject: "shop", For: lifecycle.Version{Major: 1, Minor: 37, Patch: 2},
			Because: "known"}, lifecycle.RankBlocks, "was not found"},
		"for the minor release before": {lifecycle.Accepted{Finding: "removed-api", Subject: "shop", For: lifecycle.Version{Major: 1, Minor: 36},
			Because: "known"}, lifecycle.RankBlocks, "counts no longer"},
		"for the next one": {lifecycle.Accepted{Finding: "removed-api", Subject: "shop", For: lifecycle.Version{Major: 1, Minor: 38}},
			lifecycle.RankBlocks, ""},
		"of another subject": {lifecycle.Accepted{Finding: "removed-api", Subject: "web", For: minor, Because: "known"}, lifecycle.RankBlocks,
			"was not found"},
		"of another finding": {lifecycle.Accepted{Finding: "risk", Subject: "shop", For: minor, Because: "known"}, lifecycle.RankBlocks,
			"was not found"},
	} {
		r := &report{}
		r.To = to
		r.find(lifecycle.ReadinessFinding{Rule: "removed-api", Rank: lifecycle.RankBlocks, Subject: "shop", Summary: "it goes",
			Seen: []string{"there"}, Remedy: "Mend it."})
		r.accept([]lifecycle.Accepted{tt.accepted})
		var told strings.Builder
		for _, f := range r.Findings {
			told.WriteString(f.Summary + " " + strings.Join(f.Seen, " "))
		}
		if got := r.Findings[0].Rank; got != tt.want || !strings.Contains(told.String(), tt.told) {
			t.Errorf("%s: %q, want %q; told: %s", name, got, tt.want, told.String())
		}
	}
}
