// Package kubelet plays the kubelets of every worker of a lab in one process: it registers nodes, renews their leases, and moves pods
// through their lives. Pods that ask for it answer HTTP on a loopback address while they live.
package kubelet

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kiban.dev/kiban/lab/controlplane"
)

// Options are the lab's periods. Zero values mean the defaults given.
type Options struct {
	Registry *controlplane.Registry
	// StartDelay is from a pod's scheduling to its being Ready (300 ms).
	StartDelay time.Duration
	// TerminateDelay is how long a pod takes to end once it was asked to, at most its grace period (1 s).
	// The annotation lab.kiban.dev/terminate-after on the pod overrides it.
	TerminateDelay time.Duration
	// LeaseEvery (10 s) and StatusEvery (5 min) are the kubelet's own periods of renewing the node lease and of writing an unchanged
	// node status: the Ready condition's heartbeat is that old.
	LeaseEvery, StatusEvery time.Duration
	Log                     *slog.Logger
}

// Worker is one machine's kubelet.
type Worker struct {
	// Name is the node name; unique in the lab.
	Name string
	// Addr becomes the node's InternalIP.
	Addr string
	// DataDir is the real path of the machine's /var/lib/k0s: kubelet.conf and the node's certificate lie there.
	DataDir string
	// Version is what the machine has installed, v1.36.3+k0s.2; the node reports v1.36.3+k0s.
	Version string
	// Token is the join token; not looked at once DataDir holds kubelet.conf.
	Token string
	// Labels and Taints take effect only when the node registers for the first time, as with a real kubelet.
	Labels map[string]string
	Taints []corev1.Taint
}

// Fleet is all kubelets of a lab, of all its clusters.
type Fleet struct {
	opts Options
}

// Faults are what can go wrong with one worker on command. They may be set before it joins and outlive restarts.
type Faults struct {
	// NeverReady keeps the node's Ready condition false from the next start of its kubelet on.
	NeverReady atomic.Bool
	// HoldPods keeps pods on this worker from ending: a drain of it never finishes while set.
	HoldPods atomic.Bool
}

var errNotYet = errors.New("not yet")

// NewFleet returns a fleet without workers. ctx ends everything: kubelets, pods, listeners.
func NewFleet(ctx context.Context, opts Options) *Fleet { return &Fleet{opts: opts} }

// Join starts a worker's kubelet and returns once its node is registered. It keeps trying while the API servers do not answer, until ctx
// ends; it returns an error at once for a token or certificate that the cluster refuses. A worker that is already running is an error.
func (f *Fleet) Join(ctx context.Context, w Worker) error { return errNotYet }

// Leave stops a worker's kubelet. Its pods go on running and serving, and its node stays in the API, Ready until the controller manager
// finds the lease too old. Unknown names are ignored.
func (f *Fleet) Leave(name string) {}

// KillPods ends everything that runs on a worker, unseen by the API server: a machine that lost power, or `k0s reset`. The pods are
// started again when the kubelet comes back and they are still bound to it.
func (f *Fleet) KillPods(name string) {}

// Running reports whether a worker's kubelet runs.
func (f *Fleet) Running(name string) bool { return false }

// Faults returns the faults of the worker with this name, to be set and cleared.
func (f *Fleet) Faults(name string) *Faults { return &Faults{} }
