package plan

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

// timeout bounds an action itself. What follows the policy does; the others are generous, for a slow line or a slow disk.
func (p *planner) timeout(a lifecycle.Action) time.Duration {
	switch a {
	case lifecycle.ActionDrain:
		return p.site.Policy.Drain.Timeout + time.Minute // the drain's own limit comes first, for it names the pods
	case lifecycle.ActionCordon, lifecycle.ActionUncordon, lifecycle.ActionDeleteNode:
		return time.Minute
	case lifecycle.ActionStage, lifecycle.ActionBackup, lifecycle.ActionPrepare:
		return 15 * time.Minute
	case lifecycle.ActionLeaveEtcd, lifecycle.ActionTidy, lifecycle.ActionForgetFormer:
		return 2 * time.Minute
	case lifecycle.ActionReset:
		return 10 * time.Minute
	case lifecycle.ActionReboot:
		return 2 * time.Minute // to be told; the gates behind it wait for the machine
	case lifecycle.ActionAwait:
		return 24 * time.Hour
	}
	return p.site.Policy.Settle.NodeTimeout + time.Minute // those that start or restart k0s
}

// do makes a step of an action on a member. Whether it disrupts follows from the action, but for configure.
func (p *planner) do(a lifecycle.Action, m *member, reason string) *step {
	st := &step{Step: lifecycle.Step{Action: a, Target: m.Name, Reason: reason, Timeout: p.timeout(a)}}
	switch a {
	case lifecycle.ActionDrain, lifecycle.ActionUpgrade, lifecycle.ActionReinstall, lifecycle.ActionReset, lifecycle.ActionLeaveEtcd,
		lifecycle.ActionReboot, lifecycle.ActionRun, lifecycle.ActionAwait, lifecycle.ActionRestoreFormer:
		st.Disrupts = true
	}
	return st
}

// window is the gate before a node or a controller is disturbed, where the site has maintenance windows. It is not waited for: a
// closed window ends the run.
func (p *planner) window() []lifecycle.Gate {
	if len(p.site.Policy.Windows) == 0 {
		return nil
	}
	return []lifecycle.Gate{{Kind: lifecycle.GateWindow}}
}

// node is a gate on the target within the time a restarted node has.
func (p *planner) node(kind lifecycle.GateKind, target string) lifecycle.Gate {
	return lifecycle.Gate{Kind: kind, Target: target, Timeout: p.site.Policy.Settle.NodeTimeout}
}

// settle is a gate within the time that workloads have to be whole again.
func (p *planner) settle(kind lifecycle.GateKind, target string) lifecycle.Gate {
	return lifecycle.Gate{Kind: kind, Target: target, Timeout: p.site.Policy.Settle.Timeout}
}

// runs is the gate that k0s runs exactly that version, and has for a while (H25, H37).
func (p *planner) runs(m *member, v lifecycle.Version) lifecycle.Gate {
	g := p.node(lifecycle.GateK0sRuns, m.Name)
	g.Version, g.For = v, p.site.Policy.Settle.StableFor
	return g
}

// nodeReady is the gate that the node is Ready at that version's kubelet, by a heartbeat after its restart (H37).
func (p *planner) nodeReady(m *member, v lifecycle.Version) lifecycle.Gate {
	g := p.node(lifecycle.GateNodeReady, m.Name)
	g.Version = v
	return g
}

// others are the gates before a controller's API server and etcd go away: the other ones serve.
func (p *planner) others(m *member) []lifecycle.Gate {
	return []lifecycle.Gate{p.node(lifecycle.GateEtcdQuorum, m.Name), p.node(lifecycle.GateAPIServers, m.Name)}
}

// controllerBack are the gates behind a controller's first start or its restart. The kubelet of a controller that also runs
// workloads must be back too.
func (p *planner) controllerBack(m *member, v lifecycle.Version) []lifecycle.Gate {
	gs := []lifecycle.Gate{p.runs(m, v), p.node(lifecycle.GateAPIReady, m.Name), p.node(lifecycle.GateEtcdMember, m.Name)}
	if m.Role.RunsWorkloads() {
		gs = append(gs, p.nodeReady(m, v))
	}
	return gs
}

// controlPlaneWhole is controllerBack and the leaders' return: before that, endpoints are stale and nothing else may be disturbed (H36).
func (p *planner) controlPlaneWhole(m *member, v lifecycle.Version) []lifecycle.Gate {
	return append(p.controllerBack(m, v), p.settle(lifecycle.GateLeaders, ""))
}

// nodeBack are the gates behind a worker's restart, and before an uncordon that finishes another run's work.
func (p *planner) nodeBack(m *member, v lifecycle.Version) []lifecycle.Gate {
	return []lifecycle.Gate{p.runs(m, v), p.nodeReady(m, v), p.settle(lifecycle.GateDaemonSets, m.Name)}
}

// settled are the gates before the next node may go.
func (p *planner) settled() []lifecycle.Gate {
	return append([]lifecycle.Gate{p.settle(lifecycle.GateBudgets, ""), p.settle(lifecycle.GateNodesReady, "")}, p.unitsHealthy()...)
}

// mayLeave are the gates before a node is taken out of service. One that is not Ready itself does not wait for every node to be: its turn
// may be what mends it.
func (p *planner) mayLeave(m *member) []lifecycle.Gate {
	gs := p.window()
	if m.node.Ready {
		gs = append(gs, p.settle(lifecycle.GateNodesReady, ""))
		gs = append(gs, p.unitsHealthy()...)
	}
	room := p.node(lifecycle.GateBudgetRoom, m.Name)
	room.Timeout = p.site.Policy.Drain.Timeout
	return append(gs, room)
}
