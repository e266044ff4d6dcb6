package render

import "kiban.dev/kiban/lifecycle"

// NodeReport is one machine with all that was seen of it, for programs.
type NodeReport struct {
	Name string `json:"name"`
	// Declared is nil for a node that the site does not declare; Machine and Node are nil where there is none.
	Declared    *lifecycle.Host       `json:"declared,omitempty"`
	Machine     *lifecycle.HostState  `json:"machine,omitempty"`
	BootID      string                `json:"bootID,omitempty"`
	Node        *lifecycle.NodeState  `json:"node,omitempty"`
	Maintenance bool                  `json:"maintenance"`
	APIServer   *lifecycle.APIServer  `json:"apiServer,omitempty"`
	Etcd        *lifecycle.EtcdMember `json:"etcdMember,omitempty"`
	// Pods are those under a disruption budget; Stuck those that a drain would refuse to move.
	Pods  []GuardedPod          `json:"pods,omitempty"`
	Stuck []lifecycle.StuckPod  `json:"stuck,omitempty"`
	Found lifecycle.Diagnostics `json:"problems,omitempty"`
}

// NewNodeReport picks out of a state what is of one machine.
func NewNodeReport(site lifecycle.Site, st lifecycle.State, problems lifecycle.Diagnostics, name string) NodeReport {
	r := NodeReport{Name: name, Pods: GuardedPods(st, name)}
	declared, ok := site.Cluster.Host(name)
	if ok {
		r.Declared = &declared
	}
	declared.Name = name
	if h, ok := st.Host(name); ok {
		r.Machine, r.BootID = &h, h.BootID
	}
	if n, ok := st.Node(name); ok {
		r.Node, r.Maintenance = &n, n.Unschedulable && n.Mark.Maintenance()
	}
	for _, s := range st.API.Servers {
		if s.Host == name {
			r.APIServer = &s
		}
	}
	if m, ok := st.Etcd.MemberOf(declared); ok {
		r.Etcd = &m
	}
	for _, s := range st.Stuck {
		if s.Node == name {
			r.Stuck = append(r.Stuck, s)
		}
	}
	for _, d := range problems {
		if d.Subject == name {
			r.Found = append(r.Found, d)
		}
	}
	return r
}
