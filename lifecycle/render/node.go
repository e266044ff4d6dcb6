package render

import (
	"fmt"
	"io"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// GuardedPod is a pod that a disruption budget guards.
type GuardedPod struct {
	Budget string `json:"budget"` // "namespace/name"
	Pod    string `json:"pod"`
	Ready  bool   `json:"ready"`
	// Allowed is how many disruptions the budget allows now.
	Allowed int `json:"allowed"`
}

// GuardedPods are the pods of a node that disruption budgets guard, by budget.
func GuardedPods(st lifecycle.State, node string) []GuardedPod {
	var out []GuardedPod
	for _, b := range st.Budgets {
		for _, p := range b.Pods {
			if p.Node == node {
				out = append(out, GuardedPod{Budget: b.Namespace + "/" + b.Name, Pod: p.Name, Ready: p.Ready, Allowed: b.Allowed})
			}
		}
	}
	return out
}

// NodeNames are the declared machines in the order of the declaration, and behind them the nodes that nobody declares.
func NodeNames(site lifecycle.Site, st lifecycle.State) []string {
	var names []string
	for _, h := range site.Cluster.Hosts {
		names = append(names, h.Name)
	}
	for _, n := range st.Nodes {
		if _, declared := site.Cluster.Host(n.Name); !declared {
			names = append(names, n.Name)
		}
	}
	return names
}

// NodesText lists machines and nodes, a line each.
func NodesText(w io.Writer, site lifecycle.Site, st lifecycle.State, style Style) error {
	var rows []string
	for _, name := range NodeNames(site, st) {
		role, service, runs := "undeclared", "", ""
		if h, ok := site.Cluster.Host(name); ok {
			role = string(h.Role)
		}
		if h, ok := st.Host(name); ok {
			service, runs = serviceText(h), h.Running.String()
		}
		reason := ""
		if n, ok := st.Node(name); ok {
			reason = n.Mark.Reason
		}
		rows = append(rows, row(name, role, service, runs, nodeStatus(st, name), reason))
	}
	return Table(w, style, "MACHINE\tROLE\tSERVICE\tRUNS\tNODE\tMARK", rows)
}

func serviceText(h lifecycle.HostState) string {
	switch {
	case !h.Reached():
		return "? " + h.Problem.Words()
	case !h.Installed():
		return "not set up"
	}
	return string(h.Service)
}

// nodeStatus is the node's status in words; "" where the machine has no node, "?" where that could not be asked.
func nodeStatus(st lifecycle.State, name string) string {
	n, ok := st.Node(name)
	switch {
	case !ok && st.API.Unknown != "":
		return "?"
	case !ok:
		return ""
	}
	status := "Ready"
	if !n.Ready {
		status = "NotReady"
	}
	switch {
	case !n.Unschedulable:
	case n.Mark.IsZero():
		status += ", cordoned"
	case n.Mark.Maintenance():
		status += ", in maintenance"
	default:
		status += ", cordoned by kiban"
	}
	return status
}

// NodeText shows one machine and its node, and the problems that were found of them.
func NodeText(w io.Writer, site lifecycle.Site, st lifecycle.State, name string, problems lifecycle.Diagnostics, style Style) error {
	var b strings.Builder
	fmt.Fprintln(&b, style.paint(codeBold, name))
	field := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-12s %s\n", key, value)
		}
	}
	declared, ok := site.Cluster.Host(name)
	if ok {
		field("Role", string(declared.Role))
		field("Address", declared.Address)
		field("Declared", site.Cluster.Version.String())
	} else {
		declared.Name = name
		field("Role", "not declared")
	}
	if h, ok := st.Host(name); ok {
		machineFields(field, h)
	}
	if n, ok := st.Node(name); ok {
		field("Node", nodeStatus(st, name))
		field("Kubelet", n.Kubelet)
		field("Why", n.Why)
		if !n.Mark.IsZero() {
			field("Mark", strings.TrimSuffix(n.Mark.Run+": "+n.Mark.Reason, ": "))
		}
	}
	for _, s := range st.API.Servers {
		if s.Host == name && s.Ready {
			field("API server", "ready, "+s.Version)
		} else if s.Host == name {
			field("API server", "not ready: "+s.Why)
		}
	}
	if m, ok := st.Etcd.MemberOf(declared); ok {
		field("etcd", "member at "+m.PeerAddress)
	}
	var rows []string
	for _, p := range GuardedPods(st, name) {
		ready := "yes"
		if !p.Ready {
			ready = "no"
		}
		rows = append(rows, row(p.Budget, p.Pod, ready, fmt.Sprint(p.Allowed)))
	}
	table(&b, style, "BUDGET\tPOD\tREADY\tMAY GO NOW", rows)
	for _, d := range problems {
		b.WriteString("\n" + DiagnosticText(d, style))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func machineFields(field func(key, value string), h lifecycle.HostState) {
	field("Service", strings.TrimSpace(serviceText(h)+" "+h.Why))
	field("Runs", h.Running.String())
	field("Installed", h.Binary.String())
	var staged []string
	for _, v := range h.Staged {
		staged = append(staged, v.String())
	}
	field("Staged", strings.Join(staged, ", "))
	field("OS", h.OS)
	field("Kernel", h.Kernel)
	field("Boot id", h.BootID)
}
