package lifecycle

import (
	"slices"
	"strings"
	"time"
)

// State is what was observed of a site, and when. It holds facts only; what could not be learnt says why.
type State struct {
	Site       string    `json:"site"`
	ObservedAt time.Time `json:"observedAt"`
	// Hosts are in the order of Site.Cluster.Hosts, one each, reachable or not.
	Hosts []HostState `json:"hosts"`
	API   APIState    `json:"api"`
	// Nodes are sorted by name.
	Nodes []NodeState `json:"nodes,omitempty"`
	Etcd  EtcdState   `json:"etcd"`
	// Budgets are the PodDisruptionBudgets, sorted by namespace and name.
	Budgets []Budget `json:"budgets,omitempty"`
	// Stuck are pods that `kubectl drain` would refuse to move, sorted by namespace and name.
	Stuck []StuckPod `json:"stuck,omitempty"`
	// System are the daemon sets and deployments that k0s brings, sorted by kind, namespace and name.
	System []Workload `json:"system,omitempty"`
	// Units are the addons, tenants and objects, declared ones in the order in which they are applied, then those that have left the
	// repository. Nil: they were not looked at.
	Units []UnitState `json:"units,omitempty"`
	// Past is what is remembered of the site, where that was asked for.
	Past Past `json:"past,omitzero"`
}

// HostProblem is why a host told nothing, or only half.
type HostProblem string

const (
	HostOK          HostProblem = ""
	HostUnreachable HostProblem = "unreachable" // no TCP connection or no answer within the connect timeout
	HostKeyUnknown  HostProblem = "host-key"    // its key is not in known_hosts, or differs from it
	HostAuth        HostProblem = "auth"        // it refused the key or user
	HostNoKeys      HostProblem = "no-keys"     // this computer has no known_hosts file to check its key against
	HostNoLogin     HostProblem = "no-login"    // this computer has nothing to log in with: no private key, no agent
	HostSudo        HostProblem = "sudo"        // the user may not become root without a password
	HostFacts       HostProblem = "facts"       // it answered, but not with facts
)

// ServiceState is what systemd says of the k0s unit.
type ServiceState string

const (
	ServiceAbsent   ServiceState = "absent"   // no unit
	ServiceStopped  ServiceState = "stopped"  // unit, not running
	ServiceStarting ServiceState = "starting" // activating, or restarting after a crash
	ServiceRunning  ServiceState = "running"
	ServiceStopping ServiceState = "stopping" // systemd ends it, which may take minutes; a start waits for that
	ServiceFailed   ServiceState = "failed"   // systemd gave up
)

// HostState is what one machine said of itself, in one command.
type HostState struct {
	Name    string      `json:"name"`
	Problem HostProblem `json:"problem,omitempty"`
	// Why says in words what Problem stands for.
	Why string `json:"why,omitempty"`

	Hostname string `json:"hostname,omitempty"` // what `hostname` prints, lower case
	OS       string `json:"os,omitempty"`
	Kernel   string `json:"kernel,omitempty"`
	// Arch is in Go's words: amd64, arm64, arm.
	Arch string `json:"arch,omitempty"`
	// BootID is another after each boot of the machine; "" where it does not tell.
	BootID string `json:"-"`
	// Epoch is that of the last run that held the site's lock and changed the machine since it booted; 0 where none has.
	Epoch int `json:"-"`
	// CgroupV1: k0s 1.35 and later refuse to start there.
	CgroupV1 bool `json:"cgroupV1,omitempty"`
	// ClockOffset is the host's clock minus ours, in whole seconds, with half the command's duration taken off.
	ClockOffset int `json:"-"`
	// FreeBytes is the room on the filesystem of /usr/local/bin.
	FreeBytes int64 `json:"-"`
	// MemoryBytes is how much memory the host has, SwapBytes how much swap; 0 memory: it does not tell.
	MemoryBytes int64 `json:"-"`
	SwapBytes   int64 `json:"-"`
	// Full are the filesystems of k0s's program and data that have less than LeastRoom, by where they are mounted, sorted.
	Full []string `json:"full,omitempty"`

	// Program is what the host's k0s service starts, as its unit says: "/usr/local/bin/k0s"; "" without a unit. Binary is asked of
	// Host.Program, which may be another.
	Program string `json:"program,omitempty"`
	// Binary is what Host.Program says its version is; BinaryProblem says why that is not known. Both empty: no binary.
	Binary        Version `json:"binary"`
	BinaryProblem string  `json:"binaryProblem,omitempty"`
	// Staged are the versions of k0s that kiban has put on the host and not yet installed, sorted.
	Staged []Version `json:"staged,omitempty"`
	// Former is the version that is kept on the host, as an upgrade replaced it, until its node is well; zero: none.
	Former Version `json:"former,omitzero"`
	// Kept is when the host, by its clock, kept what its k0s ran with before a change that is not known to be well yet; zero: it keeps
	// nothing of that.
	Kept time.Time `json:"kept,omitzero"`
	// KeptBefore says that k0s was started after that was kept: it runs with the change.
	KeptBefore bool `json:"-"`
	// HalfKept says that a run was cut off while the host kept that, so that what lies there is of no use.
	HalfKept bool `json:"halfKept,omitempty"`
	// Ran names what a controller's k0s has started of its control plane since it took the place of Former: PartEtcd, PartKine,
	// PartAPIServer, sorted. RanKnown says that its log reaches back to before that, so that what is not named was not started.
	Ran      []string `json:"ran,omitempty"`
	RanKnown bool     `json:"ranKnown,omitempty"`
	// PinHeld says that the k0s.yaml of a controller with a Former was last written before the installed k0s took the place of that, and has
	// its programs act as an earlier release: so it has never run otherwise.
	PinHeld bool `json:"pinHeld,omitempty"`
	// Acts is which minor release a controller's controller manager and scheduler act as, by their own word, where they are configured to:
	// "kube-scheduler" -> "1.35".
	Acts map[string]string `json:"-"`
	// ServiceName is "k0scontroller" or "k0sworker" when such a unit file is there.
	ServiceName string       `json:"unit,omitempty"`
	Service     ServiceState `json:"service,omitempty"`
	// Run is systemd's name for this start of the service, its invocation ID, in hex; "" where it tells none. ServiceSince is when that was,
	// by the host's clock as it is now; Restarts is how often systemd restarted the service since it was started by hand.
	Run          string    `json:"-"`
	ServiceSince time.Time `json:"-"`
	Restarts     int       `json:"-"`
	// Running is the version that `k0s status` answers with; zero when it does not answer.
	Running Version `json:"running"`
	// K0sRole is what `k0s status` says: "controller" or "worker"; Workloads whether it runs a kubelet.
	K0sRole   string `json:"role,omitempty"`
	Workloads bool   `json:"workloads,omitempty"`
	// Arguments are the unit's "--flag=value" arguments, normalised and sorted as Host.Arguments are.
	Arguments []string `json:"arguments,omitempty"`
	// Environment identifies the variables that the k0s service is given, as Host.Environment does; "" where it is given none.
	Environment string `json:"environment,omitempty"`
	// Config is the host's k0s.yaml as JSON with sorted keys; nil when there is none. ConfigDigest is its "sha256:<hex>".
	Config       []byte `json:"-"`
	ConfigDigest string `json:"configDigest,omitempty"`
	// Files are the declared files as the host has them, sorted by path.
	Files []FileState `json:"files,omitempty"`
	// DropIns are the files that k0s gives to its containerd, declared or not, sorted by path. k0s's own configuration is not among them.
	DropIns []DropIn `json:"dropIns,omitempty"`
	// Certificates are those of k0s and of the kubelet, sorted by name; of a controller its authorities, too.
	Certificates []Certificate `json:"certificates,omitempty"`
	// Etcd is what a controller's etcd says of itself; nil where none runs.
	Etcd *EtcdStatus `json:"etcd,omitempty"`
	// Data says that the k0s data directory holds something: the host has been a member before.
	Data bool `json:"data,omitempty"`
	// Restored is the digest of the backup that an interrupted restore has filled the data directory from; "" otherwise.
	Restored string `json:"restored,omitempty"`
	// Server is where the kubelet finds the Kubernetes API, a URL; "" when it has no credentials.
	Server string `json:"-"`
	// Token says that a join token that was not overwritten lies on the host's disk.
	Token bool `json:"token,omitempty"`
	// Spent says that a worker has no credentials for the API and that its join token was overwritten: its join failed, and k0s can't start.
	Spent bool `json:"spent,omitempty"`
	// Log are the telling lines of what the k0s of a controller said last that is not well (LastWords); nil where it was not asked.
	Log Answer[[]string] `json:"-"`
	// Doubts are findings about what the host said and was not believed.
	Doubts Diagnostics `json:"doubts,omitempty"`
}

// LeastRoom is how many bytes a filesystem must have free that k0s writes to. etcd and the kubelet stop before there are none.
const LeastRoom = 256 << 20

// Reached reports whether the host answered with facts.
func (h HostState) Reached() bool { return h.Problem == HostOK }

// ClockOff reports whether the host's clock is off by more than is safe: 30 seconds, k0sctl's own limit.
func (h HostState) ClockOff() bool {
	const most = 30
	return h.ClockOffset > most || h.ClockOffset < -most
}

// Installed reports whether k0s was ever set up as a service here.
func (h HostState) Installed() bool { return h.ServiceName != "" }

// Level is the version that a host is at: the lower one where the running service and the binary on disk differ. With an older one that
// runs it is not past that yet; with an older binary it is not safe from it, for the next restart starts that. Zero: not a member.
func (h HostState) Level() Version {
	switch {
	case !h.Installed() && !h.Data:
		return Version{}
	case h.Running.IsZero():
		return h.Binary
	case !h.Binary.IsZero() && h.Binary.Less(h.Running):
		return h.Binary
	}
	return h.Running
}

// APIState is what the Kubernetes API said.
type APIState struct {
	// Unknown says why nothing below is known; empty when the API answered.
	Unknown string `json:"unknown,omitempty"`
	// NotYet is true when there is no API because no controller was ever installed: that is knowledge, not ignorance.
	NotYet bool `json:"notYet,omitempty"`
	// ClusterUID is the UID of the kube-system namespace.
	ClusterUID string `json:"clusterUID,omitempty"`
	// Site is the site that the cluster says it is, by the mark that kiban's first run leaves in it; "" when no run has.
	Site string `json:"site,omitempty"`
	// ClusterConfig is the configuration that k0s keeps in the cluster where it is dynamic, {"spec": ...}; nil where there is none, or it
	// can't be read.
	ClusterConfig []byte `json:"-"`
	// Capabilities are what its charts may ask of it.
	Capabilities Capabilities `json:"-"`
	// ForeignCharts are the releases that k0s's own Helm controller looks after (Chart resources), "namespace/release".
	ForeignCharts []string `json:"foreignCharts,omitempty"`
	// Proven is the last restore of one of the cluster's backups, in a lab, that went through, as the cluster keeps it; nil: none is known.
	Proven *Proof `json:"proven,omitempty"`
	// Servers are the API servers, one a controller that answered, in the hosts' order.
	Servers []APIServer `json:"servers,omitempty"`
}

// APIServer is one controller's API server, asked by its own address.
type APIServer struct {
	Host string `json:"host"`
	// Version is the Kubernetes version it reports ("v1.36.3+k0s" or "v1.36.3").
	Version string `json:"version,omitempty"`
	// Ready is what /readyz says; Why names the checks that fail, or the error. etcd is one of those checks, so a ready server has quorum.
	Ready bool   `json:"ready"`
	Why   string `json:"why,omitempty"`
	// Emulates is the minor release that it acts as, by its own word, "1.35"; "" where it does not say.
	Emulates string `json:"-"`
}

// NodeState is one Kubernetes node.
type NodeState struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	// Why is the Ready condition's reason and message when it is not True.
	Why string `json:"why,omitempty"`
	// Heartbeat is the Ready condition's lastHeartbeatTime, LeaseRenewed the node lease's renewTime: both by the node's clock.
	Heartbeat    time.Time `json:"-"`
	LeaseRenewed time.Time `json:"-"`
	Kubelet      string    `json:"kubelet"` // v1.36.3+k0s
	// Unschedulable is the cordon itself; Mark is kiban's note on it. A cordon without a mark is an administrator's and stays.
	Unschedulable bool              `json:"unschedulable,omitempty"`
	Mark          Mark              `json:"mark,omitzero"`
	Labels        map[string]string `json:"labels,omitempty"`
	// Taints keep pods away that do not tolerate them, as "key=value:NoSchedule", sorted. Those that Kubernetes itself puts on for a node's
	// condition or its cordon are left out, as are those that only say what is preferred.
	Taints     []string `json:"taints,omitempty"`
	InternalIP string   `json:"internalIP,omitempty"`
	// Labelled and Tainted are the keys of labels, and the taints, that kiban has put on the node: what is no longer declared of them is
	// taken away again.
	Labelled []string `json:"labelled,omitempty"`
	Tainted  []string `json:"tainted,omitempty"`
}

// Mark is what kiban writes on a node in the same write as the cordon.
type Mark struct {
	// Run is the run that cordoned the node; Reason is why, in words.
	Run    string `json:"run"`
	Reason string `json:"reason,omitempty"`
	// TakeOver lets a cordon replace an administrator's, which has no mark. It is no part of what is on the node.
	TakeOver bool `json:"-"`
}

// Annotations that carry a Mark on a Node.
const (
	AnnotationCordonedBy  = "kiban.dev/cordoned-by"
	AnnotationCordonedFor = "kiban.dev/cordoned-for"
	// AnnotationLabelled and AnnotationTainted carry NodeState.Labelled and Tainted, with commas between them.
	AnnotationLabelled = "kiban.dev/labelled"
	AnnotationTainted  = "kiban.dev/tainted"
)

// Silent reports whether the node's kubelet tells nothing any more, by the reason that Kubernetes gives: nothing there ends pods then.
func (n NodeState) Silent() bool { return !n.Ready && strings.HasPrefix(n.Why, "NodeStatus") }

// IsZero reports whether there is no mark.
func (m Mark) IsZero() bool { return m == Mark{} }

// EtcdState is the member list, as one controller's etcd has it.
type EtcdState struct {
	// Unknown says why the list is not known; empty when it is, or when the cluster does not run etcd of its own.
	Unknown string       `json:"unknown,omitempty"`
	Members []EtcdMember `json:"members,omitempty"`
}

// EtcdMember is one member, sorted by name.
type EtcdMember struct {
	Name string `json:"name"`
	// PeerAddress is the host part of its peer URL.
	PeerAddress string `json:"peerAddress"`
}

// StuckPod is a pod that a drain would refuse to move.
type StuckPod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Node      string `json:"node"`
	// Bare: no controller would create it again. EmptyDir: it has emptyDir volumes, whose data an eviction deletes.
	Bare     bool `json:"bare,omitempty"`
	EmptyDir bool `json:"emptyDir,omitempty"`
}

// Lowest is the lowest version that a member of the cluster has; zero where none is known.
func (s State) Lowest() Version {
	var low Version
	for _, h := range s.Hosts {
		if v := h.Level(); !v.IsZero() && (low.IsZero() || v.Less(low)) {
			low = v
		}
	}
	return low
}

// Unit finds a unit by name.
func (s State) Unit(name string) (UnitState, bool) {
	for _, u := range s.Units {
		if u.Name == name {
			return u, true
		}
	}
	return UnitState{}, false
}

// Host finds a host's state by name.
func (s State) Host(name string) (HostState, bool) {
	for _, h := range s.Hosts {
		if h.Name == name {
			return h, true
		}
	}
	return HostState{}, false
}

// Node finds a node by name.
func (s State) Node(name string) (NodeState, bool) {
	for _, n := range s.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return NodeState{}, false
}

// Machine gives the names and addresses of a declared machine, or of a node of the cluster, by its name; nil for anything else.
func (s State) Machine(site Site) func(name string) []string {
	return func(name string) []string {
		if h, declared := site.Cluster.Host(name); declared {
			return slices.DeleteFunc([]string{name, h.Address, h.ClusterAddress()}, func(a string) bool { return a == "" })
		}
		if _, node := s.Node(name); node {
			return []string{name}
		}
		return nil
	}
}

// MachineFacts is what the machines of a site said, in one command each.
type MachineFacts struct {
	Hosts []HostState
	Etcd  EtcdState
	// Credentials are the administrator's, as a running controller of the site has it; zero when none has.
	Credentials Credentials
}

// ClusterFacts is what the Kubernetes API said.
type ClusterFacts struct {
	API     APIState
	Nodes   []NodeState
	Budgets []Budget
	Stuck   []StuckPod
	System  []Workload
}

// Lease is a leader election lease.
type Lease struct {
	Name    string
	Holder  string
	Renewed time.Time
}

// ReadOnlyUsr reports whether the machine's distribution keeps /usr read-only, so that k0s can't be put there: Flatcar, which is also where
// k0sctl puts k0s into /opt/bin.
func (s HostState) ReadOnlyUsr() bool { return strings.HasPrefix(s.OS, "flatcar ") }

// FlatcarProgram is where k0sctl puts k0s on Flatcar.
const FlatcarProgram = "/opt/bin/k0s"
