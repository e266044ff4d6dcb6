package plan

import (
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// maintain takes a machine out of service as an upgrade does, lets the work be done, and returns it when it is well. Until then the node
// carries a mark that no other run touches, so that whatever interrupts this leaves it out of service.
func (n *nodeTask) maintain() {
	m := n.on
	if !n.reachable() {
		return
	}
	if !m.belongs() {
		n.find(lifecycle.Errorf(m.Name, "it is not a member of the cluster").Try("kiban plan " + n.site.Name))
		return
	}
	work := n.work()
	if work == nil {
		return
	}
	work.After = append(work.After, n.well()...)
	if m.Role.IsController() {
		work.Before = n.others(m)
		n.inspectController()
	}
	takeOver := n.byAdministrator()
	if takeOver && n.Force || m.node.Unschedulable && !m.node.Mark.IsZero() && !m.held {
		m.node.Unschedulable = false // so that its cordon is taken over
	}
	s := n.stage("maintain", "maintain "+m.Name, 1)
	n.turnFor(s, m, work)
	for _, st := range s.steps {
		switch st.Action {
		case lifecycle.ActionCordon:
			st.Hold, st.TakeOver, st.Reason = true, takeOver, n.reason()
		case lifecycle.ActionDrain:
			st.Reason = strings.Replace(st.Reason, "before k0s stops", "before the work begins", 1)
		case lifecycle.ActionUncordon:
			st.Reason = "the work is done and it is well"
		}
	}
	if m.Role.IsController() {
		n.inspectAddress(m)
	}
	n.inspectDisruption()
}

// turnFor is the turn that the work is done in. No pods are waited for that nothing ends; those of a k0s that runs may run on, and so may
// its control plane, so it keeps to windows.
func (n *nodeTask) turnFor(s *stage, m *member, work *step) {
	deaf, runs := m.node.Silent() && n.evacuates(m), !m.down
	if deaf {
		m.down = true
		n.inspectDeaf(m, "It is worked on with its pods on it.")
	}
	n.turn(s, m, lifecycle.Version{}, work)
	if deaf && runs {
		s.steps[0].Before = append(n.window(), s.steps[0].Before...)
	}
}

// work is the step for which the machine is taken out; nil when it can't be done.
func (n *nodeTask) work() *step {
	m := n.on
	switch {
	case n.Verb == lifecycle.NodeReboot:
		if m.seen.BootID == "" {
			n.find(lifecycle.Errorf(m.Name, "it does not tell its boot id, so a reboot could not be told from a failing network").
				Because("/proc/sys/kernel/random/boot_id cannot be read.").
				Try("Reboot it by hand within: kiban node maintain " + n.site.Name + " " + m.Name))
			return nil
		}
		st := n.do(lifecycle.ActionReboot, m, n.reason())
		st.After = []lifecycle.Gate{{Kind: lifecycle.GateRebooted, Target: m.Name, Was: m.seen.BootID, Timeout: n.BootTimeout}}
		return st
	case len(n.Command) > 0:
		st := n.do(lifecycle.ActionRun, m, "`"+lifecycle.ShellWords(n.Command...)+"` runs on it as root")
		st.Command, st.Timeout = n.Command, n.CommandTimeout
		return st
	}
	return n.do(lifecycle.ActionAwait, m, "the operator works on it, and says when that is done")
}

// well are the gates behind the work: the same as behind a restart of k0s by an upgrade.
func (n *nodeTask) well() []lifecycle.Gate {
	m := n.on
	if !m.Role.IsController() {
		return n.nodeBack(m, m.level)
	}
	gs := n.controlPlaneWhole(m, m.level)
	if m.Role.RunsWorkloads() {
		gs = append(gs, n.gate(lifecycle.GateDaemonSets, m.Name))
	}
	return gs
}

// inspectController says what the work on a controller means for the API.
func (n *nodeTask) inspectController() {
	switch len(n.state.Etcd.Members) {
	case 1:
		n.find(lifecycle.Warnf(n.Host, "it is the only controller: the API is away while k0s on it does not run").
			Try("Workloads go on; nothing is scheduled or healed meanwhile."))
	case 2:
		n.find(lifecycle.Blockedf(n.Host, "etcd has two members and needs both").
			Because("While one of them is away the cluster has no API.").
			Try("Declare a third controller and let it join first."))
	}
}
