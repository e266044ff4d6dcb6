package plan

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// inspectFailedBefore tells of versions and changes that the plan puts on a machine on which they failed before, when, and why.
func (p *planner) inspectFailedBefore() {
	told := map[string]bool{}
	p.eachInstall(func(st *step) {
		f, run, ok := p.state.Past.FailedUpgrade(st.Target, st.Version)
		runs := p.member(st.Target).seen.Running == f.Version
		if !ok || st.Action == lifecycle.ActionRestoreFormer || told[st.Target+f.Version.String()] || runs {
			return
		}
		told[st.Target+f.Version.String()] = true
		instead := fmt.Sprintf("declare a fixed version, or leave %s as it is", f.Former)
		if f.Why == lifecycle.WhyWentBack {
			instead = fmt.Sprintf("declare %s, and apply: that takes the pin away, too", f.Former)
		}
		p.failedBefore(st.Target, "k0s "+f.Version.String(), run, f.Why, instead)
	})
	p.inspectCutBack()
	for _, s := range p.work {
		for _, st := range s.steps {
			for _, back := range st.OnFailure {
				if f, run, ok := p.state.Past.FailedChange(back.Target, back.Change); ok {
					p.failedBefore(back.Target, "the same change", run, f.Why, "correct the change where it is declared, or take it back")
				}
			}
		}
	}
}

// inspectCutBack tells that somebody was going back, and that the plan goes forth: what was cut off before its first controller was through
// has left no other trace.
func (p *planner) inspectCutBack() {
	runs := p.state.Past.Runs
	if !p.rolls() || len(runs) == 0 || runs[0].Doing != lifecycle.GoingBack || runs[0].Result == lifecycle.RunDone {
		return
	}
	sev, forth := lifecycle.SeverityWarning, "To go forth all the same, say yes to this plan."
	if p.options.InJob && !p.options.RetryFailed {
		sev, forth = lifecycle.SeverityBlocked, "To go forth all the same: kiban apply "+p.site.Name+" at a terminal."
	}
	p.find(lifecycle.Findingf(sev, p.site.Name, "a way back was begun, and did not come to its end").
		Because(fmt.Sprintf("Run %s, begun on %s, was taking the control plane back to %s. This plan goes to %s.", runs[0].ID,
			lifecycle.Stamp(runs[0].Began), p.pin.Former, p.pin.To)).
		Try(fmt.Sprintf("To go on with the way back: kiban back %s. %s", p.site.Name, forth)))
}

// failedBefore tells of one. At a terminal it is asked for a yes as every plan is; a job does not go on.
func (p *planner) failedBefore(host, what string, run lifecycle.RunRecord, why, instead string) {
	sev, yes := lifecycle.SeverityWarning, "go on"
	if p.options.InJob && !p.options.RetryFailed {
		sev, yes = lifecycle.SeverityBlocked, "say so: kiban apply "+p.site.Name+" at a terminal, or --retry-failed in the job "+
			"(in the fleet's pipeline, the variable KIBAN_RETRY_FAILED=1)"
	}
	happened := "failed on this machine at %s and was taken back"
	if why == lifecycle.WhyWentBack {
		happened = "was taken back from this machine at %s"
	}
	p.find(lifecycle.Findingf(sev, host, "%s "+happened, what, run.Ended.UTC().Format("2006-01-02 15:04 UTC")).
		Because(why).
		Try(fmt.Sprintf("If the cause is mended, %s. Else %s. All of it: kiban show %s", yes, instead, run.ID)))
}
