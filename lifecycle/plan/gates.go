package plan

import "kiban.dev/kiban/lifecycle"

// do makes a step of an action on a member. Some actions disrupt only now and then: whoever plans those says so.
func (p *planner) do(a lifecycle.Action, m *member, reason string) *step {
	return &step{Step: lifecycle.Step{Action: a, Target: m.Name, Reason: reason, Timeout: a.Timeout(p.site.Policy), Disrupts: a.Disrupts()}}
}

// window is the gate before a node or a controller is disturbed, where the site has maintenance windows. It is not waited for: a
// closed window ends the run.
func (p *planner) window() []lifecycle.Gate {
	if len(p.site.Policy.Windows) == 0 {
		return nil
	}
	return []lifecycle.Gate{p.gate(lifecycle.GateWindow, "")}
}

// gate is one on the target, waited for as long as its kind is.
func (p *planner) gate(kind lifecycle.GateKind, target string) lifecycle.Gate {
	return lifecycle.Gate{Kind: kind, Target: target, Timeout: kind.Timeout(p.site.Policy)}
}

// runs is the gate that k0s runs exactly that version, and has for a while (H25, H37).
func (p *planner) runs(m *member, v lifecycle.Version) lifecycle.Gate {
	g := p.gate(lifecycle.GateK0sRuns, m.Name)
	g.Version, g.For = v, p.site.Policy.Settle.StableFor
	return g
}

// nodeReady is the gate that the node is Ready at that version's kubelet, by a heartbeat after its restart (H37).
func (p *planner) nodeReady(m *member, v lifecycle.Version) lifecycle.Gate {
	g := p.gate(lifecycle.GateNodeReady, m.Name)
	g.Version = v
	return g
}

// others are the gates before a controller's API server and etcd go away: the other ones serve.
func (p *planner) others(m *member) []lifecycle.Gate {
	return []lifecycle.Gate{p.gate(lifecycle.GateEtcdQuorum, m.Name), p.gate(lifecycle.GateAPIServers, m.Name)}
}

// controllerBack are the gates behind a controller's first start or its restart. The kubelet of a controller that also runs
// workloads must be back too.
func (p *planner) controllerBack(m *member, v lifecycle.Version) []lifecycle.Gate {
	gs := []lifecycle.Gate{p.runs(m, v), p.gate(lifecycle.GateAPIReady, m.Name), p.gate(lifecycle.GateEtcdMember, m.Name)}
	if m.Role.RunsWorkloads() {
		gs = append(gs, p.nodeReady(m, v))
	}
	return gs
}

// controlPlaneWhole is controllerBack and the leaders' return: before that, endpoints are stale and nothing else may be disturbed (H36).
func (p *planner) controlPlaneWhole(m *member, v lifecycle.Version) []lifecycle.Gate {
	return append(p.controllerBack(m, v), p.gate(lifecycle.GateLeaders, ""))
}

// nodeBack are the gates behind a worker's restart, and before an uncordon that finishes another run's work.
func (p *planner) nodeBack(m *member, v lifecycle.Version) []lifecycle.Gate {
	return []lifecycle.Gate{p.runs(m, v), p.nodeReady(m, v), p.gate(lifecycle.GateDaemonSets, m.Name)}
}

// settled are the gates before the next node may go.
func (p *planner) settled() []lifecycle.Gate {
	return append([]lifecycle.Gate{p.gate(lifecycle.GateBudgets, ""), p.gate(lifecycle.GateNodesReady, "")}, p.unitsHealthy()...)
}

// mayLeave are the gates before a node is taken out of service. One that is not Ready itself does not wait for every node to be: its turn
// may be what mends it.
func (p *planner) mayLeave(m *member) []lifecycle.Gate {
	gs := append(p.window(), p.reconnected()...)
	if m.node.Ready {
		gs = append(gs, p.gate(lifecycle.GateNodesReady, ""))
		gs = append(gs, p.othersWell()...)
	}
	return append(gs, p.gate(lifecycle.GateBudgetRoom, m.Name))
}

// reconnected is the gate before pods move for the first time in a plan, where the site has one API server. Of several, one that restarts
// leaves the others to whoever watches.
func (p *planner) reconnected() []lifecycle.Gate {
	after := p.site.Policy.Settle.Reconnect
	only := p.site.Cluster.Controllers()
	if p.askedReconnected || after == 0 || len(only) != 1 || p.external() {
		return nil
	}
	p.askedReconnected = true
	g := p.gate(lifecycle.GateReconnected, only[0].Name)
	g.For, g.Timeout = after, after+p.site.Policy.Settle.NodeTimeout
	return []lifecycle.Gate{g}
}

// othersWell are the gates that all is well beside the node that is to leave: addons, what k0s itself brings, and what the site's users
// see.
func (p *planner) othersWell() []lifecycle.Gate {
	gs := append(p.unitsHealthy(), p.gate(lifecycle.GateSystem, ""))
	if len(p.site.Policy.Probes) > 0 {
		gs = append(gs, p.gate(lifecycle.GateProbes, ""))
	}
	return gs
}
