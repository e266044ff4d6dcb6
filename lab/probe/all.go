package probe

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
)

// AllOptions say how to probe a whole cluster.
type AllOptions struct {
	// Kubeconfig and Servers are as in Options.
	Kubeconfig []byte
	Servers    []string
	// Rate is requests a second, of all Services together (200); Timeout is of one request (1 s).
	Rate    float64
	Timeout time.Duration
}

// ServiceReport is what one Service's clients saw.
type ServiceReport struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Requests  int    `json:"requests"`
	Failures  int    `json:"failures"`
	// Failed holds the first 100 failures.
	Failed []Failure `json:"failed,omitempty"`
	// Gone is when the Service was seen to be deleted; what came before counts.
	Gone time.Time `json:"gone,omitzero"`
}

// WorkloadReport is how few Ready pods a workload had.
type WorkloadReport struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Desired is how many pods it is to have, Ready how many are so; both as seen last.
	Desired int `json:"desired"`
	Ready   int `json:"ready"`
	// Fewest is how few were Ready at one time, at FewestAt. It counts from the probe's start, or from when a workload that is new was
	// whole for the first time.
	Fewest   int       `json:"fewest"`
	FewestAt time.Time `json:"fewestAt"`
}

// AllReport is what was seen of all Services and workloads, sorted by namespace and name.
type AllReport struct {
	Started   time.Time        `json:"started"`
	Ended     time.Time        `json:"ended,omitzero"`
	Requests  int              `json:"requests"`
	Failures  int              `json:"failures"`
	Services  []ServiceReport  `json:"services"`
	Workloads []WorkloadReport `json:"workloads"`
}

// keptOfService is how many failures of one Service are told one by one.
const keptOfService = 100

// All probes every Service that pods of the lab serve.
type All struct {
	opts      AllOptions
	client    kubernetes.Interface
	workloads *workloads
	services  *services

	mu      sync.Mutex
	started time.Time
	ended   time.Time
}

// NewAll checks the options.
func NewAll(opts AllOptions) (*All, error) {
	opts.Rate, opts.Timeout = cmp.Or(opts.Rate, 200), cmp.Or(opts.Timeout, time.Second)
	if opts.Rate < 0 || opts.Timeout < 0 {
		return nil, errors.New("rate and timeout must be positive")
	}
	client, err := connect(opts.Kubeconfig, opts.Servers)
	if err != nil {
		return nil, err
	}
	return &All{opts: opts, client: client, workloads: newWorkloads(), services: newServices()}, nil
}

// Run probes until ctx ends. It returns an error only when it could not begin. A Service counts from when one of its endpoints is ready for
// the first time; one that is deleted is asked no more.
func (a *All) Run(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	if err := a.watch(watching); err != nil {
		return err
	}
	a.mu.Lock()
	a.started = time.Now()
	a.mu.Unlock()
	a.workloads.begin(time.Now())
	client := &http.Client{Timeout: a.opts.Timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	steady(ctx, a.opts.Rate, func() { a.services.ask(client) })
	a.mu.Lock()
	a.ended = time.Now()
	a.mu.Unlock()
	return nil
}

// Report may be called at any time, also while Run runs.
func (a *All) Report() AllReport {
	a.mu.Lock()
	r := AllReport{Started: a.started, Ended: a.ended}
	a.mu.Unlock()
	r.Services, r.Workloads = a.services.report(), a.workloads.report()
	for _, s := range r.Services {
		r.Requests += s.Requests
		r.Failures += s.Failures
	}
	return r
}

// steady does something at a rate a second until ctx ends, at most maxInFlight times at once, and waits for those on their way.
func steady(ctx context.Context, rate float64, do func()) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	var inFlight sync.WaitGroup
	defer inFlight.Wait()
	slots := make(chan struct{}, maxInFlight)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		slots <- struct{}{}
		inFlight.Go(func() {
			defer func() { <-slots }()
			do()
		})
	}
}

// name is a namespace and a name in it.
type name struct{ namespace, name string }

func (n name) compare(o name) int {
	return cmp.Or(cmp.Compare(n.namespace, o.namespace), cmp.Compare(n.name, o.name))
}

// sortedNames are the keys of a map by namespace and name.
func sortedNames[V any](m map[name]V) []name {
	list := make([]name, 0, len(m))
	for n := range m {
		list = append(list, n)
	}
	slices.SortFunc(list, name.compare)
	return list
}
