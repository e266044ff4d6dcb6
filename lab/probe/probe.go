// Package probe tells whether a workload's clients noticed anything: it sends real HTTP requests to the endpoints that EndpointSlices
// call ready, as a kube-proxy would choose them, and counts the ones that fail.
package probe

import (
	"context"
	"errors"
	"time"
)

// Options say what to probe and how.
type Options struct {
	// Kubeconfig gives the credentials. Servers lists the API servers "ip:6443" to fail over between; empty means the kubeconfig's one.
	Kubeconfig []byte
	Servers    []string
	// Namespace and Service name the Service whose endpoints are asked.
	Namespace, Service string
	// Deployment, when given, has the fewest Ready pods it ever had recorded.
	Deployment string
	// Rate is requests a second (50); Timeout is of one request (1 s).
	Rate    float64
	Timeout time.Duration
}

// Failure is one request that failed.
type Failure struct {
	At time.Time `json:"at"`
	// Endpoint is "10.244.1.7:8080", Pod its pod; both empty when no endpoint was ready.
	Endpoint string `json:"endpoint,omitempty"`
	Pod      string `json:"pod,omitempty"`
	Error    string `json:"error"`
}

// Report is what was seen.
type Report struct {
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Requests int       `json:"requests"`
	Failures int       `json:"failures"`
	// Failed holds the first 1,000 failures.
	Failed []Failure `json:"failed,omitempty"`
	// MinReady is the fewest Ready pods of the Deployment, seen at MinReadyAt; -1 when it was not watched.
	MinReady   int       `json:"minReady"`
	MinReadyAt time.Time `json:"minReadyAt,omitzero"`
}

// Prober sends the requests.
type Prober struct{ opts Options }

// New checks the options.
func New(opts Options) (*Prober, error) { return nil, errors.New("not yet") }

// Run waits until the Service has a ready endpoint, then probes until ctx ends. It returns an error only when it could not begin.
func (p *Prober) Run(ctx context.Context) error { return errors.New("not yet") }

// Report may be called at any time, also while Run runs.
func (p *Prober) Report() Report { return Report{} }
