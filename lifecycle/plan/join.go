package plan

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// joinControllers adds controllers, one by one: etcd takes a new member only while the others hold quorum. They wait for all of them, so
// one that is started by nothing but its upgrade goes first.
func joinControllers(p *planner) {
	if !slices.ContainsFunc(p.controllers(), func(m *member) bool { return m.down && m.inEtcd && p.upgrades(m) }) {
		p.joinControllers("join-controllers")
	}
}

// joinControllersLast adds the controllers for which it was too early before the upgrade.
func joinControllersLast(p *planner) { p.joinControllers("join-controllers-last") }

func (p *planner) joinControllers(id string) {
	s := p.stage(id, "further controllers", 1)
	for _, m := range p.controllers() {
		if !m.joins() || m.belongs() || p.controlPlane().IsZero() {
			continue
		}
		st := p.do(lifecycle.ActionJoinController, m, p.joinWhy(m))
		st.Version, st.Emulates = p.controlPlane(), m.emulates
		st.Before = p.others(m)
		st.After = append(p.controllerBack(m, st.Version), p.gate(lifecycle.GateEtcdQuorum, ""))
		if !m.emulates.IsZero() {
			st.After = append(st.After, p.asFormer(m)...)
		}
		p.install(s, m, st)
	}
}

// joinWorkers adds workers, all at once, at the version that the control plane has at this point: a kubelet is never newer.
func joinWorkers(p *planner) {
	s := p.stage("join-workers", "new workers", 0)
	for _, m := range p.workers() {
		if !m.joins() || p.controlPlane().IsZero() {
			continue
		}
		st := p.do(lifecycle.ActionJoinWorker, m, p.joinWhy(m))
		st.Version = p.controlPlane()
		st.After = []lifecycle.Gate{p.runs(m, st.Version), p.nodeReady(m, st.Version)}
		s.add(st)
		p.joined(m, st.Version)
	}
}

// joinWhy says why a host is to join, and at which version if that is not the declared one.
func (p *planner) joinWhy(m *member) string {
	why := "declared, and never a member"
	if m.condition == Remains {
		why = "it is a member and has its data, but no k0s service: a re-install was cut off"
	}
	if m.condition == Unjoined {
		what := "node of its name"
		if m.Role.IsController() {
			what = "etcd member at its address"
		}
		why = "a k0s service is installed, but the cluster has no " + what + ": a join was cut off"
		switch {
		case m.Role.IsController() && m.seen.Data:
			why += ", or it was taken out and is back"
		case m.seen.Spent:
			why = "it has no credentials, and its join token is spent: its join failed, and it gets a new token"
		}
	}
	if v := p.controlPlane(); v != p.target() {
		why += fmt.Sprintf("; it joins at the control plane's %s", v)
	}
	return why
}
