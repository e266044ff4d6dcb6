package readiness

import (
	"cmp"
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// accept takes what the site's owners have accepted out of the way: it is still told, with their reason. An acceptance that
// no finding needs is told, too, so that it does not wait for one that nobody has looked at.
func (r *report) accept(accepted []lifecycle.Accepted) {
	for _, a := range accepted {
		needed := r.acceptUnseen(a)
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

// acceptUnseen takes out of what could not be looked at what the site's owners have accepted not to know: it is told as a finding that is
// good to know. What was hidden by the same cause stays. Where nobody answered at all there is nothing to accept.
func (r *report) acceptUnseen(a lifecycle.Accepted) bool {
	if a.Finding != lifecycle.RuleNotSeen || r.Blind {
		return false
	}
	for i := range r.Unseen {
		u := &r.Unseen[i]
		names := append([]string{u.What}, u.Also...)
		at := slices.Index(names, a.Subject)
		if u.Subject != "" && u.Subject == a.Subject {
			at = 0
		}
		if at < 0 {
			continue
		}
		f := lifecycle.ReadinessFinding{Rule: lifecycle.RuleNotSeen, Rank: lifecycle.RankGood, Subject: cmp.Or(u.Subject, r.Site),
			Summary: "not known, as is accepted: " + names[at], Seen: []string{u.Why, "accepted in spec.upgrade.accept: " + a.Because},
			Remedy: "Look at it yourself before " + r.To.MinorString() + "."}
		named := f
		named.Subject = a.Subject
		if !a.Takes(named, r.To) {
			return false
		}
		if names = slices.Delete(names, at, at+1); len(names) == 0 {
			r.Unseen = slices.Delete(r.Unseen, i, i+1)
		} else {
			u.What, u.Also = names[0], names[1:]
		}
		r.find(f)
		return true
	}
	return false
}
