package plan

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Node makes the plan for a task that an operator sets on one machine. It is pure, as Make is, and what it plans stands behind the same
// gates. What stands in the way is among the plan's Diagnostics.
func Node(site lifecycle.Site, state lifecycle.State, task lifecycle.NodeTask) lifecycle.Plan {
	p := survey(site, state)
	n := &nodeTask{planner: p, NodeTask: task}
	if procedure := n.procedure(); procedure == nil {
		p.find(lifecycle.Errorf(n.Host, "no task for a machine is called %q", string(task.Verb)).Try("kiban node --help lists them."))
	} else if n.findTarget() {
		procedure()
		n.inspectClocks()
	}
	return p.finish()
}

// nodeTask is a task in the making.
type nodeTask struct {
	*planner
	lifecycle.NodeTask
	on *member
}

// answers reports whether there is an API that says what any task must know; what stands in its way is found.
func (p *planner) answers() bool {
	switch {
	case p.dark() && p.state.ShutOut(p.site):
		for _, m := range p.controllers() {
			p.inspectReach(m) // the way to the API leads through them
		}
	case p.dark() && p.quorumLost():
		p.inspectQuorum()
	case p.dark():
		p.find(lifecycle.Blockedf(p.site.Name, "the API does not answer, so nothing is known of nodes, budgets and quorum").
			Because(p.state.API.Unknown).
			Try(p.lightUp()))
	case p.state.API.NotYet:
		p.find(lifecycle.Blockedf(p.site.Name, "there is no cluster yet").Try("kiban apply " + p.site.Name))
	default:
		return true
	}
	return false
}

// findTarget finds the machine, and what stands in the way of any task.
func (n *nodeTask) findTarget() bool {
	if !n.answers() {
		return false
	}
	for _, m := range n.members {
		if m.Name == n.Host {
			n.on = m
		}
	}
	if n.on == nil {
		n.find(lifecycle.Errorf(n.Host, "the site declares no such machine").Try("kiban node list " + n.site.Name))
		return false
	}
	// For the operator, a cordon of an earlier `kiban node` is kiban's own; one of an interrupted rollout is taken over.
	n.on.held = n.on.node.Mark.Maintenance()
	return true
}

// inspectClocks tells whose clock is off: apply would change nothing, and a task goes on, for it may be what mends that.
func (n *nodeTask) inspectClocks() {
	for _, m := range n.members {
		if m.seen.Reached() {
			n.inspectClock(m, lifecycle.SeverityWarning)
		}
	}
}

// lightUp is the way on where the API does not answer: kiban starts what is stopped, and can't reach what is off.
func (p *planner) lightUp() string {
	var off []string
	shutOut := false
	for _, m := range p.controllers() {
		if m.seen.Problem == lifecycle.HostUnreachable {
			off = append(off, m.Name)
		}
		shutOut = shutOut || !m.seen.Reached()
	}
	switch {
	case len(off) > 0:
	case shutOut:
		return "kiban status " + p.site.Name + " says what keeps kiban from asking the controllers."
	default:
		return "kiban apply " + p.site.Name + " brings the control plane back first."
	}
	return fmt.Sprintf("Bring %s back first: nothing could be asked there. Then kiban status %s.", strings.Join(off, ", "), p.site.Name)
}

func (n *nodeTask) procedure() func() {
	return map[lifecycle.NodeVerb]func(){
		lifecycle.NodeCordon:   n.cordon,
		lifecycle.NodeDrain:    n.drain,
		lifecycle.NodeUncordon: n.uncordon,
		lifecycle.NodeMaintain: n.maintain,
		lifecycle.NodeReboot:   n.maintain,
		lifecycle.NodeRemove:   n.remove,
		lifecycle.NodeReplace:  n.replace,
	}[n.Verb]
}

// reason is what the node's mark says.
func (n *nodeTask) reason() string {
	if n.Reason != "" {
		return n.Reason
	}
	return "kiban node " + string(n.Verb)
}

// byAdministrator reports whether the node was cordoned without kiban.
func (n *nodeTask) byAdministrator() bool {
	return n.on.node.Unschedulable && n.on.node.Mark.IsZero()
}

// schedulable refuses a machine that has no node to close or open.
func (n *nodeTask) schedulable() bool {
	switch {
	case !n.on.Role.RunsWorkloads():
		n.find(lifecycle.Errorf(n.Host, "it runs no workloads, so there is no node to %s", string(n.Verb)).
			Because("It is declared as " + string(n.on.Role) + ".").
			Try("Work on a controller: kiban node maintain " + n.site.Name + " " + n.Host))
	case !n.on.registered:
		n.find(lifecycle.Errorf(n.Host, "the cluster has no node of its name").Try("kiban plan " + n.site.Name))
	default:
		return true
	}
	return false
}

// reachable refuses a machine that cannot be worked on.
func (n *nodeTask) reachable() bool {
	if n.on.seen.Reached() {
		return true
	}
	d := lifecycle.Blockedf(n.Host, "the machine cannot be reached").
		Because(n.on.seen.Why).
		Try(fmt.Sprintf("Bring it back; or, if it is gone for good: kiban node replace %s %s", n.site.Name, n.Host))
	if a, is := n.state.Absence(n.Host); is {
		d = d.Because(a.String())
	}
	n.find(d)
	return false
}

// closing is the step that closes the node and keeps it so; nil where it is closed that way already.
func (n *nodeTask) closing() *step {
	m := n.on
	if m.node.Unschedulable && m.held && (n.Reason == "" || n.Reason == m.node.Mark.Reason) {
		return nil
	}
	st := n.do(lifecycle.ActionCordon, m, n.reason())
	st.Hold, st.TakeOver = true, n.byAdministrator()
	return st
}

func (n *nodeTask) cordon() {
	if !n.schedulable() {
		return
	}
	if n.byAdministrator() && !n.Force {
		n.find(lifecycle.Warnf(n.Host, "it is cordoned already, by an administrator").
			Because("It stays so, without kiban's mark.").
			Try("--force puts the mark and its reason on it."))
		return
	}
	if st := n.closing(); st != nil {
		n.stage("cordon", "close "+n.Host, 1).add(st)
	}
}

func (n *nodeTask) drain() {
	if !n.schedulable() || !n.reachable() {
		return
	}
	if n.on.down {
		n.find(lifecycle.Blockedf(n.Host, "k0s does not run on it, so nothing there would end its pods").
			Try("kiban apply " + n.site.Name + " starts it; kiban node cordon only closes it."))
		return
	}
	if n.on.deaf() {
		n.find(lifecycle.Blockedf(n.Host, "its kubelet does not answer, so nothing there would end its pods").
			Because(n.on.node.Why).
			Try(fmt.Sprintf("kiban node logs %s %s says why. kiban node cordon only closes it; kiban node reboot and kiban node remove do not "+
				"wait for its pods.", n.site.Name, n.Host)))
		return
	}
	var steps []*step
	reason := "its pods move away"
	if n.byAdministrator() && !n.Force {
		reason += "; an administrator has cordoned the node"
	} else if st := n.closing(); st != nil {
		steps = append(steps, st)
	}
	steps = append(steps, n.do(lifecycle.ActionDrain, n.on, reason))
	steps[0].Before = n.mayLeave(n.on)
	n.stage("drain", "take "+n.Host+" out of service", 1).add(steps...)
	n.tellRoom(n.on, true)
	n.inspectDisruption()
}

// uncordon returns a node to service when it is well, whoever of kiban's closed it. What an administrator closed is opened on demand only.
func (n *nodeTask) uncordon() {
	if !n.schedulable() {
		return
	}
	m, why := n.on, "kiban cordoned it"
	var steps []*step
	switch {
	case !m.node.Unschedulable && m.node.Mark.IsZero():
		return
	case n.byAdministrator() && !n.Force:
		n.find(lifecycle.Blockedf(n.Host, "an administrator has cordoned it").
			Because("It has no mark of kiban's, so somebody had a reason that kiban does not know.").
			Try("Ask who did; then --force opens it."))
		return
	case n.byAdministrator():
		why = "an administrator cordoned it, and --force was given"
		take := n.do(lifecycle.ActionCordon, m, "so that it can be opened as kiban's own")
		take.Hold, take.TakeOver = true, true
		steps = append(steps, take)
	case m.node.Mark.Reason != "":
		why += " (" + m.node.Mark.Reason + ")"
	}
	if !n.reachable() {
		return
	}
	back := n.do(lifecycle.ActionUncordon, m, why)
	back.After = n.settled()
	steps = append(steps, back)
	steps[0].Before = n.nodeBack(m, m.level)
	n.stage("return", "return "+n.Host+" to service", 1).add(steps...)
}
