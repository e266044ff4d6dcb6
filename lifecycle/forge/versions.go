package forge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// versionsLine tells of k0s from and to, how long each minor is supported, and where its releases are described; "" when no version
// changes.
func (s section) versionsLine() string {
	if len(s.Plan.Hops) == 0 {
		return ""
	}
	line := "k0s " + s.versions()
	if ends := s.support(); ends != "" {
		line += " (support: " + ends + ")"
	}
	var links []string
	for _, v := range s.Plan.Hops {
		links = append(links, fmt.Sprintf("[%s](https://github.com/k0sproject/k0s/releases/tag/%s)", v,
			strings.ReplaceAll(v.String(), "+", "%2B")))
	}
	return line + ", release notes: " + strings.Join(links, ", ")
}

// versions are those of k0s, from and to; "" when none changes.
func (s section) versions() string {
	if len(s.Plan.Hops) == 0 {
		return ""
	}
	return lifecycle.Markdown(strings.ReplaceAll(render.Versions(s.Plan), " -> ", " → "))
}

// support says when the support of the minors ends that a plan leaves, and of the one that it ends on: "1.35 ends 2027-02-28, 1.36 ends
// 2027-06-28"; "" when nobody knows dates.
func (s section) support() string {
	if s.opts.Support == nil {
		return ""
	}
	var minors, parts []string
	for _, v := range append(s.Plan.FormerVersions(), s.Plan.Target) {
		known := s.opts.Support(v)
		if own := s.Site.Fleet.SupportOf(v); !own.Ends.IsZero() {
			known = own
		}
		if slices.Contains(minors, known.Minor) {
			continue
		}
		minors = append(minors, known.Minor)
		parts = append(parts, supportText(known, s.opts.Now))
	}
	if former := s.Plan.FormerVersions(); s.opts.Left != nil && len(former) > 0 && former[0].MinorsAhead(s.Plan.Target) != 0 {
		var took time.Duration
		if s.Plan.Estimate != nil { // by the site's own record
			took = s.Plan.Estimate.Duration / time.Duration(max(1, len(s.Plan.Hops)))
		}
		if left := s.opts.Left(s.Site, former[0], took, s.opts.Now); left != "" {
			parts = append(parts, left)
		}
	}
	return strings.Join(parts, ", ")
}

func supportText(s lifecycle.Support, now time.Time) string {
	switch {
	case s.Ends.IsZero():
		return "the end of " + s.Minor + " is not known"
	case s.Ended(now):
		return s.Minor + " ended " + s.Ends.Format(dayLayout)
	}
	return s.Minor + " ends " + s.Ends.Format(dayLayout)
}

// supportReasons: whoever goes to a version that gets no more patches, or soon will not, has the next upgrade to plan.
func supportReasons(p lifecycle.Plan, opts NoteOptions) []string {
	if opts.Support == nil || opts.Now.IsZero() || len(p.Hops) == 0 {
		return nil
	}
	s := opts.Support(p.Target)
	switch {
	case s.Ended(opts.Now):
		return []string{"Kubernetes " + s.Minor + ", which it goes to, gets no more patches since " + s.Ends.Format(dayLayout)}
	case s.EndsWithin(lifecycle.SupportEndsSoon, opts.Now):
		return []string{fmt.Sprintf("Kubernetes %s, which it goes to, gets patches until %s only, for %s", s.Minor, s.Ends.Format(dayLayout),
			lifecycle.Count(int(s.Ends.Sub(opts.Now)/(24*time.Hour)), "day"))}
	}
	return nil
}
