// Package kubelet plays the kubelets of every worker of a lab in one process: it registers nodes, renews their leases, and moves pods
// through their lives. Pods that ask for it answer HTTP on a loopback address while they live.
package kubelet

import (
	"log/slog"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kiban.dev/kiban/lab/controlplane"
)

// Annotations on pods that the lab heeds.
const (
	// AnnotationServe makes a pod answer HTTP: "true" on each of its declared TCP ports, "8080,9090" on those. It listens on its address with
	// 127.244. for 10.244., one on the network of its machine on that of the machine, and on port + 50000 where only root may take one.
	AnnotationServe = "lab.kiban.dev/serve"
	// AnnotationDrain is for how many seconds a serving pod goes on answering once it was asked to end ("2"), as one with a preStop hook
	// does.
	AnnotationDrain = "lab.kiban.dev/drain-seconds"
	// AnnotationTerminateAfter is how long the pod takes to end ("20s"), at most its grace period.
	AnnotationTerminateAfter = "lab.kiban.dev/terminate-after"
)

// defaultDrain outlives EndpointSlices that are a second late, and does not outlive those of a controller manager that waits for its lease.
const defaultDrain = 2 * time.Second

// Options are the lab's periods. Zero values mean the defaults given.
type Options struct {
	Registry *controlplane.Registry
	// StartDelay is from a pod's scheduling to its being Ready (300 ms).
	StartDelay time.Duration
	// TerminateDelay is how long a pod takes to end once it was asked to, at most its grace period (1 s).
	TerminateDelay time.Duration
	// LeaseEvery (10 s) and StatusEvery (5 min) are the kubelet's own periods of renewing the node lease and of writing an unchanged
	// node status: the Ready condition's heartbeat is that old.
	LeaseEvery, StatusEvery time.Duration
	Log                     *slog.Logger
}

func (o Options) defaults() Options {
	orElse := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	orElse(&o.StartDelay, 300*time.Millisecond)
	orElse(&o.TerminateDelay, time.Second)
	orElse(&o.LeaseEvery, 10*time.Second)
	orElse(&o.StatusEvery, 5*time.Minute)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
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
	// Labels and Taints take effect only when the node registers for the first time, as with a real kubelet. The role labels
	// (node-role.kubernetes.io/...), which a kubelet may not give itself, are put on afterwards, as k0s's own controller does.
	Labels map[string]string
	Taints []corev1.Taint
	// Arch is the machine's architecture as Go has it (amd64).
	Arch string
	// Capacity and Allocatable are what there is, and what pods may have of it. What Capacity lacks is 16 processors, 64 GiB, 100 GiB of disk
	// and 110 pods; what Allocatable lacks is as in Capacity.
	Capacity, Allocatable corev1.ResourceList
}

// Faults are what can go wrong with one worker on command. They may be set before it joins and outlive restarts.
type Faults struct {
	// NeverReady keeps the node's Ready condition false from the next start of its kubelet on.
	NeverReady atomic.Bool
	// NeverReadyVersion, unless nil or empty, confines NeverReady to kubelets of that version: v1.36.3+k0s.2.
	NeverReadyVersion atomic.Pointer[string]
	// HoldPods keeps pods on this worker from ending: a drain of it never finishes while set.
	HoldPods atomic.Bool
	// RuntimeDown says that the node's container runtime has ended: no pod starts or ends there, and the node is not Ready. What runs goes
	// on.
	RuntimeDown atomic.Bool
}

// ready reports whether a kubelet of that version becomes Ready.
func (f *Faults) ready(version string) bool {
	only := f.NeverReadyVersion.Load()
	return !f.NeverReady.Load() || only != nil && *only != "" && *only != version
}
