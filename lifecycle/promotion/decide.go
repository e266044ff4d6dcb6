package promotion

import (
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Fresh is how old a look at a site may be to count as evidence.
const Fresh = 24 * time.Hour

// Decide holds each version that a plan brings against each site that must have run it before. soaks are the accounts by site, as they were
// looked at last; that of the plan's own site lets it go back to what it ran before, and finish what it has begun.
func Decide(p lifecycle.Promotion, plan lifecycle.Plan, soaks map[string]lifecycle.Soak, now time.Time) []lifecycle.Promoted {
	return Judge(p, plan.Site, Brought(plan), soaks, now)
}

// Judge is Decide for versions of a site, whatever brings them.
func Judge(p lifecycle.Promotion, site string, brought []lifecycle.SoakVersion, soaks map[string]lifecycle.Soak,
	now time.Time) []lifecycle.Promoted {
	var out []lifecycle.Promoted
	for _, v := range brought {
		for _, from := range p.From {
			d := lifecycle.Promoted{Name: v.Name, Version: v.Version, From: from}
			if Had(soaks[site], v) {
				d.State = lifecycle.GateSkipped
				d.Reason = fmt.Sprintf("%s has taken %s before: to go back to it, or to finish what was begun, it waits for nobody", site, label(v))
			} else {
				soak, known := soaks[from]
				judge(&d, v, soak, known, p.Soak, now)
			}
			out = append(out, d)
		}
	}
	return out
}

// Had reports whether a site has taken a version before, wholly or in part.
func Had(own lifecycle.Soak, v lifecycle.SoakVersion) bool {
	_, had := find(own.Versions, v.Name, v.Version)
	return had
}

func judge(d *lifecycle.Promoted, v lifecycle.SoakVersion, soak lifecycle.Soak, known bool, wanted time.Duration, now time.Time) {
	no := func(format string, args ...any) {
		d.State, d.Reason = lifecycle.GateFailed, fmt.Sprintf(format, args...)
	}
	seen, taken := find(soak.Versions, v.Name, v.Version)
	so := max(seen.Longest, stretch(seen, soak.Observed))
	switch {
	case !known || soak.Observed.IsZero():
		no("nothing is known of %s", d.From)
	case soak.Site != d.From || !readable(soak):
		no("what is known of %s is of another site, or has the format %q", d.From, soak.Format)
	case now.Sub(soak.Observed) > Fresh:
		no("%s was looked at %s ago; evidence older than %s does not count: retry the job soak:%s", d.From, span(now.Sub(soak.Observed)),
			span(Fresh), d.From)
	case soak.Observed.Sub(now) > skew:
		no("the look at %s is from %s, which is still to come: a clock is wrong", d.From, at(soak.Observed))
	case !taken:
		no("%s has never run %s", d.From, label(v))
	case seen.Runs && !soak.Healthy:
		no("%s runs %s, and is not healthy: %s", d.From, label(v), soak.Reason)
	case so >= wanted:
		d.State, d.Reason = lifecycle.GateMet, fmt.Sprintf("%s has run %s, healthy, for %s of %s", d.From, label(v), span(so), span(wanted))
	case seen.Runs:
		d.State, d.Until = lifecycle.GateWaiting, seen.Since.Add(wanted)
		d.Reason = fmt.Sprintf("%s has run %s, healthy, for %s of %s", d.From, label(v), span(so), span(wanted))
	default:
		no("%s has run %s, healthy, for %s of %s, and no longer runs it", d.From, label(v), span(so), span(wanted))
	}
}

// stretch is how long the stretch under way lasts, as far as it was seen.
func stretch(v lifecycle.SoakVersion, observed time.Time) time.Duration {
	if v.Since.IsZero() {
		return 0
	}
	return observed.Sub(v.Since)
}

// label names a version for people: "k0s v1.36.4+k0s.0", "chart metallb 0.16.2".
func label(v lifecycle.SoakVersion) string {
	return strings.Replace(v.Name, "/", " ", 1) + " " + v.Version
}

func at(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// span writes a time span, never longer than it was: "72h", "1h30m", "5s".
func span(d time.Duration) string {
	unit := time.Second
	if d >= time.Hour {
		unit = time.Minute
	}
	d = d.Truncate(unit)
	s := d.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, nothing) {
			s = s[:len(s)-2]
		}
	}
	return s
}
