package forge

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

// How a note writes moments: people read it in the time zone of the window, others compare it with their clocks.
const (
	momentLayout = "Mon 2 Jan 15:04 MST"
	dayLayout    = time.DateOnly
)

// unmet are the promotions that a plan would have to wait for, each a clause.
func unmet(all []lifecycle.Promoted) []string {
	var out []string
	for _, p := range all {
		if p.State == lifecycle.GateMet || p.State == lifecycle.GateSkipped {
			continue
		}
		text := "promotion: " + p.Reason
		if !p.Until.IsZero() {
			text += ", so at the earliest " + p.Until.UTC().Format(momentLayout)
		}
		out = append(out, text)
	}
	return out
}

// promotionLine says that the versions may come, and why; "" when nothing had to be waited for, or something has.
func promotionLine(all []lifecycle.Promoted) string {
	var reasons []string
	for _, p := range all {
		if p.State == lifecycle.GateMet || p.State == lifecycle.GateSkipped {
			reasons = append(reasons, p.Reason)
		}
	}
	if len(reasons) < len(all) || len(reasons) == 0 {
		return ""
	}
	return "Promotion is met: " + lifecycle.Markdown(someClauses(reasons, clausesNamed)) + "."
}

// windowReasons: a window that is closed ends the run, so whoever merges has to start the job again when it is open.
func windowReasons(s SitePlan, opts NoteOptions) []string {
	if o, known := opening(s, opts); known && !o.Open() {
		if o.Next.IsZero() {
			return []string{"its maintenance window is closed, and none opens within a week"}
		}
		return []string{"its maintenance window opens " + o.Next.Format(momentLayout) + ": applied before that, it stops"}
	}
	return nil
}

// windowLine says of a plan that needs one how its maintenance window stands, where that is no reason for attention; "" else.
func windowLine(s SitePlan, opts NoteOptions) string {
	if s.Plan.InWindows() == 0 {
		return ""
	}
	o, known := opening(s, opts)
	switch {
	case !known:
		return "It disturbs machines only while a maintenance window is open."
	case !o.Open():
		return ""
	}
	line := "It disturbs machines only while a maintenance window is open: one is, until " + o.Until.Format(momentLayout)
	if !o.Next.IsZero() {
		line += ", and the next opens " + o.Next.Format(momentLayout)
	}
	return line + "."
}

// opening is how the windows of a site stand that a plan waits for, where that is known.
func opening(s SitePlan, opts NoteOptions) (lifecycle.Opening, bool) {
	if opts.Now.IsZero() || len(s.Site.Policy.Windows) == 0 || s.Plan.InWindows() == 0 {
		return lifecycle.Opening{}, false
	}
	o, err := lifecycle.OpeningOf(s.Site.Policy.Windows, opts.Now)
	return o, err == nil
}

// goneSection says what can be done about a site whose overlay a merge request deletes.
func goneSection(name string) string {
	name = lifecycle.Markdown(name)
	return "\nIts overlay is deleted. **Nothing is destroyed**: the cluster goes on running, and nobody looks after it any more. " +
		"To take it down, do that while it is declared: " +
		"`kiban node remove " + name + " HOST`, or `reset: true` on its hosts, merged and applied; then delete the overlay. To keep `" + name +
		"`, put the overlay back.\n"
}
