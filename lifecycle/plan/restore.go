package plan

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Restore is the plan that rebuilds a site's control plane from a backup: the first declared controller is filled from it, the others join
// that one, and the workers come back. Like Make it is pure.
//
// rejoin sets every worker up anew; otherwise only those that would not find the restored API, or would be newer than it.
func Restore(site lifecycle.Site, state lifecycle.State, from lifecycle.Backup, rejoin bool) lifecycle.Plan {
	p := survey(site, state)
	p.mayRestore(from)
	if cs := p.controllers(); len(cs) > 0 {
		p.restoreFirst(cs[0], from)
		p.joinRest(cs[1:])
		p.bringBackWorkers(rejoin)
	}
	ready(p)
	p.inspectRestore()
	out := p.finish()
	out.ClusterUID = "" // it is the backup's, which nobody has asked yet
	return out
}

// restoreFirst makes a control plane of one out of the backup.
func (p *planner) restoreFirst(m *member, from lifecycle.Backup) {
	if !m.seen.Reached() {
		return // mayRestore stops the plan
	}
	why := "the control plane is rebuilt from " + from.Name
	if m.seen.Restored != "" && m.seen.Restored == from.Digest {
		why += "; an interrupted restore has put its data here already"
	}
	first := p.do(lifecycle.ActionRestore, m, why)
	first.Version = p.target()
	first.Changes = []string{"data and keys: (none) -> " + from.Digest}
	first.Timeout += lifecycle.ActionBackup.Timeout(p.site.Policy) // as much data on its way back
	first.After = p.controlPlaneWhole(m, p.target())
	p.install(p.stage("restore", "control plane from the backup", 1), m, first)
}

// joinRest lets the other controllers join, one by one: etcd takes a new member only while the others hold quorum.
func (p *planner) joinRest(ms []*member) {
	s := p.stage("join-controllers", "further controllers", 1)
	for _, m := range ms {
		if !m.seen.Reached() {
			continue // mayRestore stops the plan
		}
		st := p.do(lifecycle.ActionJoinController, m, "it was reset, and joins the restored control plane")
		st.Version = p.target()
		st.Before = p.others(m)
		st.After = append(p.controllerBack(m, st.Version), p.gate(lifecycle.GateEtcdQuorum, ""))
		p.install(s, m, st)
	}
}

// bringBackWorkers brings the workers back to a control plane that knows of them what the backup knows. The keys are the same, so their
// kubelets' credentials are still good. They are restarted, because what they know may be newer than the backup. All at once: pods go on
// running while a kubelet restarts.
func (p *planner) bringBackWorkers(rejoin bool) {
	s := p.stage("workers", "workers return to the control plane", 0)
	for _, m := range p.workers() {
		have := m.seen.Level()
		switch {
		case !m.seen.Reached(), otherRole(m) != "":
		case m.condition == Fresh:
			s.add(p.joinRestored(m, "declared, and not a member"))
		case !m.seen.Installed():
			p.find(lifecycle.Warnf(m.Name, "k0s data without a service lies on the host, so it is left out").
				Because("Whose data it is cannot be told.").
				Try("If nothing there is needed, run `k0s reset` on the host; `kiban apply " + p.site.Name + "` then joins it."))
		case have.IsZero():
			p.find(lifecycle.Warnf(m.Name, "its k0s binary does not say what version it is, so it is left out").
				Because(m.seen.BinaryProblem).
				Try("Put back the binary that it had; `kiban apply " + p.site.Name + "` then starts it."))
		case rejoin:
			s.add(p.setUpAnew(m, "asked for")...)
		case p.target().Less(have):
			s.add(p.setUpAnew(m, fmt.Sprintf("it has k0s %s, and a kubelet may not be newer than its API", have))...)
		case !p.finds(m.seen.Server):
			s.add(p.setUpAnew(m, fmt.Sprintf("its kubelet looks for the API at %s, which is no declared controller", m.seen.Server))...)
		default:
			st := p.do(lifecycle.ActionRestart, m, "what its kubelet knows may be newer than the backup; its credentials are still good")
			st.Version = have
			st.After = []lifecycle.Gate{p.runs(m, have), p.nodeReady(m, have)}
			s.add(st)
		}
	}
}

// setUpAnew are the steps that make a worker of the restored control plane out of one that cannot go on as it is.
func (p *planner) setUpAnew(m *member, why string) []*step {
	get := p.do(lifecycle.ActionUpload, m, "the reset leaves no k0s behind")
	get.Version = p.target()
	p.find(lifecycle.Warnf(m.Name, "the worker is set up anew: its pods end, and what they keep in emptyDir volumes is lost").
		Because(fmt.Sprintf("%s%s. All such workers are set up at once.", strings.ToUpper(why[:1]), why[1:])).
		Try("To keep the pods running, restore a backup of the k0s that the workers have, if there is one: kiban backup list " + p.site.Name))
	return []*step{p.do(lifecycle.ActionReset, m, why), get, p.joinRestored(m, "it was reset, and joins the restored control plane")}
}

func (p *planner) joinRestored(m *member, why string) *step {
	st := p.do(lifecycle.ActionJoinWorker, m, why)
	st.Version = p.target()
	st.After = []lifecycle.Gate{p.runs(m, st.Version), p.nodeReady(m, st.Version)}
	return st
}

// finds reports whether a kubelet with that server finds a declared controller there, as far as can be told: a load balancer on the node
// itself (localhost) knows the controllers' addresses, and kiban does not ask which. Of one that has none to look for, the gate will say
// whether its node comes back.
func (p *planner) finds(server string) bool { return p.site.ServerOf(server) != lifecycle.ServerOther }

// setting is a plain value of a configuration; "" when it does not say.
func setting(config []byte, path string) string {
	if config == nil {
		return ""
	}
	values, err := flatten(config)
	if err != nil {
		return ""
	}
	return strings.Trim(values[path], `"`)
}
