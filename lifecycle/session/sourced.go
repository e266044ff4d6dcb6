package session

import (
	"context"
	"errors"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness"
)

// sourced adds that the site's source of k0s lacks a version: nobody could install it. Where the source is not within reach of this
// computer, that is not known. What is installed already is not fetched.
func (s *Session) sourced(ctx context.Context, seen lifecycle.State, to lifecycle.Version, r *lifecycle.Readiness) {
	if s.parts.Missing == nil || s.site.Provider == lifecycle.ProviderExternal || len(seen.Hosts) > 0 && seen.Lowest() == to {
		return
	}
	ctx, cancel := lifecycle.Within(ctx, sourceWithin, "no answer")
	defer cancel()
	arch := s.arch(seen)
	d, missing := s.parts.Missing(ctx, to, arch)
	switch {
	case !missing:
	case errors.Is(d, lifecycle.ErrNotHere):
		u := lifecycle.Unseen{What: "whether the source of k0s has " + to.String(), Why: d.Summary, Remedy: d.Hint}
		r.Unseen = append(r.Unseen, u)
	default:
		f := lifecycle.ReadinessFinding{Rule: "plan", Rank: lifecycle.RankBlocks, Subject: s.site.Name, Summary: d.Summary,
			Remedy: d.Hint}
		if d.Detail != "" {
			f.Seen = strings.Split(d.Detail, "\n")
		}
		if had := s.had(ctx, to, arch); had != "" {
			f.Seen = append(f.Seen, had)
		}
		r.Findings = append(r.Findings, f)
		r.Sort()
	}
}

// mostAsked is how many releases the source is asked for, to say what can be had instead: the newest of the minor release.
const mostAsked = 5

// had says which releases of a minor can be had, of those that this kiban knows.
func (s *Session) had(ctx context.Context, to lifecycle.Version, arch string) string {
	var there []string
	for i, v := range readiness.Releases(to) {
		if i == mostAsked {
			break
		}
		_, missing := s.parts.Missing(ctx, v, arch)
		if ctx.Err() != nil {
			break // of what was not answered in time nothing is known
		}
		if !missing {
			there = append(there, v.String())
		}
	}
	if len(there) == 0 {
		return ""
	}
	return "what it has of " + to.MinorString() + ": " + lifecycle.Enumerate(there)
}
