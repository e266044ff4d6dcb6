package plan

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Commit makes the plan that gives up the way back. It is pure, as Make is.
func Commit(site lifecycle.Site, state lifecycle.State) lifecycle.Plan {
	p := survey(site, state)
	if !p.isRightCluster() || !p.answers() || !p.pinFound(lifecycle.EndCommit) {
		return p.finish()
	}
	if pinned := func(m *member) bool { return m.pinned }; !p.pin.Open() && !slices.ContainsFunc(p.controllers(), pinned) {
		return p.finishAt(p.pin.To) // it was given a second time, after it had come to its end
	}
	if p.pin.AllBack(site, state) && p.pin.Open() {
		p.find(p.nothingToCommit())
		return p.finishAt(p.pin.To)
	}
	for _, m := range p.controllers() {
		p.inspectCommitted(m)
	}
	p.inspectTooFew()
	p.phase = phaseCommit
	p.commitAll()
	p.inspectBackup()
	p.inspectProven()
	return p.finishAt(p.pin.To)
}

// nothingToCommit finds that every controller has the former version.
func (p *planner) nothingToCommit() lifecycle.Diagnostic {
	forth := fmt.Sprintf("kiban apply %s goes to %s again, and a soak begins", p.site.Name, p.pin.To)
	if p.target() != p.pin.To {
		forth = fmt.Sprintf("declare %s, and apply", p.pin.To)
	}
	return lifecycle.Errorf(p.site.Name, "there is nothing to commit: the control plane has %s", p.pin.Former).
		Because(fmt.Sprintf("It is pinned there to go to %s.", p.pin.To)).
		Try(fmt.Sprintf("To go there: %s. To stay: declare %s, and apply, which takes the pin away.", forth, p.pin.Former))
}

// inspectCommitted finds what keeps a controller from being committed with the others: what is committed has to be the same everywhere, and
// well.
func (p *planner) inspectCommitted(m *member) {
	const same = "What is committed has to be the same everywhere."
	switch {
	case !m.seen.Reached():
		way := m.seen.Problem.WayIn(p.site.Name, m.Name, m.User)
		if m.seen.Problem == lifecycle.HostUnreachable || way == "" {
			way = lifecycle.WayBack(p.site, p.state, m.Name) + " A new machine joins by kiban apply " + p.site.Name + "."
		}
		p.find(lifecycle.Blockedf(m.Name, "it does not answer, and what it has is not known").Because(m.seen.Why, same).
			Try(fmt.Sprintf("%s Then: kiban commit %s", way, p.site.Name)))
	case !m.belongs():
		p.find(lifecycle.Blockedf(m.Name, "it has not joined yet").Because(same).
			Try(fmt.Sprintf("kiban apply %s lets it join, in the way that the others went; then: kiban commit %[1]s", p.site.Name)))
	case m.level != p.pin.To:
		forth := "kiban apply " + p.site.Name
		if p.target() != p.pin.To {
			forth = fmt.Sprintf("%s, with %s declared,", forth, p.pin.To)
		}
		p.find(lifecycle.Errorf(m.Name, "it has %s, and the control plane goes to %s", m.level, p.pin.To).Because(same).
			Try(fmt.Sprintf("%s brings the others there; kiban back %s takes back those that are there.", forth, p.site.Name)))
	case m.stalled() || !serving(p.state.API, m.Name):
		p.find(lifecycle.Blockedf(m.Name, "its API server does not answer").Because("Nothing is made for good that is not well.").
			Try("kiban status " + p.site.Name))
	}
}

// inspectTooFew finds that no controller can restart, which the way back and the commit have them do.
func (p *planner) inspectTooFew() bool {
	d, few := p.pin.TooFew(p.site, p.state)
	if few {
		p.find(d)
	}
	return few
}

// commitAll gives up the way back: behind a backup, and the record first, so that nobody goes back in the middle.
func (p *planner) commitAll() {
	if !p.pin.Open() {
		p.unpinAll(lifecycle.StageCommit, "what is left of the pin", nil)
		return
	}
	next := p.pin.To
	if patches(next, p.target()) {
		next = p.target() // whose k0s is asked about its machines before that
	}
	p.backupBefore(next, fmt.Sprintf("before the control plane is committed to %s: what was stored in the soak is in no backup from "+
		"before the roll", p.pin.To), append(p.window(), p.proven()...))
	note := p.record(lifecycle.ActionCommit, fmt.Sprintf("%s is for good: from here on only a backup leads back to %s", p.pin.To,
		p.pin.Former))
	note.Before = append(p.window(), p.gate(lifecycle.GateEtcdQuorum, ""))
	if !p.pin.Gone(p.site, p.state) { // else there is nothing to give up
		note.Before = append(p.window(), p.gate(lifecycle.GateAPIServers, ""), p.gate(lifecycle.GateEtcdQuorum, ""))
		note.Before = append(note.Before, p.othersWell()...)
	}
	p.unpinAll(lifecycle.StageCommit, "commit the control plane to "+p.pin.To.String(), note)
}

// tellCommit says why a plan that nobody asked to commit does so.
func (p *planner) tellCommit() {
	policy, left := p.site.Policy.ControlPlane, p.restoreHint(p.pin.To)
	if d, cutOff := p.pin.CutOff(p.site, p.state); cutOff {
		p.find(d.Because("This plan goes on with it.").Try(left))
		return
	}
	if !p.pin.Open() {
		return
	}
	d := lifecycle.Warnf(p.site.Name, "spec.upgrade.controlPlane is no longer declared: that alone commits the control plane")
	instead := "If that is not meant, declare it again."
	if policy.On() {
		over := lifecycle.Stamp(p.pin.Soaks.Add(policy.Soak))
		d = lifecycle.Warnf(p.site.Name, "the soak is over since %s: this plan commits the control plane", over)
		instead = "To wait longer: declare a longer soak, or commit: manual (spec.upgrade.controlPlane)."
	}
	d = d.Because(fmt.Sprintf("It soaks since %s. When it is committed to %s, only a backup leads back to %s.", lifecycle.Stamp(p.pin.Soaks),
		p.pin.To, p.pin.Former))
	if len(p.noReturn()) == 0 {
		instead = fmt.Sprintf("To go back: kiban back %s. %s", p.site.Name, instead)
	}
	p.find(d.Try(instead))
}
