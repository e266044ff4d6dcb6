// Package probe tells whether a workload's clients noticed anything: it sends real HTTP requests to the endpoints that EndpointSlices
// call ready, as a kube-proxy would choose them, and counts the ones that fail.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"kiban.dev/kiban/lab/kubelet"
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

const (
	keptFailures = 1000
	// maxInFlight bounds the requests that wait for an answer at one time.
	maxInFlight = 1000
)

// Prober sends the requests.
type Prober struct {
	opts   Options
	client kubernetes.Interface

	mu        sync.Mutex
	endpoints []endpoint
	turn      int
	report    Report
}

// endpoint is one that may be asked.
type endpoint struct{ address, pod string }

// New checks the options.
func New(opts Options) (*Prober, error) {
	if opts.Namespace == "" || opts.Service == "" {
		return nil, errors.New("a namespace and a service are needed")
	}
	if opts.Rate == 0 {
		opts.Rate = 50
	}
	if opts.Timeout == 0 {
		opts.Timeout = time.Second
	}
	if opts.Rate < 0 || opts.Timeout < 0 {
		return nil, errors.New("rate and timeout must be positive")
	}
	client, err := connect(opts.Kubeconfig, opts.Servers)
	if err != nil {
		return nil, err
	}
	return &Prober{opts: opts, client: client, report: Report{MinReady: -1}}, nil
}

// Run waits until the Service has a ready endpoint, then probes until ctx ends. It returns an error only when it could not begin.
func (p *Prober) Run(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	if err := p.watch(watching); err != nil {
		return err
	}
	if err := p.firstEndpoint(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	p.report.Started = time.Now()
	p.mu.Unlock()
	p.probe(ctx)
	p.mu.Lock()
	p.report.Ended = time.Now()
	p.mu.Unlock()
	return nil
}

// Report may be called at any time, also while Run runs.
func (p *Prober) Report() Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.report
	r.Failed = append([]Failure(nil), p.report.Failed...)
	return r
}

func (p *Prober) firstEndpoint(ctx context.Context) error {
	for {
		if _, ok := p.next(); ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("service %s/%s never had a ready endpoint: %w", p.opts.Namespace, p.opts.Service, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// probe sends requests at the rate until ctx ends, then waits for those on their way.
func (p *Prober) probe(ctx context.Context) {
	client := &http.Client{Timeout: p.opts.Timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	steady(ctx, p.opts.Rate, func() { p.ask(client) })
}

// ask sends one request to the endpoint whose turn it is and notes how it went.
func (p *Prober) ask(client *http.Client) {
	at := time.Now()
	e, ok := p.next()
	err := errors.New("no endpoint is ready")
	if ok {
		err = request(client, e)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.Requests++
	if err == nil {
		return
	}
	p.report.Failures++
	if len(p.report.Failed) < keptFailures {
		p.report.Failed = append(p.report.Failed, Failure{At: at, Endpoint: e.address, Pod: e.pod, Error: err.Error()})
	}
}

func request(client *http.Client, e endpoint) error {
	host, text, err := net.SplitHostPort(e.address)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	answer, err := client.Get("http://" + kubelet.ListeningAt(host, port) + "/")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	if pod := answer.Header.Get(kubelet.PodHeader); pod != e.pod {
		return fmt.Errorf("pod %s answered", strconv.Quote(pod))
	}
	return nil
}

// next takes the ready endpoints in turn.
func (p *Prober) next() (endpoint, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.endpoints) == 0 {
		return endpoint{}, false
	}
	p.turn = (p.turn + 1) % len(p.endpoints)
	return p.endpoints[p.turn], true
}
