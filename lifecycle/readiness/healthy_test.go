package readiness

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// healthy is a site as it should be, another one for each seed: four or more workers with room for what runs on them, controllers whose
// certificates last, and nobody who uses what ends.
func healthy(seed uint64) Input {
	r := rand.New(rand.NewPCG(seed, 1))
	in := Input{Site: lifecycle.Site{Name: fmt.Sprintf("site-%d", seed)}, Now: now, Target: lifecycle.Version{Major: 1, Minor: 37, Patch: 1}}
	has := lifecycle.Version{Major: 1, Minor: 36, Patch: 2 + r.IntN(3)}
	in.Site.Cluster.Version = in.Target
	in.Site.Policy.Workers = lifecycle.Rollout{MaxUnavailable: "1", Canary: r.IntN(2)}
	for _, name := range []string{"shop", "search"}[:r.IntN(3)] {
		in.Site.Tenants = append(in.Site.Tenants, lifecycle.Tenant{Name: name, Namespaces: []lifecycle.TenantNamespace{{Name: name}}})
	}
	for i := range []int{1, 3, 5}[r.IntN(3)] {
		in.addHost(fmt.Sprintf("c%d", i+1), lifecycle.RoleController, has, r)
	}
	for i := range 4 + r.IntN(8) {
		in.addHost(fmt.Sprintf("w%d", i+1), lifecycle.RoleWorker, has, r)
	}
	in.usual(rand.New(rand.NewPCG(seed, 2)))
	in.Evidence = lifecycle.Evidence{APIs: healthyAPIs(in, r), Scheduling: &lifecycle.Answer[lifecycle.Scheduling]{Value: roomy(in, r)},
		Admission: &lifecycle.Answer[lifecycle.Admission]{Value: lifecycle.Admission{PriorityClasses: []string{"system-node-critical"}}}}
	in.judgedElsewhere()
	return in
}

func (in *Input) addHost(name string, role lifecycle.Role, has lifecycle.Version, r *rand.Rand) {
	in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: name, Role: role})
	h := lifecycle.HostState{Name: name, Hostname: name, OS: "debian 13", Kernel: "6.12.48", Arch: "amd64", Binary: has, Running: has,
		Service: lifecycle.ServiceRunning, ServiceName: "k0sworker", K0sRole: "worker", Data: true, FreeBytes: 40 << 30, MemoryBytes: 32 << 30}
	if role.IsController() {
		h.ServiceName, h.K0sRole = "k0scontroller", "controller"
		h.Certificates = []lifecycle.Certificate{
			{Name: "ca", Renewed: lifecycle.RenewedByHand, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, -r.IntN(12), 0)},
			{Name: "server", Renewed: lifecycle.RenewedByStart, NotBefore: now.AddDate(0, -r.IntN(11), 0), NotAfter: now.AddDate(0, 1+r.IntN(11),
				0)}}
		h.Etcd = &lifecycle.EtcdStatus{Version: "3.6.14", Size: 90 << 20, InUse: 60 << 20, Quota: 2 << 30, Since: time.Hour, Fsyncs: 5000,
			SlowFsyncs: int64(r.IntN(9))}
		in.State.API.Servers = append(in.State.API.Servers, lifecycle.APIServer{Host: name, Version: has.Kubelet(), Ready: true})
		in.State.Etcd.Members = append(in.State.Etcd.Members, lifecycle.EtcdMember{Name: name, PeerAddress: "10.0.0." + name[1:]})
	} else {
		in.State.Nodes = append(in.State.Nodes, lifecycle.NodeState{Name: name, Ready: true, Kubelet: has.Kubelet()})
	}
	in.State.Hosts = append(in.State.Hosts, h)
}

func healthyAPIs(in Input, r *rand.Rand) *lifecycle.APIEvidence {
	e := &lifecycle.APIEvidence{}
	for _, s := range in.State.API.Servers {
		e.Requests = append(e.Requests, lifecycle.From[[]lifecycle.APIRequest]{Name: s.Host})
	}
	e.Writes.Value.Objects, e.Writes.Value.Kinds, e.Releases.Value.Looked = 100+r.IntN(900), 30, r.IntN(9)
	e.Declared = []lifecycle.From[[]lifecycle.DeclaredAPI]{{Name: lifecycle.UnitObjects}}
	return e
}

// roomy is what runs there: a pod of each workload on most nodes, and room for all of them on any half of the nodes.
func roomy(in Input, r *rand.Rand) lifecycle.Scheduling {
	s := lifecycle.Scheduling{Resources: []string{lifecycle.ResourcePods, lifecycle.ResourceCPU, lifecycle.ResourceMemory}}
	for _, n := range in.State.Nodes {
		s.Nodes = append(s.Nodes, lifecycle.SchedulingNode{Name: n.Name, Allocatable: []int64{110, 16_000, 64 << 30}})
	}
	for k := range 1 + r.IntN(6) {
		s.Kinds = append(s.Kinds, lifecycle.PodKind{Namespace: "shop", Workload: fmt.Sprintf("Deployment shop/app-%d", k), Owner: "tenant shop",
			Requests: []int64{1, int64(100 + r.IntN(900)), int64(1+r.IntN(4)) << 30}, Selected: -1, Tolerated: -1})
		for i := range len(s.Nodes) - r.IntN(2) {
			s.Pods = append(s.Pods, lifecycle.PlacedPod{Name: fmt.Sprintf("app-%d-%d", k, i), Kind: int32(k), Node: int32(i), Volumes: -1})
		}
	}
	return s
}

// judgedElsewhere has what refuses pods, but none that the upgrade moves: bare ones that nothing makes anew, those of daemon sets, and
// for versions that are not on the way.
func (in *Input) judgedElsewhere() {
	s := &in.Evidence.Scheduling.Value
	mine := int32(len(s.Kinds))
	no := lifecycle.Refusal{By: lifecycle.RefusedByQuota, Name: "compute", Why: "must specify limits.cpu for: app"}
	s.Kinds = append(s.Kinds, lifecycle.PodKind{Namespace: "shop", Workload: "DaemonSet shop/logs", Requests: []int64{1},
		Selected: -1, Tolerated: -1, Refused: []lifecycle.Refusal{no}})
	s.Pods = append(s.Pods, lifecycle.PlacedPod{Name: "logs-1", Kind: mine, Volumes: -1, Stays: true},
		lifecycle.PlacedPod{Name: "by-hand", Kind: mine, Volumes: -1, Lost: true})
	s.Kinds[0].Refused = []lifecycle.Refusal{{By: lifecycle.RefusedByPodSecurity, Name: "baseline:latest", Why: "x", Until: 37},
		{By: lifecycle.RefusedByPodSecurity, Name: "baseline:latest", Why: "x", Since: 38}}
	in.Evidence.Admission.Value.Policies = []lifecycle.PodPolicy{{Name: "for-daemons", Binding: "all", Kinds: []int32{mine}}}
}

// TestHealthySitesAreReady: of a hundred sites as they should be, none gets a finding, and each is called ready.
func TestHealthySitesAreReady(t *testing.T) {
	for seed := range uint64(100) {
		got := Check(healthy(seed))
		var said []string
		for _, f := range got.Findings {
			said = append(said, fmt.Sprintf("%s %s: %s", f.Rule, f.Subject, f.Summary))
		}
		for _, u := range got.Unseen {
			said = append(said, "not seen: "+u.What+": "+u.Why)
		}
		if len(said) > 0 || !got.IsReady() || len(got.Looked) < 3 {
			t.Fatalf("seed %d: %s", seed, strings.Join(said, "\n"))
		}
	}
}
