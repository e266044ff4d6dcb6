package lifecycle

import "time"

// gateRow is all that kiban asks about a kind of gate, but for how it is decided: package check has one look for each.
type gateRow struct {
	kind    GateKind
	watches Watched
	wait    Wait
	// of names the condition of a target, alone the one of none. One of them may be "": such a gate always has a target, or never.
	// {target}, {version}, {minor} and {kubelet} stand for the gate's own.
	of, alone string
}

// gateRows is the table of gates.
func gateRows() []gateRow {
	return []gateRow{
		{kind: GateEtcdQuorum, watches: WatchedEtcd, wait: WaitNode, of: "etcd keeps quorum without {target}", alone: "etcd has quorum"},
		{kind: GateAPIServers, watches: WatchedAPI, wait: WaitNode, of: "every other API server is ready", alone: "every API server is ready"},
		{kind: GateAPIReady, watches: WatchedAPI, wait: WaitNode, of: "API server of {target} is ready"},
		{kind: GateLeaders, watches: WatchedAPI, wait: WaitSettle, alone: "controller manager and scheduler lead again and endpoints follow"},
		{kind: GateReconnected, watches: WatchedAPI, wait: WaitGiven, of: "clients of {target}'s API have had time to come back"},
		{kind: GateEtcdMember, watches: WatchedEtcd, wait: WaitNode, of: "{target} is an etcd member"},
		{kind: GateEtcdLeft, watches: WatchedEtcd, wait: WaitNode, of: "{target} has left etcd"},
		{kind: GateK0sRuns, watches: WatchedMachine, wait: WaitNode, of: "k0s on {target} runs {version}"},
		{kind: GateNodeReady, watches: WatchedNodes, wait: WaitNode, of: "node {target} Ready at {kubelet}"},
		{kind: GateNodesReady, watches: WatchedNodes, wait: WaitSettle, alone: "every other node is Ready"},
		{kind: GateDaemonSets, watches: WatchedPods, wait: WaitSettle, of: "daemon set pods on {target} are Ready"},
		{kind: GateSystem, watches: WatchedPods, wait: WaitSettle, alone: "k0s's own workloads are well on every node"},
		{kind: GateProbes, watches: WatchedOutside, wait: WaitSettle, alone: "the site's probes answer"},
		{kind: GateBudgets, watches: WatchedPods, wait: WaitSettle, alone: "disruption budgets are healthy"},
		{kind: GateBudgetRoom, watches: WatchedPods, wait: WaitDrain, of: "disruption budgets let {target} be drained"},
		{kind: GateWindow, watches: WatchedClock, wait: WaitNot, alone: "a maintenance window is open"},
		{kind: GateEmulates, watches: WatchedAPI, wait: WaitNode, of: "the control plane of {target} acts as {minor}"},
		{kind: GateStored, watches: WatchedAPI, wait: WaitNode, of: "{target} stores what the former version reads"},
		{kind: GateRebooted, watches: WatchedMachine, wait: WaitGiven, of: "{target} has rebooted"},
		{kind: GateUnits, watches: WatchedUnits, wait: WaitSettle, alone: "addons are healthy"},
		{kind: GateProven, watches: WatchedBackups, wait: WaitNot, alone: "a backup is proven"},
	}
}

// row is the kind's; of one that this version does not know, all is unsaid.
func (k GateKind) row() gateRow {
	for _, r := range gateRows() {
		if r.kind == k {
			return r
		}
	}
	return gateRow{kind: k}
}

// GateKinds are all of them.
func GateKinds() []GateKind {
	var out []GateKind
	for _, r := range gateRows() {
		out = append(out, r.kind)
	}
	return out
}

// Watched is what a gate looks at.
type Watched string

const (
	WatchedEtcd    Watched = "etcd"
	WatchedAPI     Watched = "api" // API servers, and what leads behind them
	WatchedMachine Watched = "machine"
	WatchedNodes   Watched = "nodes"
	WatchedPods    Watched = "pods" // and the budgets that guard them
	WatchedUnits   Watched = "units"
	WatchedOutside Watched = "outside" // what the site's users see
	WatchedClock   Watched = "clock"   // nothing of the cluster
	WatchedBackups Watched = "backups" // what is remembered of them
)

// Wait is where the time that a gate is waited for comes from.
type Wait string

const (
	WaitNode   Wait = "node"   // the policy: what a restarted node has (Settle.NodeTimeout)
	WaitSettle Wait = "settle" // the policy: what workloads have to be whole again (Settle.Timeout)
	WaitDrain  Wait = "drain"  // the policy: as long as a drain may take (Drain.Timeout)
	WaitNot    Wait = "not"    // it is met at once, or the run ends
	WaitGiven  Wait = "given"  // whoever plans the step says it
)

// Watches is what it looks at; "" for a kind that is not known.
func (k GateKind) Watches() Watched { return k.row().watches }

// OfControlPlane reports whether it is about etcd or the API servers: a target of it is a controller.
func (k GateKind) OfControlPlane() bool {
	return k.Watches() == WatchedEtcd || k.Watches() == WatchedAPI
}

// Timeout bounds how long it is waited for. Zero: not at all, or whoever plans the step says.
func (k GateKind) Timeout(p Policy) time.Duration {
	switch k.row().wait {
	case WaitNode:
		return p.Settle.NodeTimeout
	case WaitSettle:
		return p.Settle.Timeout
	case WaitDrain:
		return p.Drain.Timeout
	}
	return 0
}
