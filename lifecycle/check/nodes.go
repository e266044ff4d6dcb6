package check

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func (c *Checker) nodeReady(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	node, err := c.workloads.Node(ctx, g.Target)
	if err != nil {
		return unknown("node "+g.Target+" is not known", err)
	}
	host, err := c.machines.HostFacts(ctx, g.Target)
	if err != nil {
		return unknown(g.Target+" does not tell when its service started", err)
	}
	return decideNodeReady(node, host, g)
}

// decideNodeReady: Ready by a heartbeat that the restarted kubelet sent itself. Heartbeat and service start are both by the
// node's clock; the heartbeat has whole seconds, so the start is cut to whole seconds too.
func decideNodeReady(node lifecycle.NodeState, host lifecycle.HostState, g lifecycle.Gate) lifecycle.GateResult {
	started := host.ServiceSince.Truncate(time.Second)
	switch {
	case !host.Reached():
		return unreached(host, "%s is not reached, so the age of its Ready condition is not known: %s", g.Target, host.Why)
	case !node.Ready:
		return waiting("node %s is not Ready: %s", g.Target, node.Why)
	case host.ServiceSince.IsZero():
		return waiting("%s does not say since when its k0s service runs", g.Target)
	case node.Heartbeat.Before(started):
		return waiting("node %s: heartbeat %s is older than the service's start %s", g.Target, clock(node.Heartbeat), clock(started))
	case !g.Version.IsZero() && node.Kubelet != g.Version.Kubelet():
		return waiting("node %s: its kubelet reports %s, want %s", g.Target, node.Kubelet, g.Version.Kubelet())
	}
	return met("node %s is Ready at %s, heartbeat %s", g.Target, node.Kubelet, clock(node.Heartbeat))
}

func (c *Checker) nodesReady(ctx context.Context, _ lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	nodes, err := c.workloads.Nodes(ctx)
	if err != nil {
		return unknown("the nodes are not known", err)
	}
	return decideNodesReady(nodes, c.wasNotReady)
}

// decideNodesReady: all are Ready but those that kiban has cordoned, for these are being worked on. A node that was not Ready
// when the run began is left out if an administrator has cordoned it: both say that it is known to be out of service.
func decideNodesReady(nodes []lifecycle.NodeState, was func(node string) bool) lifecycle.GateResult {
	var bad, excused []string
	ours, ready := 0, 0
	for _, n := range nodes {
		switch {
		case n.Unschedulable && !n.Mark.IsZero():
			ours++
		case n.Ready:
			ready++
		case n.Unschedulable && was(n.Name):
			excused = append(excused, n.Name)
		case was(n.Name):
			bad = append(bad, n.Name+" is not Ready ("+n.Why+"), as it was when the run began; cordon it to have it left out")
		default:
			bad = append(bad, n.Name+" is not Ready ("+n.Why+")")
		}
	}
	switch {
	case len(bad) > 0:
		return waiting("%s", some(bad))
	case len(excused) > 0:
		return met("%s Ready, %d cordoned by kiban; left out: %s, not Ready since before the run and cordoned by an administrator",
			lifecycle.Count(ready, "node"), ours, some(excused))
	}
	return met("%s Ready, %d cordoned by kiban", lifecycle.Count(ready, "node"), ours)
}

func (c *Checker) daemonSets(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	missing, err := c.workloads.DaemonPods(ctx, g.Target)
	if err != nil {
		return unknown("the daemon set pods on "+g.Target+" are not known", err)
	}
	return decideDaemonSets(missing, g.Target)
}

func decideDaemonSets(missing []string, node string) lifecycle.GateResult {
	if len(missing) > 0 {
		return waiting("on %s: %s", node, some(missing))
	}
	return met("every daemon set's pod on %s is Ready", node)
}
