package controlplane

import "sync"

// Registry is what the controllers and the simulated kubelets of one lab know of each other: which API servers serve a cluster, and the
// credentials with which the lab plays all its kubelets. A cluster is known by its certificate authority.
type Registry struct {
	mu       sync.Mutex
	clusters map[string]*Cluster
}

// NewRegistry returns an empty one.
func NewRegistry() *Registry { return &Registry{clusters: map[string]*Cluster{}} }

// Cluster is one cluster of the lab.
type Cluster struct {
	mu         sync.Mutex
	kubeconfig []byte
	servers    []string
}

// Find returns the cluster whose certificate authority this is (PEM), and whether a controller of it has run in this lab.
func (r *Registry) Find(ca []byte) (*Cluster, bool) { return nil, false }

// Servers lists the addresses "ip:port" of the API servers, those that run first.
func (c *Cluster) Servers() []string { return nil }

// Kubeconfig is the lab's own way into the cluster.
func (c *Cluster) Kubeconfig() []byte { return nil }
