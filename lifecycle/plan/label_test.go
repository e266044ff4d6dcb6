package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Labels and taints act when a node registers: a node that is there gets them from Kubernetes, and nothing is drained or restarted.
func TestLabelsAndTaintsOfANodeThatIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		role       lifecycle.Role
		have, want []string // beside the arguments that are there anyway
		labels     map[string]string
		taints     []string
		changes    []string
	}{
		"a label": {want: []string{"--labels=rack=a"}, changes: []string{"+ label rack=a"}},
		"another value": {have: []string{"--labels=rack=a"}, want: []string{"--labels=rack=b"}, labels: map[string]string{"rack": "a"},
			changes: []string{"~ label rack: a -> b"}},
		"as declared":     {have: []string{"--labels=rack=a"}, want: []string{"--labels=rack=a"}, labels: map[string]string{"rack": "a"}},
		"as it is anyway": {want: []string{"--labels=rack=a"}, labels: map[string]string{"rack": "a"}},
		"changed by hand": {have: []string{"--labels=rack=a"}, want: []string{"--labels=rack=a"}, labels: map[string]string{"rack": "z"},
			changes: []string{"~ label rack: z -> a"}},
		"no longer declared": {have: []string{"--labels=rack=a"}, labels: map[string]string{"rack": "a"},
			changes: []string{"- label rack"}},
		"no longer declared, and somebody else's by now": {have: []string{"--labels=rack=a"}, labels: map[string]string{"rack": "z"}},
		"through the kubelet": {want: []string{`--kubelet-extra-args=--node-labels=rack=a,tier=gold`}, labels: map[string]string{"tier": "gold"},
			changes: []string{"+ label rack=a"}},
		"nobody's label":          {labels: map[string]string{"mine": "x"}},
		"a taint":                 {want: []string{"--taints=gpu=yes:NoSchedule"}, changes: []string{"+ taint gpu=yes:NoSchedule"}},
		"a taint without a value": {want: []string{"--taints=gpu=:NoSchedule"}, taints: []string{"gpu:NoSchedule"}},
		"a taint less": {have: []string{"--taints=gpu=yes:NoSchedule"}, taints: []string{"gpu=yes:NoSchedule", "own:NoSchedule"},
			changes: []string{"- taint gpu=yes:NoSchedule"}},
		"a taint that moves pods": {want: []string{"--taints=gpu=yes:NoExecute"}},
		"a controller that takes pods": {role: lifecycle.RoleControllerWorker, have: []string{"--enable-worker=true"},
			want: []string{"--enable-worker=true", "--no-taints=true"}, taints: []string{controlPlaneTaint},
			changes: []string{"- taint " + controlPlaneTaint}},
		"a controller that takes none": {role: lifecycle.RoleControllerWorker, have: []string{"--enable-worker=true", "--no-taints=true"},
			want: []string{"--enable-worker=true"}, changes: []string{"+ taint " + controlPlaneTaint}},
		"a controller whose taint somebody took off": {role: lifecycle.RoleControllerWorker, have: []string{"--enable-worker=true"},
			want: []string{"--enable-worker=true"}},
	} {
		site := newSite(v136, 1, 2)
		edit := "worker-1"
		if c.role != "" {
			edit = "controller-1"
			site = newSite(v136, 1, 2, host(edit, role(c.role)))
		}
		base := site.Cluster.Hosts[slices.IndexFunc(site.Cluster.Hosts, func(h lifecycle.Host) bool { return h.Name == edit })].Arguments
		st := seen(t, site)
		for i := range site.Cluster.Hosts {
			if site.Cluster.Hosts[i].Name == edit {
				site.Cluster.Hosts[i].Arguments, st.Hosts[i].Arguments = slices.Concat(base, c.want), slices.Concat(base, c.have)
				st.Hosts[i].Workloads = c.role != ""
			}
		}
		for i := range st.Nodes {
			if st.Nodes[i].Name == edit {
				st.Nodes[i].Labels, st.Nodes[i].Taints = c.labels, c.taints
			}
		}
		p := planned(t, site, st)
		var changes []string
		for _, s := range p.Steps {
			if s.Action != lifecycle.ActionLabel || s.Target != edit || s.Disrupts {
				t.Errorf("%s: it is not only labelled: %s", name, s.ID)
			}
			changes = append(changes, s.Changes...)
		}
		if !slices.Equal(changes, c.changes) {
			t.Errorf("%s: %q, want %q\n%v", name, changes, c.changes, p.Diagnostics)
		}
		if named := len(p.Diagnostics) > 0; named != strings.Contains(name, "moves pods") {
			t.Errorf("%s: %v", name, p.Diagnostics)
		}
	}
}

// Whatever is cut off on the way, the nodes end as declared.
func TestLabelsConverge(t *testing.T) {
	w := built(t, newSite(v136, 1, 3))
	labelled := newSite(v136, 1, 3, eachHost(lifecycle.RoleWorker, argument("--labels=rack=a")), eachHost(lifecycle.RoleWorker,
		argument("--taints=x=y:NoSchedule")))
	w.declare(labelled)
	converge(t, w, serial)
	for name, n := range w.nodes {
		if n.Labels["rack"] != "a" || !slices.Contains(n.Taints, "x=y:NoSchedule") {
			t.Errorf("%s: %v %v", name, n.Labels, n.Taints)
		}
	}
	w.declare(newSite(v136, 1, 3))
	converge(t, w, serial)
	for name, n := range w.nodes {
		if len(n.Labels) > 0 || len(n.Taints) > 0 {
			t.Errorf("%s keeps %v %v", name, n.Labels, n.Taints)
		}
	}
}
