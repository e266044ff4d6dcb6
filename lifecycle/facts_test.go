package lifecycle

import (
	"reflect"
	"testing"
	"time"
)

// fullHost is a host of whom everything is known.
func fullHost() HostState {
	return HostState{
		Name: "worker-3", Problem: HostFacts, Why: "half an answer", Hostname: "worker-3", OS: "Debian 13", Kernel: "6.12", Arch: "arm64",
		BootID:   "b1",
		CgroupV1: true, ClockOffset: 7, FreeBytes: 1 << 30, Full: []string{"/"},
		Binary: Version{Major: 1, Minor: 36, Patch: 3, Build: 2}, BinaryProblem: "slow",
		Staged:      []Version{{Major: 1, Minor: 37, Prerelease: "rc.1"}},
		Former:      Version{Major: 1, Minor: 35, Patch: 7},
		ServiceName: "k0sworker", Service: ServiceRunning, ServiceSince: time.Unix(1, 0), Restarts: 2,
		Running: Version{Major: 1, Minor: 36, Patch: 3, Build: 2},
		K0sRole: "worker", Workloads: true, Arguments: []string{"--a=b"}, Environment: "sha256:e", Config: []byte("{}"), ConfigDigest: "sha256:c",
		Files: []FileState{{Path: "/etc/a", Digest: "sha256:f", Mode: "0600", Owner: "root", Group: "wheel"}}, Data: true, Restored: "sha256:r",
		Server: "https://x", Token: true, Program: "/opt/bin/k0s",
	}
}

// TestFactsDigestStays: plans that were saved before stay fresh, whatever is added to what status shows.
func TestFactsDigestStays(t *testing.T) {
	full := State{
		Site: "tokyo", ObservedAt: time.Unix(2, 0), Hosts: []HostState{fullHost(), {Name: "worker-4"}},
		API: APIState{Unknown: "u", NotYet: true, ClusterUID: "uid", Site: "tokyo", ForeignCharts: []string{"a/b"},
			Servers: []APIServer{{Host: "c1", Version: "v1.36.3+k0s", Ready: true, Why: "etcd"}}},
		Nodes: []NodeState{{Name: "worker-3", Ready: true, Why: "w", Heartbeat: time.Unix(3, 0), Kubelet: "v1.36.3+k0s", Unschedulable: true,
			Mark: Mark{Run: "r1", Reason: "upgrade", TakeOver: true}, Labels: map[string]string{"a": "b"}, InternalIP: "10.0.0.1"},
			{Name: "worker-4"}},
		Etcd:    EtcdState{Unknown: "e", Members: []EtcdMember{{Name: "c1", PeerAddress: "10.0.0.9"}}},
		Budgets: []Budget{{Name: "b"}}, Stuck: []StuckPod{{Name: "p"}}, Units: []UnitState{{Name: "addon/a"}},
	}
	for name, tt := range map[string]struct {
		state State
		want  string
	}{
		"everything": {full, "sha256:357355e84ac2dd770e4295d39c178aea65bb181e7074f9bfd888eda3eb260583"},
		"nothing":    {State{}, "sha256:88c36b5b497211b4a90b25e48cf8f0132bc1871ca42b83a3c5a22bd3863a09d6"},
		"no hosts": {State{Hosts: []HostState{}, API: APIState{Servers: []APIServer{}}, Etcd: EtcdState{Members: []EtcdMember{}}},
			"sha256:98b93e943da6dc4129ee1ce94e000e1b26149e104083dea658a59e85789e2bb7"},
	} {
		if got := tt.state.FactsDigest(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestEveryFactIsDecidedOn: whoever adds a field to what is observed of a host says whether saved plans rest on it.
func TestEveryFactIsDecidedOn(t *testing.T) {
	restsNotOn := map[string]string{
		"BootID": "a reboot changes no plan", "ClockOffset": "clocks drift", "FreeBytes": "disks fill and empty", "Full": "disks fill and empty",
		"MemoryBytes": "no plan goes by it", "SwapBytes": "no plan goes by it",
		"Run": "a restart changes no plan", "KeptBefore": "Kept stands for it",
		"ServiceSince": "a restart changes no plan", "Restarts": "a restart changes no plan", "Config": "ConfigDigest stands for it",
		"Server": "Arguments and Config lead to it", "Program": "no plan goes where it is not the declared one",
		"Epoch": "each run that changes a machine raises it", "Certificates": "kubelets renew theirs at any time",
		"Acts": "gates ask for it, of programs that have started a moment ago",
		"Log":  "a program says more all the time",
		"Etcd": "its file and its counters grow all the time; an alarm is among a plan's findings",
	}
	observed, facts := reflect.TypeFor[HostState](), reflect.TypeFor[hostFacts]()
	for i := range observed.NumField() {
		name := observed.Field(i).Name
		_, fact := facts.FieldByName(name)
		if _, left := restsNotOn[name]; fact == left {
			t.Errorf("HostState.%s must be in hostFacts, so that a change of it makes saved plans stale, or here with the reason why not", name)
		}
	}
	h := fullHost()
	h.Doubts = Diagnostics{Errorf("worker-3", "it lies")} // apart, for the digests above are older than these
	h.Spent = true
	h.Ran, h.RanKnown, h.PinHeld, h.Kept, h.HalfKept = []string{PartEtcd}, true, true, time.Unix(1, 0), true
	h.DropIns = []DropIn{{Path: "/etc/k0s/containerd.d/nvidia.toml", Digest: "sha256:n", Form: 2}}
	filled := reflect.ValueOf(h.facts())
	for i := range filled.NumField() {
		if filled.Field(i).IsZero() {
			t.Errorf("hostFacts.%s is not taken from what was observed", facts.Field(i).Name)
		}
	}
}
