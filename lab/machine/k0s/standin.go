package k0s

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/kubelet"
	"kiban.dev/kiban/lab/machine/disk"
	"kiban.dev/kiban/lab/machine/posix"
	"kiban.dev/kiban/lab/machine/systemd"
)

// Timing is how long k0s takes for things. Zero values mean the defaults given.
type Timing struct {
	// Status is from a service's start to `k0s status` answering (700 ms).
	Status time.Duration
	// Start is from a service's start to its components being started (300 ms).
	Start time.Duration
	// Crash is how long a release that cannot run lives (700 ms).
	Crash time.Duration
	// Containerd is from a change of its files to containerd's restart (3 s).
	Containerd time.Duration
}

// Options of a machine's stand-in.
type Options struct {
	// Hostname and Address are the machine's.
	Hostname func() string
	Address  string
	Hardware posix.Hardware
	// Node is what the machine's kubelet says of it, beside what k0s is told.
	Node NodeOptions
	Disk *disk.Disk
	// Root is the disk as root sees it, with nobody listening to its changes.
	Root     disk.View
	Systemd  *systemd.Manager
	Registry *controlplane.Registry
	Fleet    *kubelet.Fleet
	// Exe is the start of a command line that runs applets.
	Exe []string
	// LogDir is a real folder for the programs' output.
	LogDir     string
	LeaseScale float64
	Timing     Timing
	Faults     *Faults
	// Light gives controllers the API of lightapi, in this process, in place of Kubernetes' programs.
	Light bool
	Log   *slog.Logger
}

// NodeOptions are what a kubelet finds out by itself.
type NodeOptions struct {
	// Zone becomes the label topology.kubernetes.io/zone, as a cloud provider or an administrator gives it; "" gives none.
	Zone string
	// Capacity and Allocatable are those of the node; what they lack is as the lab has it.
	Capacity, Allocatable corev1.ResourceList
}

// Faults are what can go wrong with k0s on command.
type Faults struct {
	mu sync.Mutex
	// crash holds versions whose service exits soon after each start; "" means every version.
	crash map[string]bool
	// serving holds versions whose controllers exit as soon as their API server has answered.
	serving map[string]bool
	// unfit holds versions whose pre-flight checks reject the machine, so that they do not start either; "" means every version.
	unfit map[string]bool
	// slow delays what a starting controller does.
	slow atomic.Int64
}

// Crash makes the services of a version exit soon after each start; "" means every version.
func (f *Faults) Crash(version string, on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crash == nil {
		f.crash = map[string]bool{}
	}
	f.crash[version] = on
}

// CrashServing makes a version's controllers exit each time that their API server has answered.
func (f *Faults) CrashServing(version string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.serving == nil {
		f.serving = map[string]bool{}
	}
	f.serving[version] = true
}

// Unfit makes a version's pre-flight checks reject the machine; "" means every version.
func (f *Faults) Unfit(version string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unfit == nil {
		f.unfit = map[string]bool{}
	}
	f.unfit[version] = true
}

func (f *Faults) isUnfit(version string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unfit[version] || f.unfit[""]
}

// SlowStart delays a controller's start by d.
func (f *Faults) SlowStart(d time.Duration) { f.slow.Store(int64(d)) }

// Clear undoes all.
func (f *Faults) Clear() {
	f.mu.Lock()
	f.crash, f.serving, f.unfit = nil, nil, nil
	f.mu.Unlock()
	f.slow.Store(0)
}

func (f *Faults) crashes(version string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.crash[version] || f.crash[""]
}

func (f *Faults) crashesServing(version string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.serving[version] || f.serving[""]
}

// StandIn is k0s on one machine.
type StandIn struct {
	opts Options

	mu      sync.Mutex
	running *running
}

// running is the service's process that is up.
type running struct {
	version   string
	role      string // controller or worker
	argv      []string
	pid       int
	unit      string
	flags     flags
	answering bool
	// log is the service's.
	log io.Writer
	// controller is set on controllers.
	controller *controlplane.Controller
	node       string
}

// New returns the stand-in of a machine on which nothing runs.
func New(o Options) *StandIn {
	if o.Timing.Status == 0 {
		o.Timing.Status = 700 * time.Millisecond
	}
	if o.Timing.Start == 0 {
		o.Timing.Start = 300 * time.Millisecond
	}
	if o.Timing.Crash == 0 {
		o.Timing.Crash = 700 * time.Millisecond
	}
	if o.Timing.Containerd == 0 {
		o.Timing.Containerd = containerdRestarts
	}
	if o.Faults == nil {
		o.Faults = &Faults{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &StandIn{opts: o}
}

// current is the process that is up, nil when none is. It is a copy.
func (k *StandIn) current() *running {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running == nil {
		return nil
	}
	r := *k.running
	return &r
}

// Controller is the controller that runs here, nil when none does.
func (k *StandIn) Controller() *controlplane.Controller {
	if r := k.current(); r != nil {
		return r.controller
	}
	return nil
}

// Status tells what runs: version, role and whether `k0s status` answers. All empty: nothing.
func (k *StandIn) Status() (version, role string, answering bool) {
	if r := k.current(); r != nil {
		return r.version, r.role, r.answering
	}
	return "", "", false
}

const defaultDataDir = "/var/lib/k0s"

// controller describes the controller of this machine, running or not, by a data folder.
func (k *StandIn) controller(version, dataDir string) *controlplane.Controller {
	if dataDir == "" {
		dataDir = defaultDataDir
	}
	return &controlplane.Controller{
		Name: strings.ToLower(k.opts.Hostname()), Addr: k.opts.Address, Root: k.opts.Disk.Real("/"), DataDir: k.opts.Disk.Real(dataDir),
		LogDir:  k.opts.LogDir,
		Version: version, Exe: k.opts.Exe, LeaseScale: k.opts.LeaseScale, Light: k.opts.Light, Registry: k.opts.Registry, Log: k.opts.Log,
	}
}

// config reads a k0s.yaml; a missing file is the default configuration, as k0s has it for its default path.
func (k *StandIn) config(path string) (controlplane.Config, error) {
	if path == "" {
		path = "/etc/k0s/k0s.yaml"
	}
	b, err := k.opts.Root.ReadFile(path)
	if os.IsNotExist(err) {
		return controlplane.Config{}, nil
	}
	if err != nil {
		return controlplane.Config{}, err
	}
	if err := Validate(b); err != nil {
		return controlplane.Config{}, err
	}
	return controlplane.ParseConfig(b)
}

// wait pauses, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
