package readiness

import (
	"cmp"
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

// TestAcceptedNotToBeSeen: what could not be looked at is accepted by its name or its words, for a release; what else had the same cause
// stays, and a site where nobody answers at all does not become ready.
func TestAcceptedNotToBeSeen(t *testing.T) {
	const zones, clocks = "whether zones answer", "how clocks go"
	minor := lifecycle.Version{Major: 1, Minor: 37}
	for name, c := range map[string]struct {
		subjects []string
		release  lifecycle.Version
		blind    bool
		left     string // of what could not be looked at
		ready    bool
	}{
		"nothing":             {left: "webhook far, " + zones + ", " + clocks},
		"by its name":         {subjects: []string{"webhook far"}, left: zones + ", " + clocks},
		"by its words":        {subjects: []string{zones}, left: "webhook far, " + clocks},
		"with the same cause": {subjects: []string{clocks}, left: "webhook far, " + zones},
		"all":                 {subjects: []string{"webhook far", zones, clocks}, ready: true},
		"something else":      {subjects: []string{"webhook near"}, left: "webhook far, " + zones + ", " + clocks},
		"for another release": {subjects: []string{"webhook far"}, release: lifecycle.Version{Major: 1, Minor: 36},
			left: "webhook far, " + zones + ", " + clocks},
		"where nobody answers": {subjects: []string{"webhook far", zones, clocks}, blind: true, left: "webhook far, " + zones + ", " + clocks},
	} {
		r := &report{}
		r.To, r.Blind, r.Site = lifecycle.Version{Major: 1, Minor: 37, Patch: 1}, c.blind, "tokyo"
		r.unseenOf("webhook far", "whether the webhook far answers", "it is asked by a URL", "Try it")
		r.unseen(zones, "no answer", "")
		r.unseen(clocks, "no answer", "")
		var accepted []lifecycle.Accepted
		for _, s := range c.subjects {
			release := minor
			if c.release.Minor > 0 {
				release = c.release
			}
			accepted = append(accepted, lifecycle.Accepted{Finding: lifecycle.RuleNotSeen, Subject: s, For: release, Because: "we know"})
		}
		r.accept(accepted)
		var left, told []string
		for _, u := range r.Unseen {
			left = append(append(left, cmp.Or(u.Subject, u.What)), u.Also...)
		}
		for _, f := range r.Findings {
			if f.Rule == lifecycle.RuleNotSeen && f.Rank == lifecycle.RankGood && strings.Contains(strings.Join(f.Seen, " "), "we know") {
				told = append(told, f.Summary)
			}
		}
		if got := strings.Join(left, ", "); got != c.left || len(told) != 3-len(left) || r.IsReady() != c.ready {
			t.Errorf("%s: left %s, told %q, ready %v", name, got, told, r.IsReady())
		}
	}
}
