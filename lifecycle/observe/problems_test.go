package observe

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// problemSite is a site of one controller that is well.
func problemSite() (lifecycle.Site, lifecycle.State) {
	v := lifecycle.Version{Major: 1, Minor: 36, Patch: 3}
	site := lifecycle.Site{Name: "lab"}
	site.Cluster.Version = v
	site.Cluster.Hosts = []lifecycle.Host{{Name: "c-1", Role: lifecycle.RoleController}}
	st := lifecycle.State{Site: "lab"}
	st.Hosts = []lifecycle.HostState{{Name: "c-1", ServiceName: "k0scontroller", Service: lifecycle.ServiceRunning, Binary: v, Running: v}}
	st.API.Servers = []lifecycle.APIServer{{Host: "c-1", Ready: true}}
	st.Etcd.Members = []lifecycle.EtcdMember{{Name: "c-1"}}
	return site, st
}

func TestProblems(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*lifecycle.State)
		want   []string
	}{
		"well": {func(*lifecycle.State) {}, nil},
		"not reached": {func(st *lifecycle.State) { st.Hosts[0].Problem = lifecycle.HostUnreachable },
			[]string{"error c-1: not reached"}},
		"another version": {func(st *lifecycle.State) { st.Hosts[0].Running.Patch = 2 },
			[]string{"warning c-1: runs k0s v1.36.2+k0s.0; v1.36.3+k0s.0 is declared"}},
		"the API is silent, so nothing is said of nodes": {func(st *lifecycle.State) {
			st.API.Unknown, st.Nodes = "timeout", []lifecycle.NodeState{{Name: "w-9"}}
		}, []string{"error lab: the Kubernetes API did not answer"}},
		"a host is not believed": {func(st *lifecycle.State) {
			st.Hosts[0].Doubts = lifecycle.Diagnostics{lifecycle.Errorf("c-1", "its kubeconfig is not used")}
		}, []string{"error c-1: its kubeconfig is not used"}},
		"a node that nobody declared": {func(st *lifecycle.State) { st.Nodes = []lifecycle.NodeState{{Name: "w-9", Ready: true}} },
			[]string{"warning w-9: the node is in the cluster, but the site does not declare it"}},
		"etcd has lost its member": {func(st *lifecycle.State) {
			st.Etcd.Members = append(st.Etcd.Members, lifecycle.EtcdMember{Name: "c-2"})
		},
			[]string{"warning lab: etcd has 2 members, and 1 controller is declared"}},
		"a unit is not known": {func(st *lifecycle.State) {
			st.Units = []lifecycle.UnitState{{Name: "addon/metallb", Unknown: "forbidden"}}
		},
			[]string{"error addon metallb: it is not known how it is"}},
		"objects were changed by hand, and one is not up": {func(st *lifecycle.State) {
			st.Units = []lifecycle.UnitState{{Name: "objects", Declared: true, Installed: true, Changes: []lifecycle.ObjectChange{{Drift: true}, {}},
				Health: lifecycle.Health{Status: lifecycle.HealthFailed}}}
		}, []string{"error objects of the site: it is not healthy", "warning objects of the site: 1 object changed by hand"}},
	} {
		site, st := problemSite()
		tt.change(&st)
		var got []string
		for _, d := range Problems(site, st) {
			got = append(got, string(d.Severity)+" "+d.Subject+": "+d.Summary)
		}
		if slices.Sort(got); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
