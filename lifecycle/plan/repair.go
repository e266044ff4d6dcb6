package plan

import (
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// repairStage brings back what should run: to start it is no change of the control plane.
const repairStage = "repair"

// repair starts what does not run, at the version it has. All at once: controllers that wait for etcd's quorum wait for each other.
//
// A worker that waits for an upgrade is left to it where starting it now would be wrong (its binary is newer than the control plane,
// H8) or pointless (kiban has drained it, and the control plane is ready for its upgrade).
func repair(p *planner) {
	s := p.stage(repairStage, "start what does not run", 0)
	for _, m := range p.controllers() {
		switch {
		case m.stranded && len(p.hops) == 0 && p.mayComeBack(m, m.level):
			p.goBack(s, m)
		case p.startable(m):
			p.revive(s, m)
		case p.awaitsChange(m) && !m.stranded && !m.unproven():
			p.seeChangeThrough(s, m, p.controllerBack(m, m.level))
		}
	}
	for _, m := range p.workers() {
		switch {
		case !p.startable(m):
		case !p.finishedByUpgrade(m):
			p.startWorker(s, m)
		default:
			p.setAside(s, m)
		}
	}
	p.mendBroken(s)
}

// revive brings back a control plane whose API does not answer. What the workers need is unknown until it does.
func revive(p *planner) {
	s := p.stage(repairStage, "bring the control plane back", 0)
	for _, m := range p.controllers() {
		switch {
		case m.stranded:
			p.comeBack(s, m)
		case p.startable(m):
			p.revive(s, m)
		case p.awaitsChange(m) && !m.unproven() && len(p.controllers()) == 1:
			// Of several controllers the API may be well, and only out of reach from here.
			p.seeChangeThrough(s, m, p.controllerBack(m, m.level))
		}
	}
	p.mendBroken(s)
	if len(s.steps) == 0 && !p.mendFiles() {
		for _, m := range p.controllers() {
			if p.justStarted(m) {
				st := p.do(lifecycle.ActionStart, m, fmt.Sprintf("k0s runs since %s by the machine's clock, and its API server does not answer yet: "+
					"nothing is done to it, it is only waited for", m.seen.ServiceSince.UTC().Format("15:04:05 UTC")))
				p.onlyWaits = true
				st.Version, st.After = m.level, p.controllerBack(m, m.level)
				s.add(st)
			}
		}
	}
	p.unfinished = "the API does not answer: what else is to be done can be told only when it does"
}

// startable reports whether the member is one that should run, does not, and can be started.
func (p *planner) startable(m *member) bool {
	if m.seen.BinaryProblem != "" || m.seen.Binary.IsZero() || !m.stalled() || !m.belongs() || m.stranded {
		return false // inspect says what is wrong with the binary
	}
	switch m.condition {
	case Stopped, Replaced, Silent:
		return true
	case Remains:
		return m.wasController()
	}
	return false
}

// finishedByUpgrade reports whether a stopped worker is left to its turn in the upgrade.
func (p *planner) finishedByUpgrade(m *member) bool {
	cp := p.controlPlane()
	return cp.Less(m.level) || (m.held && !cp.Less(p.nextHop(m)))
}

// revive starts a controller: with its declared configuration, if it is at the declared version already, and as a service with its
// declared arguments. It is down, so that costs no further restart. One that has lost its service gets it back as the first controller
// does: it has its data, and there may be no other to give it a token.
func (p *planner) revive(s *stage, m *member) {
	steps := p.beforeStart(m)
	if ds := p.configChanges(m); len(ds) > 0 && m.down && m.level == p.target() {
		config := p.configure(m, m.level, ds)
		config.Stopped = m.onlyStarts(m.level)
		steps = append(steps, config)
	}
	st := p.do(lifecycle.ActionStart, m, stalledWhy(m))
	st.Version = m.level
	switch changes := argumentChanges(m); {
	case !m.seen.Installed():
		st.Action, m.renewed = lifecycle.ActionInitialize, true
		if m.pinned && m.ConfigDigest == m.seen.ConfigDigest {
			st.Emulates, _, _ = lifecycle.ParseTarget("v" + lifecycle.Emulated(m.seen.Config)) // it has the form of a release
		}
	case m.down && len(changes) > 0:
		st.Action, st.Changes, m.renewed = lifecycle.ActionReinstall, changes, true // nothing runs there, so nothing is disrupted
	}
	st.After = p.controllerBack(m, m.level)
	turn := p.settingsTurn(s, m, st)
	s.add(append(slices.Clone(steps), st)...)
	if p.awaitsChange(m) && !m.unproven() {
		p.settingsBack(s, m, turn, st, steps...)
	}
	m.down, m.node.Ready = false, true
}

// startWorker starts a worker as it is. Arguments that differ wait for its turn in a rollout.
func (p *planner) startWorker(s *stage, m *member) {
	st := p.do(lifecycle.ActionStart, m, stalledWhy(m))
	st.Version = m.level
	st.After = []lifecycle.Gate{p.runs(m, m.level), p.nodeReady(m, m.level)}
	turn, ahead := p.settingsTurn(s, m, st), p.beforeStart(m)
	s.add(append(slices.Clone(ahead), st)...)
	if p.awaitsChange(m) {
		p.settingsBack(s, m, turn, st, ahead...)
	}
	m.down, m.node.Ready = false, true
}

// setAside leaves a worker to its turn in the upgrade. One that is out of service is cordoned till then: with kiban's mark on it the gates
// of other nodes do not wait for it, and it comes back into service only when it is well.
func (p *planner) setAside(s *stage, m *member) {
	m.waits, m.down = true, m.down || !m.node.Ready
	if m.node.Unschedulable || m.node.Ready {
		return
	}
	s.add(p.do(lifecycle.ActionCordon, m, fmt.Sprintf("k0s %s is in place and %s; it may run only when the control plane has it too", m.level,
		m.seen.Service)))
	m.node.Unschedulable, m.held = true, true
}

// stalledWhy says in words why a member is to be started.
func stalledWhy(m *member) string {
	switch {
	case !m.seen.Installed():
		return fmt.Sprintf("it is a member and has its data, but no k0s service; k0s %s is there", m.seen.Binary)
	case m.condition == Silent:
		return fmt.Sprintf("the k0s service is %s, but `k0s status` does not answer", m.seen.Service)
	}
	return fmt.Sprintf("the k0s service is %s, with k0s %s in place", m.seen.Service, m.seen.Binary)
}

// justStarted reports whether a running controller has not yet had the time that a restarted one is given. Both clocks are the
// host's: when we looked is corrected by its offset.
func (p *planner) justStarted(m *member) bool {
	if !m.seen.Reached() || m.stalled() || !m.belongs() || m.seen.ServiceSince.IsZero() {
		return false
	}
	now := p.state.ObservedAt.Add(time.Duration(m.seen.ClockOffset) * time.Second)
	return now.Sub(m.seen.ServiceSince) < p.site.Policy.Settle.NodeTimeout
}
