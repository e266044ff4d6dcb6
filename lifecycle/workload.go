package lifecycle

// Workload is a daemon set or a deployment that k0s brings, and where it is not whole.
type Workload struct {
	Kind      string `json:"kind"` // DaemonSet or Deployment
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Lacks are what is missing, sorted by node; none: it is whole, every pod of it Ready and of what is declared now.
	Lacks []Lack `json:"lacks,omitempty"`
}

// Lack is something that a workload misses.
type Lack struct {
	// Node is where; "" for a deployment, whose pods belong to no node.
	Node string `json:"node,omitempty"`
	// Why is in words: "kube-proxy-x7k2p is not Ready (ImagePullBackOff: Back-off pulling image ...)".
	Why string `json:"why"`
	// Serves: enough pods of it are Ready all the same, as its own strategy has it.
	Serves bool `json:"serves,omitempty"`
}

func (w Workload) String() string { return w.Kind + " " + w.Namespace + "/" + w.Name }

// At names a lack of the workload: "DaemonSet kube-system/kube-proxy on worker-2".
func (w Workload) At(l Lack) string {
	if l.Node == "" {
		return w.String()
	}
	return w.String() + " on " + l.Node
}
