package readiness

import (
	"cmp"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// turns are the sets of nodes that the upgrade would have out of service together, in its order: controllers with pods of their own one by
// one, then the workers, domain by domain, as many at once as the rollout's window allows. The window slides, and any nodes that are
// neighbours in the order may be out together: of a wide one not each place is looked at, but each node comes up at several.
func turns(in Input) [][]string {
	var out [][]string
	var workers []string
	for _, h := range in.Site.Cluster.Hosts {
		switch {
		case !due(in, h) || !evacuates(in.State, h.Name):
		case h.Role.IsController():
			out = append(out, []string{h.Name})
		default:
			workers = append(workers, h.Name)
		}
	}
	rollout := in.Site.Policy.Workers
	domain := func(name string) string { return domainOf(in.State, name, rollout.FailureDomain) }
	slices.SortStableFunc(workers, func(a, b string) int {
		x, y := domain(a), domain(b)
		return cmp.Or(compareBool(x == "", y == ""), cmp.Compare(x, y)) // those without a domain are one, the last
	})
	all := 0
	for _, h := range in.Site.Cluster.Hosts {
		if h.Role == lifecycle.RoleWorker && !h.Reset {
			all++
		}
	}
	at := rollout.AtOnce(all)
	canaries := min(rollout.Canary, len(workers))
	for _, name := range workers[:canaries] {
		out = append(out, []string{name})
	}
	workers = workers[canaries:]
	for len(workers) > 0 {
		n := 1
		for n < len(workers) && domain(workers[n]) == domain(workers[0]) {
			n++
		}
		out = append(out, windows(workers[:n], at)...)
		workers = workers[n:]
	}
	return out
}

// windows are the sets of neighbours of that size.
func windows(nodes []string, size int) [][]string {
	if len(nodes) <= size {
		return [][]string{nodes}
	}
	var out [][]string
	stride := max(1, size/4)
	for from := 0; ; from += stride {
		if from+size >= len(nodes) {
			return append(out, nodes[len(nodes)-size:])
		}
		out = append(out, nodes[from:from+size])
	}
}

// due reports whether the upgrade changes a machine that runs pods.
func due(in Input, h lifecycle.Host) bool {
	if !h.Role.RunsWorkloads() || h.Role == lifecycle.RoleSingle || h.Reset {
		return false
	}
	seen, _ := in.State.Host(h.Name)
	return seen.Level().IsZero() || in.Target.IsZero() || seen.Level().Less(in.Target)
}

// evacuates reports whether a node is drained, as the planner has it: where at least one other takes its pods.
func evacuates(s lifecycle.State, name string) bool {
	node, there := s.Node(name)
	return there && slices.ContainsFunc(s.Nodes, func(other lifecycle.NodeState) bool {
		if other.Unschedulable && !other.Mark.IsZero() && !other.Mark.Maintenance() {
			other.Unschedulable = false // kiban has it out, and returns it before another leaves
		}
		return other.Name != name && other.Repels(node) == ""
	})
}

// domainOf is a node's failure domain; "" without one.
func domainOf(s lifecycle.State, name, label string) string {
	if label == "" {
		return ""
	}
	node, _ := s.Node(name)
	return node.Labels[label]
}

// compareBool has false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
