package fleet

import (
	"kiban.dev/kiban/lifecycle"
)

// Due are the sites that may go now for what was merged. Of others that may go, the findings say why nobody has said yes to what would be
// done there: it is not what a merge request brought that is still to be done, or somebody has stopped it.
func (f Facts) Due() (sites []string, left lifecycle.Diagnostics) {
	for _, p := range Next(f).Of(TurnGo) {
		if d, stays := undue(f.Declared[p.Site], f.Known[p.Site]); stays {
			left = append(left, d)
		} else {
			sites = append(sites, p.Site)
		}
	}
	return sites, left
}

// undue says why what is to be done at a site waits for a person, by the last run that carried out what is declared now.
func undue(site lifecycle.Site, c Collected) (lifecycle.Diagnostic, bool) {
	r, ran := lastApplied(c)
	if !ran || site.Digest == "" || r.Digest != site.Digest {
		return lifecycle.Diagnostic{}, false
	}
	switch r.Result {
	case lifecycle.RunDone:
		return lifecycle.Warnf(site.Name, "what is to be done at %s is in no merge request", site.Name).
			Because("Run " + r.ID + " has carried out to its end what is declared, at " + lifecycle.Stamp(r.Ended) +
				". What differs now was changed since, or comes after it, such as the commit of an upgrade in two steps.").
			Try("kiban plan " + site.Name + " shows it. To have it done, run the main branch's pipeline with KIBAN_SITES = " + site.Name +
				": its job shows the plan and an ID by which it can be accepted."), true
	case lifecycle.RunInterrupted:
		return lifecycle.Warnf(site.Name, "the last run of %s was stopped", site.Name).
			Because("Run " + r.ID + " was stopped at " + lifecycle.Stamp(r.Ended) + ". No schedule takes up what somebody stopped.").
			Try("Retry its job: it carries on from what is there."), true
	}
	return lifecycle.Diagnostic{}, false
}

// lastApplied is the last run of a site that applied what is declared.
func lastApplied(c Collected) (lifecycle.RunRecord, bool) {
	runs, _, _ := c.Runs.Last()
	for _, r := range runs {
		if r.Applied() {
			return r, true
		}
	}
	return lifecycle.RunRecord{}, false
}
