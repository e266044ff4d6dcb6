package plan

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// remove takes a living machine out of the cluster by the procedure that reset: true has in a plan for the site.
func (n *nodeTask) remove() {
	m := n.on
	if !n.reachable() {
		return
	}
	declared := !m.Reset
	m.Reset = true // it counts neither among the controllers nor among the workers that stay
	if m.Role.IsController() && !n.mayLose(m) {
		return
	}
	if !m.removable() {
		return
	}
	n.stage("remove", "remove "+m.Name, 1).add(n.takeOut(m, n.reason())...)
	if declared {
		n.find(lifecycle.Warnf(m.Name, "the overlay still declares it, so the next apply would join it again").
			Because(m.Source).
			Try("Take it out of the overlay, or set reset: true on it, before the next apply."))
	}
	n.inspectDisruption()
}

// replace takes out a machine that is dead, without asking it, so that another one can join under its name.
func (n *nodeTask) replace() {
	m := n.on
	if !n.dead() {
		return
	}
	m.Reset = true
	if m.Role.IsController() && !n.mayLose(m) {
		return
	}
	if !m.registered && !m.inEtcd {
		return
	}
	why := n.reason() + ": the machine does not answer"
	if m.seen.Reached() {
		why = n.reason() + ": another machine answers in its place, without k0s"
	}
	var steps []*step
	if m.inEtcd {
		leave := n.do(lifecycle.ActionLeaveEtcd, m, why+"; another controller takes it out of etcd")
		leave.Before = n.others(m)
		leave.After = []lifecycle.Gate{n.gate(lifecycle.GateEtcdLeft, m.Name), n.gate(lifecycle.GateEtcdQuorum, "")}
		steps = append(steps, leave)
	}
	gone := n.do(lifecycle.ActionDeleteNode, m, why+"; the cluster forgets it, and its pods are made elsewhere")
	gone.After = n.settled()
	gone.Disrupts = true
	n.stage("replace", "take out what is left of "+m.Name, 1).add(append(steps, gone)...)
	if !m.seen.Reached() {
		n.find(lifecycle.Warnf(m.Name, "make sure that the machine is off").
			Because("Should it only be cut off, its pods go on running there, beside those that are made in their place.").
			Try("Then put a machine in its place, its key into the site's known_hosts, and run: kiban apply " + n.site.Name))
	}
}

// dead refuses a machine that lives: k0s on it answers, or somebody else says so. A fresh machine in its place is no sign of life.
func (n *nodeTask) dead() bool {
	m := n.on
	remove := fmt.Sprintf("kiban node remove %s %s takes out a machine that answers.", n.site.Name, m.Name)
	switch {
	case m.seen.Reached() && m.onMachine():
		n.find(lifecycle.Errorf(m.Name, "the machine answers, and has k0s on it").
			Because("Only one that is dead is replaced.").
			Try(remove))
	case m.seen.Problem == lifecycle.HostNoKeys, m.seen.Problem == lifecycle.HostNoLogin:
		n.find(lifecycle.Blockedf(m.Name, "whether the machine lives is not known: it could not be asked from here").Because(m.seen.Why))
	case !m.seen.Reached() && m.seen.Problem != lifecycle.HostUnreachable:
		n.find(lifecycle.Errorf(m.Name, "something answers at its address, but does not let kiban in").
			Because(m.seen.Why).
			Try("If it is the new machine, put its key into the site's known_hosts first."))
	case m.registered && m.node.Ready:
		n.find(lifecycle.Errorf(m.Name, "its node is Ready, so the machine lives, though it does not answer by SSH").
			Because(m.seen.Why).
			Try("Mend the way to it; or switch it off, and try again when the node is NotReady."))
	case serving(n.state.API, m.Name):
		n.find(lifecycle.Errorf(m.Name, "its API server answers, so the machine lives, though it does not answer by SSH").
			Because(m.seen.Why).
			Try("Mend the way to it, or switch it off."))
	default:
		return true
	}
	return false
}

// mayLose reports whether the control plane may do without this controller for good: never one of two, by the declaration or by etcd.
func (n *nodeTask) mayLose(m *member) bool {
	stay := len(n.controllers())
	if n.state.Etcd.Unknown != "" {
		n.find(lifecycle.Blockedf(n.site.Name, "etcd's members are not known").
			Because(n.state.Etcd.Unknown).
			Try("The control plane does not change before they are."))
		return false
	}
	if members := len(n.state.Etcd.Members); members > 0 {
		rest := members
		if m.inEtcd {
			rest--
		}
		stay = min(stay, rest)
	}
	if stay < 2 {
		n.tooFew(m, stay)
		return false
	}
	return true
}
