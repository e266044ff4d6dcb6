package plan

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// resetWhy is why a site's own plan removes a host.
const resetWhy = "it is marked reset: true"

// remove takes out the hosts that are marked reset: workers, then controllers, one a plan, for etcd must settle between.
func remove(p *planner) {
	p.removeWorkers("remove-workers", p.windowFull())
	p.removeController("remove-controller", func(*member) bool { return true })
}

// removeStopped takes out a controller that is marked reset and whose k0s does not run, or is not even there any more, while etcd counts on
// it. That comes before others change or join: their gates would wait for it, and nothing starts what is to leave.
func removeStopped(p *planner) {
	p.removeController("remove-stopped-controller", func(m *member) bool { return m.inEtcd && (m.down || !m.onMachine()) })
}

// removeController takes out one of the controllers that are marked reset, if the plan has not done so yet.
func (p *planner) removeController(id string, may func(*member) bool) {
	s := p.stage(id, "remove a controller", 1)
	for _, m := range p.leaving() {
		if !m.Role.IsController() || m.removed || !m.removable() || !p.mayShrink() || !may(m) {
			continue
		}
		if p.left != "" {
			p.unfinished = fmt.Sprintf("%s is to be removed too: controllers leave one by one, and %s goes first", m.Name, p.left)
			return
		}
		s.add(p.takeOut(m, resetWhy)...)
		m.removed, p.left = true, m.Name
	}
}

// removeLast takes out the workers for which the window had no room before the rollouts.
func removeLast(p *planner) { p.removeWorkers("remove-workers-last", false) }

// removeWorkers takes out the workers that are marked reset and not removed yet; where the window is full those alone that are out of
// service anyway.
func (p *planner) removeWorkers(id string, full bool) {
	s := p.stage(id, "remove workers", 1)
	for _, m := range p.leaving() {
		inService := m.registered && m.evacuates() && !m.node.Unschedulable && !m.down
		if m.Role.IsController() || m.removed || !m.removable() || full && inService {
			continue
		}
		s.add(p.takeOut(m, resetWhy)...)
		m.removed = true
	}
}

// windowFull reports whether as many workers as may be out of service at once are, of those that an interrupted run left for their turn in
// a rollout.
func (p *planner) windowFull() bool {
	held := 0
	for _, m := range p.workers() {
		if m.registered && m.held && m.seen.Reached() { // the others the width is less by
			held++
		}
	}
	return held > 0 && held >= p.width()
}

// removable reports whether something of the host is left, on it or in the cluster.
func (m *member) removable() bool {
	return m.seen.Reached() && (m.littered() || m.registered || m.inEtcd)
}

// littered reports whether anything of k0s is left on the machine, be it a file that a removal cut off has not come to.
func (m *member) littered() bool {
	s := m.seen
	return m.onMachine() || !s.Binary.IsZero() || s.BinaryProblem != "" || len(s.Staged) > 0 || s.ConfigDigest != ""
}

// onMachine reports whether k0s has left something on the machine.
func (m *member) onMachine() bool { return m.seen.Installed() || m.seen.Data }

// mayShrink reports whether enough controllers stay that one may leave: never one of two.
func (p *planner) mayShrink() bool { return len(p.controllers()) >= 2 }

// takeOut are the steps of a removal, without those that are done. Whatever removes a host from the cluster comes before its machine is
// wiped, but for the node: a running kubelet would register it again.
func (p *planner) takeOut(m *member, why string) []*step {
	var steps []*step
	if m.registered && m.evacuates() {
		steps = p.evacuate(m, why)
	}
	if m.inEtcd {
		st := p.do(lifecycle.ActionLeaveEtcd, m, why+"; it leaves etcd while its service still runs")
		st.Before = append(p.window(), p.others(m)...)
		st.After = []lifecycle.Gate{p.gate(lifecycle.GateEtcdLeft, m.Name), p.gate(lifecycle.GateEtcdQuorum, "")}
		steps = append(steps, st)
	}
	if m.littered() {
		st := p.do(lifecycle.ActionReset, m, why)
		if m.registered && m.evacuates() && m.deaf() && !m.down {
			st.Reason += "; " + m.deafWhy() + ": they end with it"
			if len(steps) == 0 {
				st.Before = p.window()
			}
		}
		if m.Role.IsController() {
			st.After = []lifecycle.Gate{p.gate(lifecycle.GateAPIServers, m.Name), p.gate(lifecycle.GateLeaders, "")}
		}
		steps = append(steps, st)
	}
	if m.registered || m.Role.IsController() { // k0s keeps objects of a controller too
		st := p.do(lifecycle.ActionDeleteNode, m, why)
		st.After = p.settled()
		steps = append(steps, st)
	}
	m.level, m.registered, m.inEtcd, m.held = lifecycle.Version{}, false, false, false
	return steps
}

// evacuate closes and empties a node that goes for good. One whose k0s does not run has no kubelet to end its pods, nor has one whose
// kubelet tells nothing any more: deleting the node deletes them.
func (p *planner) evacuate(m *member, why string) []*step {
	var steps []*step
	if !m.node.Unschedulable {
		steps = append(steps, p.do(lifecycle.ActionCordon, m, why))
	}
	if !m.down && m.deaf() {
		p.inspectDeaf(m, "They end when k0s is wiped, and are made elsewhere when the node is deleted.")
	}
	if !m.deaf() && m.onMachine() {
		steps = append(steps, p.do(lifecycle.ActionDrain, m, why+"; its pods move away first"))
		p.tellRoom(m, true)
	}
	switch {
	case len(steps) == 0 || m.down:
	case m.deaf(): // its pods may run on
		steps[0].Before = p.window()
	default:
		steps[0].Before = p.mayLeave(m)
	}
	return steps
}

// inspectDeaf warns that pods are not moved away, because nothing on their machine would end them, and says what becomes of them.
func (p *planner) inspectDeaf(m *member, pods string) {
	p.find(lifecycle.Warnf(m.Name, "its pods are not moved away first: its kubelet does not answer").
		Because("An eviction would wait for a kubelet that does not end them, and so for its time to run out. "+pods, m.node.Why).
		Try(fmt.Sprintf("To see why: kiban node logs %s %s", p.site.Name, m.Name)))
}
