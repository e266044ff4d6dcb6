package lifecycle

import "encoding/json"

// FactsDigest identifies the facts that a plan rests on: the machines, nodes, API servers and etcd, not the time, the clocks,
// the free space or which pods happen to run. Two observations of an unchanged site have the same digest.
//
// The facts are listed here, apart from what State shows: a field that is added there makes no saved plan stale. The order of fields and
// their names are part of the digest.
func (s State) FactsDigest() string {
	b, err := json.Marshal(s.facts())
	if err != nil {
		panic("lifecycle: facts do not marshal: " + err.Error()) // plain data: a bug, not a condition
	}
	return Digest(b)
}

type siteFacts struct {
	Hosts []hostFacts
	UID   string
	API   []serverFacts
	Nodes []nodeFacts
	Etcd  []memberFacts
}

type hostFacts struct {
	Name          string       `json:"name"`
	Problem       HostProblem  `json:"problem,omitempty"`
	Why           string       `json:"why,omitempty"`
	Hostname      string       `json:"hostname,omitempty"`
	OS            string       `json:"os,omitempty"`
	Kernel        string       `json:"kernel,omitempty"`
	Arch          string       `json:"arch,omitempty"`
	CgroupV1      bool         `json:"cgroupV1,omitempty"`
	Binary        Version      `json:"binary"`
	BinaryProblem string       `json:"binaryProblem,omitempty"`
	Staged        []Version    `json:"staged,omitempty"`
	Former        Version      `json:"former,omitzero"`
	Kept          bool         `json:"kept,omitempty"`
	HalfKept      bool         `json:"halfKept,omitempty"`
	Ran           []string     `json:"ran,omitempty"`
	RanKnown      bool         `json:"ranKnown,omitempty"`
	PinHeld       bool         `json:"pinHeld,omitempty"`
	ServiceName   string       `json:"unit,omitempty"`
	Service       ServiceState `json:"service,omitempty"`
	Running       Version      `json:"running"`
	K0sRole       string       `json:"role,omitempty"`
	Workloads     bool         `json:"workloads,omitempty"`
	Arguments     []string     `json:"arguments,omitempty"`
	Environment   string       `json:"environment,omitempty"`
	ConfigDigest  string       `json:"configDigest,omitempty"`
	Files         []fileFacts  `json:"files,omitempty"`
	Data          bool         `json:"data,omitempty"`
	Restored      string       `json:"restored,omitempty"`
	Token         bool         `json:"token,omitempty"`
	Spent         bool         `json:"spent,omitempty"`
	Doubts        []string     `json:"doubts,omitempty"`
	// DropIns are paths and forms: that somebody edits his own file in its form changes no plan.
	DropIns []dropInFacts `json:"dropIns,omitempty"`
}

type dropInFacts struct {
	Path string `json:"path"`
	Form int    `json:"form,omitempty"`
}

type fileFacts struct {
	Path   string `json:"path"`
	Digest string `json:"digest,omitempty"`
	Mode   string `json:"mode,omitempty"`
	Owner  string `json:"owner,omitempty"`
	Group  string `json:"group,omitempty"`
}

type serverFacts struct {
	Host    string `json:"host"`
	Version string `json:"version,omitempty"`
	Ready   bool   `json:"ready"`
	Why     string `json:"why,omitempty"`
}

type memberFacts struct {
	Name        string `json:"name"`
	PeerAddress string `json:"peerAddress"`
}

type nodeFacts struct {
	Name, Kubelet string
	Ready, Cordon bool
	Mark          markFacts
	Taints        []string `json:",omitempty"` // a plan drains no node whose pods no other takes
}

type markFacts struct {
	Run    string `json:"run"`
	Reason string `json:"reason,omitempty"`
}

func (s State) facts() siteFacts {
	facts := siteFacts{
		Hosts: each(s.Hosts, HostState.facts),
		UID:   s.API.ClusterUID,
		API:   each(s.API.Servers, func(a APIServer) serverFacts { return serverFacts{a.Host, a.Version, a.Ready, a.Why} }),
		Etcd:  each(s.Etcd.Members, func(m EtcdMember) memberFacts { return memberFacts(m) }),
	}
	for _, n := range s.Nodes {
		facts.Nodes = append(facts.Nodes, nodeFacts{n.Name, n.Kubelet, n.Ready, n.Unschedulable, markFacts{n.Mark.Run, n.Mark.Reason}, n.Taints})
	}
	return facts
}

func (h HostState) facts() hostFacts {
	if h.CrashLoops() && h.Service != ServiceFailed {
		h.Service = ServiceStarting // in which moment of its loop it was seen is no fact
	}
	if h.Service == ServiceStopping {
		h.Service = ServiceStopped // as it is in a moment
	}
	return hostFacts{
		Name: h.Name, Problem: h.Problem, Why: h.Why, Hostname: h.Hostname, OS: h.OS, Kernel: h.Kernel, Arch: h.Arch, CgroupV1: h.CgroupV1,
		Binary: h.Binary, BinaryProblem: h.BinaryProblem, Staged: h.Staged, Former: h.Former, Ran: h.Ran, RanKnown: h.RanKnown,
		PinHeld: h.PinHeld, Kept: !h.Kept.IsZero(), HalfKept: h.HalfKept,
		ServiceName: h.ServiceName, Service: h.Service,
		Running: h.Running,
		K0sRole: h.K0sRole, Workloads: h.Workloads, Arguments: h.Arguments, Environment: h.Environment, ConfigDigest: h.ConfigDigest,
		Files: each(h.Files, func(f FileState) fileFacts { return fileFacts(f) }),
		Data:  h.Data, Restored: h.Restored, Token: h.Token, Spent: h.Spent,
		Doubts:  each(h.Doubts, Diagnostic.Error),
		DropIns: each(h.DropIns, func(d DropIn) dropInFacts { return dropInFacts{d.Path, d.Form} }),
	}
}

// each turns every item of a list. No list stays no list, which JSON tells from an empty one.
func each[T, U any](list []T, turn func(T) U) []U {
	if list == nil {
		return nil
	}
	out := make([]U, 0, len(list))
	for _, item := range list {
		out = append(out, turn(item))
	}
	return out
}
