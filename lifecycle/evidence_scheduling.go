package lifecycle

// Scheduling is what decides where pods can run, as Kubernetes' scheduler sees it: nodes and their room, pods and their demands. What many
// pods have alike is there once, and named by its place in a list. A place is -1 where there is nothing to name.
//
// What is about a node alone (selectors, affinity to nodes, taints, where volumes are) is worked out to sets of nodes by whoever asked, and
// what is about other pods (affinity to pods, spreading) to sets of kinds of pods. So whoever decides needs neither labels nor selectors.
type Scheduling struct {
	// Resources are the names of what is requested: "pods", which each pod takes one of, then "cpu" in thousandths, "memory" in bytes, ...
	Resources []string
	// Topologies are the node labels whose values are domains: "topology.kubernetes.io/zone".
	Topologies []string
	// Nodes are sorted by name.
	Nodes    []SchedulingNode
	NodeSets []NodeSet
	Terms    []PodTerm
	Kinds    []PodKind
	Pods     []PlacedPod
	// RefusedUnknown says why it is not known whether pods that are made anew are let in (PodKind.Refused); "" where it is.
	RefusedUnknown string
}

// Resources that Scheduling knows by name. Others are called as the API calls them, and counted in whole ones.
const (
	ResourcePods   = "pods"              // in pods
	ResourceCPU    = "cpu"               // in thousandths
	ResourceMemory = "memory"            // in bytes
	ResourceDisk   = "ephemeral-storage" // in bytes
)

// SchedulingNode is a node as the scheduler sees it.
type SchedulingNode struct {
	Name string
	// Allocatable is how much of each of Scheduling.Resources it has for pods; what is not there is none.
	Allocatable []int64
	// Closed: cordoned.
	Closed bool
	// Domains are its domains, one for each of Scheduling.Topologies, as numbers from 0; -1 without the label.
	Domains []int32
}

// NodeSet is the nodes that satisfy a demand.
type NodeSet struct {
	// Why is the demand, so that it can follow "does not match": "node selector disk=ssd", "where volume data-db-0 is".
	Why string
	Has Bits
}

// PodTerm is pods by their labels, in each domain of a topology.
type PodTerm struct {
	// Why is the selector in words: "app=web".
	Why      string
	Topology int32
	// Kinds are those that it selects, sorted.
	Kinds []int32
}

// PodKind is what pods have alike that the scheduler judges alike.
type PodKind struct {
	Namespace string
	// Workload created them: "Deployment shop/web"; the pod itself where nothing did: "Pod shop/web".
	Workload string
	// Owner is whom they concern: "tenant shop"; "" where nothing says.
	Owner string
	// Labels are the pods' own.
	Labels map[string]string
	// Requests are how much of each of Scheduling.Resources a pod takes; what is not there is none.
	Requests []int64
	// Selected is the set of nodes that the selector and the affinity to nodes allow, Tolerated that whose taints are tolerated but for a
	// cordon's; -1: all nodes.
	Selected, Tolerated int32
	// ToleratesCordon: they may be put on a node that is cordoned.
	ToleratesCordon bool
	Ports           []HostPort
	// Affinity and Anti are terms: of all of Affinity together a pod must be in the node's domains, of each of Anti none.
	Affinity, Anti []int32
	Spread         []Spread
	// Priority is by number; PriorityClass is the name that says so; "" for none. Polite: they push out no others.
	Priority      int32
	PriorityClass string
	Polite        bool
	// ServiceAccount and RuntimeClass are named by them; "" for none.
	ServiceAccount, RuntimeClass string
	// Limits are the limits of a pod, by Scheduling.Resources as Requests are.
	Limits []int64
	// Unjudged says why it can't be said where they fit: "they claim devices"; "" where it can.
	Unjudged string
	// Refused is why the API would not let in a pod that takes the place of one of these.
	Refused []Refusal
}

// HostPort is a port of the node itself.
type HostPort struct {
	// IP is "" for all addresses.
	IP, Protocol string
	Port         int32
}

// Spread is a topology spread constraint that must be kept (DoNotSchedule).
type Spread struct {
	Topology            int32
	MaxSkew, MinDomains int32
	// Term has the kinds that are counted, Own whether a pod counts itself among them.
	Term int32
	Own  bool
	// BySelected leaves out nodes that Selected does not have, ByTaints those that Tolerated does not have.
	BySelected, ByTaints bool
}

// PlacedPod is a pod that has not ended.
type PlacedPod struct {
	Name string
	Kind int32
	// Node is where it is; -1: nowhere yet.
	Node int32
	// Volumes is the set of nodes that reach its volumes; -1: all.
	Volumes int32
	// Stays: a drain leaves it, as it does pods of daemon sets and static ones. Lost: nothing creates it again when it is gone. Ending: it is
	// being deleted.
	Stays, Lost, Ending bool
}

// Bits is a set of small numbers.
type Bits []uint64

// NewBits is an empty set of numbers below n.
func NewBits(n int) Bits { return make(Bits, (n+63)/64) }

// Has reports whether a number is in the set.
func (b Bits) Has(i int32) bool { return b[i>>6]&(1<<(uint(i)&63)) != 0 }

// Add puts a number into the set.
func (b Bits) Add(i int32) { b[i>>6] |= 1 << (uint(i) & 63) }
