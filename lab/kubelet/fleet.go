package kubelet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kiban.dev/kiban/lab/controlplane"
)

// Fleet is all kubelets of a lab, of all its clusters.
type Fleet struct {
	ctx       context.Context
	opts      Options
	addresses *addresses

	mu     sync.Mutex
	pools  map[*controlplane.Cluster]*pool
	faults map[string]*Faults
}

// NewFleet returns a fleet without workers. ctx ends everything: kubelets, pods, listeners.
func NewFleet(ctx context.Context, opts Options) *Fleet {
	return &Fleet{
		ctx: ctx, opts: opts.defaults(), addresses: newAddresses(),
		pools: map[*controlplane.Cluster]*pool{}, faults: map[string]*Faults{},
	}
}

// Join starts a worker's kubelet and returns once its node is registered. It keeps trying while the API servers do not answer, until ctx
// ends; it returns an error for a token or certificate that the cluster goes on refusing for five seconds. A worker that is already
// running is an error.
func (f *Fleet) Join(ctx context.Context, w Worker) error {
	if f.Running(w.Name) {
		return fmt.Errorf("the kubelet of %s is running already", w.Name)
	}
	ca, err := w.authority()
	if err != nil {
		return err
	}
	cluster, err := f.cluster(ctx, ca)
	if err != nil {
		return err
	}
	if err := w.bootstrap(ctx, cluster); err != nil {
		return fmt.Errorf("bootstrap %s: %w", w.Name, err)
	}
	p, err := f.enter(cluster)
	if err != nil {
		return err
	}
	defer f.entered(p)
	return p.join(ctx, w, f.Faults(w.Name))
}

// cluster waits until a controller of the cluster has come up: after a power cut the workers may be first.
func (f *Fleet) cluster(ctx context.Context, ca []byte) (*controlplane.Cluster, error) {
	for {
		if c, ok := f.opts.Registry.Find(ca); ok {
			return c, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return nil, fmt.Errorf("no controller of the cluster has come up: %w", err)
		}
	}
}

// enter returns the cluster's pool, which is not retired before entered is called.
func (f *Fleet) enter(cluster *controlplane.Cluster) (*pool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pools[cluster]
	if p == nil {
		var err error
		if p, err = newPool(f.ctx, cluster, f.opts, f.addresses); err != nil {
			return nil, err
		}
		f.pools[cluster] = p
	}
	p.joining++
	return p, nil
}

func (f *Fleet) entered(p *pool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.joining--
}

// each calls do for every cluster.
func (f *Fleet) each(do func(*pool)) {
	f.mu.Lock()
	var list []*pool
	for _, p := range f.pools {
		list = append(list, p)
	}
	f.mu.Unlock()
	for _, p := range list {
		do(p)
	}
}

// Leave stops a worker's kubelet. Its pods go on running and serving, and its node stays in the API, Ready until the controller manager
// finds the lease too old. Unknown names are ignored.
func (f *Fleet) Leave(name string) { f.each(func(p *pool) { p.leave(name) }) }

// KillPods ends everything that runs on a worker, unseen by the API server: a machine that lost power, or `k0s reset`. The pods are
// started again when the kubelet comes back and they are still bound to it.
func (f *Fleet) KillPods(name string) {
	f.each(func(p *pool) { p.kill(func(s *sandbox) bool { return s.node == name }) })
	f.retire()
}

// retire ends the pools that have nothing left to do, whose cluster may be gone.
func (f *Fleet) retire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for cluster, p := range f.pools {
		if p.joining == 0 && p.idle() {
			p.cancel()
			delete(f.pools, cluster)
		}
	}
}

// Running reports whether a worker's kubelet runs.
func (f *Fleet) Running(name string) bool {
	running := false
	f.each(func(p *pool) { running = running || p.node(name) != nil })
	return running
}

// Faults returns the faults of the worker with this name, to be set and cleared.
func (f *Fleet) Faults(name string) *Faults {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.faults[name] == nil {
		f.faults[name] = &Faults{}
	}
	return f.faults[name]
}

// pause waits, or returns ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
