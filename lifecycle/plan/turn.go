package plan

import "kiban.dev/kiban/lifecycle"

// turn is one node's turn in a rollout: cordon, drain, the work itself, uncordon. What an interrupted run has done of it is left out.
//
//   - A node that kiban has cordoned is not cordoned again, but uncordoned in the end.
//   - A node that an administrator has cordoned is drained, and stays cordoned.
//   - A node whose k0s does not run is not drained: no kubelet is there to end its pods.
//   - A node whose pods no other node takes is neither cordoned nor drained.
//
// The gates that the node waits for stand before the first step that takes something away; so a node is not cordoned and then waits.
func (p *planner) turn(s *stage, m *member, hop lifecycle.Version, work *step) {
	if !p.evacuates(m) {
		p.inPlace(s, m, hop, work)
		return
	}
	var steps []*step
	closed := m.node.Unschedulable && m.held
	if !closed && !m.cordonedByOthers() {
		steps = append(steps, p.do(lifecycle.ActionCordon, m, work.Reason))
	}
	if !m.down {
		reason := "its pods move away before k0s stops"
		if m.cordonedByOthers() {
			reason += "; " + m.closedWhy() + ", so it stays cordoned"
		}
		steps = append(steps, p.do(lifecycle.ActionDrain, m, reason))
	} else {
		work.Reason += "; " + m.deafWhy()
	}
	steps = append(steps, work)
	if m.cordonedByOthers() {
		work.After = append(work.After, p.settled()...)
	} else {
		back := p.do(lifecycle.ActionUncordon, m, "kiban cordoned it; it is well again")
		back.After = p.settled()
		steps = append(steps, back)
		m.node.Unschedulable, m.held, m.node.Mark = false, false, lifecycle.Mark{}
	}
	switch {
	case m.down: // it is out of service already
	case steps[0].Action == lifecycle.ActionDrain && !m.cordonedByOthers():
		steps[0].Before = append(append(p.window(), p.reconnected()...), p.gate(lifecycle.GateNodesReady, ""))
	default:
		steps[0].Before = p.mayLeave(m)
	}
	for _, st := range steps {
		st.hop = hop
	}
	s.add(steps...)
	m.down, m.waits, m.node.Ready = false, false, true
}

// inPlace is the turn of a node that keeps its pods, and of a controller that runs none. A cordon that an interrupted run left is taken
// away.
func (p *planner) inPlace(s *stage, m *member, hop lifecycle.Version, work *step) {
	steps := []*step{work}
	before := p.window()
	if m.evacuates() {
		p.tellRoom(m, false)
		work.Reason += "; its pods stay, for no other node takes them"
		if _, others := p.takers(m); len(others) > 0 && m.node.Ready {
			before = append(append(before, p.gate(lifecycle.GateNodesReady, "")), p.othersWell()...)
		}
		work.After = append(work.After, p.settled()...)
		if m.held {
			work.After = work.After[:len(work.After)-len(p.settled())]
			back := p.do(lifecycle.ActionUncordon, m, "an interrupted run cordoned it; it is well again")
			back.After = p.settled()
			steps = append(steps, back)
			m.node.Unschedulable, m.held, m.node.Mark = false, false, lifecycle.Mark{}
		}
		m.down, m.waits, m.node.Ready = false, false, true
	}
	work.Before = append(before, work.Before...)
	for _, st := range steps {
		st.hop = hop
	}
	s.add(steps...)
}

// closedWhy says who closed a node that is not for this plan to open.
func (m *member) closedWhy() string {
	if m.node.Mark.Maintenance() {
		return "the node is in maintenance (" + m.node.Mark.Reason + ")"
	}
	return "an administrator has cordoned the node"
}

// returnNodes uncordons the nodes that an interrupted run left cordoned and that have no turn ahead of them in the next rollout: before
// it, so that they do not count as out of service during it.
func returnNodes(p *planner) {
	s := p.stage("return", "return nodes to service", 0)
	for _, m := range p.members {
		switch {
		case m.Reset || m.waits || !m.belongs() || p.nextToGo(m):
		case m.held:
			p.giveBack(s, m)
		default:
			p.seeThroughInPlace(s, m)
		}
	}
}

// nextToGo reports whether the node is due in the rollout that comes next: of an upgrade, else of arguments, else of files. One that is due
// only in a later one would be out of service beside those that the next takes out.
func (p *planner) nextToGo(m *member) bool {
	switch {
	case len(p.hops) > 0:
		return m.level.Less(p.hops[0])
	case len(p.toRearrange()) > 0:
		return len(argumentChanges(m)) > 0
	}
	return restarts(p.fileChanges(m))
}

// giveBack uncordons a node that needs nothing else, once it is well.
func (p *planner) giveBack(s *stage, m *member) {
	why := "kiban cordoned it"
	if m.node.Mark.Reason != "" {
		why += " (" + m.node.Mark.Reason + ")"
	}
	back := p.do(lifecycle.ActionUncordon, m, why+" and an interrupted run left it so; nothing else is left to do on it")
	if !m.node.Unschedulable {
		back.Reason = "it carries kiban's mark, though someone has uncordoned it"
	}
	back.Before, back.After = p.nodeBack(m, m.level), p.settled()
	if p.cutOffAtController(m) {
		p.seeControllerThrough(s, m)
		s.add(back)
	} else if former := p.former(m, m.level); !former.IsZero() && !m.node.Ready && !m.Role.IsController() {
		p.seeThrough(s, m, back, former)
	} else if p.awaitsChange(m) && !m.down && !m.Role.IsController() && !p.has(m, lifecycle.ActionStart) {
		p.seeChangeThrough(s, m, back.Before)
		back.Before = nil
		s.add(back)
	} else {
		s.add(back)
	}
	m.node.Unschedulable, m.held, m.node.Mark = false, false, lifecycle.Mark{}
}
