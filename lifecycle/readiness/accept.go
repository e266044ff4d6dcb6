package readiness

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// accept takes what the site's owners have accepted out of the way: it is still told, with their reason. An acceptance that
// no finding needs is told, too, so that it does not wait for one that nobody has looked at.
func (r *report) accept(accepted []lifecycle.Accepted) {
	for _, a := range accepted {
		needed := false
		for i, f := range r.Findings {
			if !a.Takes(f, r.To) {
				continue
			}
			needed = true
			if f.Rank != lifecycle.RankGood {
				r.Findings[i].Rank = lifecycle.RankGood
				r.Findings[i].Seen = append(slices.Clone(f.Seen), "accepted in spec.upgrade.accept: "+a.Because)
			}
		}
		if !needed && a.For.MinorsAhead(r.To) <= 0 {
			summary := fmt.Sprintf("%s is accepted, and was not found", a.Finding)
			if a.For.MinorsAhead(r.To) < 0 {
				summary = fmt.Sprintf("%s was accepted for %s, and counts no longer", a.Finding, a.For.MinorString())
			}
			r.find(lifecycle.ReadinessFinding{Rule: "accepted", Rank: lifecycle.RankGood, Subject: a.Subject, Summary: summary,
				Seen:   []string{"spec.upgrade.accept: " + a.Because},
				Remedy: "Take it out of spec.upgrade.accept, or correct its finding and subject."})
		}
	}
}
