package controlplane

import (
	"bytes"
	"slices"
	"sync"
)

// Registry is what the controllers and the simulated kubelets of one lab know of each other: which API servers serve a cluster, and the
// credentials with which the lab plays all its kubelets. A cluster is known by its certificate authority.
type Registry struct {
	mu       sync.Mutex
	clusters []*Cluster
}

// NewRegistry returns an empty one.
func NewRegistry() *Registry { return &Registry{} }

// Cluster is one cluster of the lab.
type Cluster struct {
	ca         []byte
	mu         sync.Mutex
	kubeconfig []byte
	servers    []string
	running    map[string]bool
}

// Find returns the cluster whose certificate authority this is (PEM), and whether a controller of it has run in this lab.
func (r *Registry) Find(ca []byte) (*Cluster, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(ca)
}

// find is Find with r.mu held.
func (r *Registry) find(ca []byte) (*Cluster, bool) {
	i := slices.IndexFunc(r.clusters, func(c *Cluster) bool { return bytes.Equal(bytes.TrimSpace(c.ca), bytes.TrimSpace(ca)) })
	if i < 0 {
		return nil, false
	}
	return r.clusters[i], true
}

// findOrAdd is one step, so that controllers that start at the same time are of one cluster.
func (r *Registry) findOrAdd(ca []byte) *Cluster {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.find(ca)
	if !ok {
		c = &Cluster{ca: ca, running: map[string]bool{}}
		r.clusters = append(r.clusters, c)
	}
	return c
}

// enter notes that a controller of a cluster runs; leave undoes it.
func (r *Registry) enter(ca, kubeconfig []byte, server string) (leave func()) {
	if r == nil {
		return func() {}
	}
	c := r.findOrAdd(ca)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kubeconfig = kubeconfig
	c.running[server] = true
	if !slices.Contains(c.servers, server) {
		c.servers = append(c.servers, server)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running[server] = false
	}
}

// Servers lists the addresses "ip:port" of the API servers, those that run first.
func (c *Cluster) Servers() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.servers)
	slices.SortStableFunc(list, func(a, b string) int {
		switch {
		case c.running[a] == c.running[b]:
			return 0
		case c.running[a]:
			return -1
		}
		return 1
	})
	return list
}

// Kubeconfig is the lab's own way into the cluster, as an administrator.
func (c *Cluster) Kubeconfig() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kubeconfig
}

// CA is the cluster's certificate authority, PEM.
func (c *Cluster) CA() []byte { return c.ca }
