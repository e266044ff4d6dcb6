package promotion

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Word says how one version stands with one site, in a word.
func Word(s lifecycle.GateState) string {
	switch s {
	case lifecycle.GateWaiting:
		return "too early"
	case lifecycle.GateFailed:
		return "refused"
	}
	return string(s)
}

// Findings say what a site waits for, a finding each. filed are the sites of which a job's file told: what it tells stays as it is,
// however often this is retried, so that the look itself comes first.
func Findings(site lifecycle.Site, promoted []lifecycle.Promoted, filed []string) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, p := range promoted {
		retry, later := "retry this job", ""
		if slices.Contains(filed, p.From) {
			retry = "retry the job soak:" + p.From + ", and after it this one"
			later = " A schedule with KIBAN_GO = true takes it up by itself."
		}
		d := lifecycle.Blockedf(site.Name, "%s", p.Reason)
		switch p.State {
		case lifecycle.GateWaiting:
			d = d.Because(fmt.Sprintf("It is long enough on %s at the earliest, if %s stays healthy.",
				p.Until.UTC().Format("2006-01-02 15:04:05 UTC"), p.From)).
				Try(fmt.Sprintf("Then %s. kiban ci soak %s says how it stands; "+
					"it counts on from each look that is recorded (--record), which a schedule takes.", retry, p.From) + later)
		case lifecycle.GateFailed:
			d = d.Because(fmt.Sprintf("%s takes a version when %s has run it, healthy, for its soak time (%s).",
				site.Name, strings.Join(site.Promotion.From, " and "), cmp.Or(site.Promotion.Source, "spec.promotion"))).
				Try(fmt.Sprintf("See to it that %s runs it and is well (kiban status %[1]s). When it has for long enough, %s. "+
					"To go on without, change spec.promotion in a merge request.", p.From, retry) + later)
		default:
			continue
		}
		ds = append(ds, d)
	}
	return ds
}
