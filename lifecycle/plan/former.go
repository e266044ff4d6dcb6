package plan

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// wayBack gives a worker's upgrade its way back, and has what is kept for it removed once the node is back in service. work is the upgrade
// in the worker's turn, the last one of the stage; former is the version to go back to, zero where there is none.
//
// A control plane has no way back: etcd and the API's objects may have moved on (keptUntilWell).
func (p *planner) wayBack(s *stage, m *member, work *step, former lifecycle.Version) {
	if former.IsZero() && m.seen.Former.IsZero() {
		return
	}
	if !former.IsZero() {
		back := p.do(lifecycle.ActionRestoreFormer, m,
			fmt.Sprintf("k0s %s does not come up there: the former version is put back, and the rollout stops", work.Version))
		back.Version, back.From, back.After = former, work.Version, p.nodeBack(m, former)
		work.OnFailure = []lifecycle.Step{back.Step}
	}
	last := s.steps[len(s.steps)-1]
	forget := p.do(lifecycle.ActionForgetFormer, m, "the node is well: the former k0s is no longer kept for the way back")
	forget.hop, forget.after = work.hop, []*step{last}
	if last == work { // the node stays cordoned; that others are not well is no reason to take this one back
		work.After, forget.After = p.nodeBack(m, work.Version), p.settled()
	}
	s.add(forget)
}

// keptUntilWell has a controller's former k0s removed once the controller is well with its successor. It is kept not to go back to, but
// to be started as it was while the successor has never run.
func (p *planner) keptUntilWell(s *stage, m *member, work *step, kept bool) {
	if !kept && m.seen.Former.IsZero() {
		return
	}
	forget := p.do(lifecycle.ActionForgetFormer, m, "the controller is well: its former k0s is no longer kept")
	forget.hop, forget.after = work.hop, []*step{s.steps[len(s.steps)-1]}
	s.add(forget)
}

// former is the version that an upgrade of the worker to a hop can be taken back to: the installed one, or the one that an upgrade which
// was cut off has kept. Zero: none that may run beside the control plane as it is then.
func (p *planner) former(m *member, hop lifecycle.Version) lifecycle.Version {
	v := m.level
	if v != m.seen.Binary && !p.has(m, lifecycle.ActionUpgrade) {
		v = m.seen.Former
	}
	if m.level == hop {
		v = m.seen.Former
	}
	if v.IsZero() || !v.Less(hop) {
		return lifecycle.Version{}
	}
	for _, c := range p.controllers() {
		if !c.level.IsZero() && (newerKubernetes(v, c.level) || c.level.MinorsAhead(v) > 1) {
			return lifecycle.Version{}
		}
	}
	return v
}

// seeThrough ends an upgrade of a worker that was cut off while its node was not well yet: it gets the time that an upgrade has, and the
// way back after that. back is what returns the node to service.
func (p *planner) seeThrough(s *stage, m *member, back *step, former lifecycle.Version) {
	st := p.do(lifecycle.ActionUpgrade, m, fmt.Sprintf("k0s %s runs, but its node is not Ready: an upgrade was cut off", m.level))
	st.From, st.Version, st.After = m.level, m.level, back.Before
	back.Before = nil
	s.add(st, back)
	p.wayBack(s, m, st, former)
}

// seeThroughInPlace does so for a node that was upgraded with its pods on it, and so has no cordon of kiban's.
func (p *planner) seeThroughInPlace(s *stage, m *member) {
	if p.cutOffAtController(m) {
		p.seeControllerThrough(s, m)
		return
	}
	former := p.former(m, m.level)
	if former.IsZero() && p.awaitsChange(m) && m.registered && !m.down && !m.Role.IsController() && !p.has(m, lifecycle.ActionStart) {
		p.seeChangeThrough(s, m, p.nodeBack(m, m.level))
		return
	}
	if m.Role.IsController() || former.IsZero() || !m.registered || m.node.Ready || m.down || p.evacuates(m) {
		return
	}
	st := p.do(lifecycle.ActionUpgrade, m, fmt.Sprintf("k0s %s runs, but its node is not Ready: an upgrade was cut off", m.level))
	st.From, st.Version, st.After = m.level, m.level, append(p.nodeBack(m, m.level), p.settled()...)
	s.add(st)
	p.wayBack(s, m, st, former)
}

// seeControllerThrough ends an upgrade of a controller that was cut off while its node was not well yet. It gets the time that an upgrade
// has; what does not come up in it has failed as that upgrade. There is no way back by itself (keptUntilWell).
func (p *planner) seeControllerThrough(s *stage, m *member) {
	st := p.do(lifecycle.ActionUpgrade, m, fmt.Sprintf("k0s %s runs, but its node is not Ready: an upgrade was cut off", m.level))
	st.From, st.Version, st.After = m.level, m.level, p.controllerBack(m, m.level)
	s.add(st)
	p.keptUntilWell(s, m, st, true)
}

// cutOffAtController reports whether an upgrade of a controller that is a node, too, was cut off before its node was well.
func (p *planner) cutOffAtController(m *member) bool {
	return m.Role.IsController() && m.Role.RunsWorkloads() && m.registered && !m.node.Ready && !m.down && !p.heldBack() &&
		!m.seen.Former.IsZero() && m.seen.Former.Less(m.level) && !p.has(m, lifecycle.ActionUpgrade, lifecycle.ActionForgetFormer)
}

// forget removes the former k0s from machines that an interrupted run left with it and that are well without.
func forget(p *planner, s *stage) {
	if p.heldBack() {
		return
	}
	for _, m := range p.members {
		if m.seen.Former.IsZero() || !m.seen.Reached() || m.down || p.has(m, lifecycle.ActionForgetFormer, lifecycle.ActionRestoreFormer,
			lifecycle.ActionReset) {
			continue
		}
		if m.Role.IsController() || !m.registered || m.node.Ready || p.has(m, lifecycle.ActionJoinWorker) {
			st := p.do(lifecycle.ActionForgetFormer, m, fmt.Sprintf("k0s %s is kept there for the way back, and it is well without",
				m.seen.Former))
			if m.Role.IsController() { // it may have started a moment ago: what it was is kept until it serves
				st.Before = p.controllerBack(m, m.level)
			}
			s.add(st)
		}
	}
}
