// Package controlplane runs what a k0s controller runs: a certificate authority, a real etcd member, kube-apiserver,
// kube-controller-manager and kube-scheduler, each a process of its own, and the join API that lets further controllers in.
// All its state lies in DataDir, as k0s has it, so that backup, restore and reset mean what they say.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
)

// Controller is one k0s controller. Its methods other than Run need no running Run in this process: like `k0s token create`, they
// go by the files in DataDir and talk to the servers at Addr.
type Controller struct {
	// Name is the host name, and the name of the etcd member.
	Name string
	// Addr is the machine's address, on which everything listens.
	Addr string
	// Root is the real path of the machine's root folder: files that Config names, such as an audit policy, are looked up below it.
	Root string
	// DataDir and LogDir are the real paths of the machine's /var/lib/k0s and of where the programs' output goes.
	DataDir, LogDir string
	// Version is what the machine has installed: v1.36.3+k0s.2.
	Version string
	// Exe is the start of a command line that runs applets: {"/path/kiban-lab", "applet"}.
	Exe []string
	// ExeOf are command lines of single programs, by name, that others than Exe run. May be nil.
	ExeOf map[string][]string
	// Readable says why the API server, which does not run as root on a machine, may not read a file of it. May be nil.
	Readable func(path string) error
	// JoinToken makes a new controller a member of an existing cluster. It is not looked at once DataDir holds an etcd member.
	JoinToken string
	Config    Config
	// LeaseScale shortens (below 1) the leader election periods of kube-controller-manager and kube-scheduler, which are upstream's
	// 15 s, 10 s and 2 s. Zero means 1.
	LeaseScale float64
	// StopPatience is how long a program may take to stop before it is killed; zero means 5 s, k0s's own. An API server that somebody
	// watches takes all of it.
	StopPatience time.Duration
	// Light has the API of lightapi serve the cluster, inside this process, in place of etcd, API server, controller manager and
	// scheduler.
	Light bool
	// Registry is where a running controller makes itself known to the simulated kubelets of this lab. May be nil.
	Registry *Registry
	// Supervised is told of each program that is started, as k0s's log names it. May be nil.
	Supervised func(program string)
	// Log may be nil.
	Log *slog.Logger
}

// Run brings the controller up and keeps it up until ctx ends; then it stops its programs in reverse order and returns when all of them
// are gone. It returns early with an error only when the controller cannot be: a join token that is refused, a DataDir that cannot be
// written. A program that exits is started again after a second, for ever, as k0s does.
func (c *Controller) Run(ctx context.Context) error {
	var stops []func()
	defer func() {
		for i := len(stops) - 1; i >= 0; i-- {
			stops[i]()
		}
	}()
	err := c.up(ctx, func(stop func()) { stops = append(stops, stop) })
	if ctx.Err() != nil {
		return nil // told to stop while starting
	}
	if err != nil {
		return fmt.Errorf("controller %s: %w", c.Name, err)
	}
	<-ctx.Done()
	return nil
}

// up starts everything in order. onStop is given what undoes each thing that was started.
func (c *Controller) up(ctx context.Context, onStop func(func())) error {
	start := func(name string, stop syscall.Signal, args []string) {
		if c.Supervised != nil {
			c.Supervised(name)
		}
		p := c.program(name, stop, args)
		p.start()
		onStop(p.end)
	}
	if c.Light && c.JoinToken != "" {
		return errLightJoins
	}
	initialCluster, err := c.membership(ctx)
	if err != nil {
		return err
	}
	if err := c.certify(); err != nil {
		return err
	}
	log := c.logger()
	log.Info("starting", "version", c.Version)
	if c.Light {
		return c.upLight(onStop)
	}
	start("etcd", syscall.SIGTERM, c.etcdArgs(initialCluster))
	if err := c.etcdWhole(ctx); err != nil {
		return err
	}
	log.Info("etcd is up")
	stopProxy, err := c.serveKonnectivity()
	if err != nil {
		return err
	}
	onStop(stopProxy)
	start("kube-apiserver", syscall.SIGTERM, flags(c.apiServerArgs()))
	leave, err := c.register()
	if err != nil {
		return err
	}
	onStop(leave)
	if err := c.apiUp(ctx); err != nil {
		return err
	}
	log.Info("the API server is up")
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := c.applyManifests(ctx, client); err != nil {
		return err
	}
	// When k0s stops, neither of these gives its lease back: their successors wait until it has run out. Told to end in good order the
	// scheduler would give it back.
	start("kube-controller-manager", syscall.SIGKILL, flags(c.controllerManagerArgs()))
	start("kube-scheduler", syscall.SIGKILL, flags(c.schedulerArgs()))
	stopJoin, err := c.serveJoin(client)
	if err != nil {
		return err
	}
	onStop(stopJoin)
	return nil
}

// membership makes sure that this controller belongs to a cluster: the one in DataDir, the one that its token is for, or a new one.
func (c *Controller) membership(ctx context.Context) (initialCluster string, err error) {
	switch {
	case c.initialized() && (c.Light || c.etcdStarted()):
		return "", nil
	case c.JoinToken != "":
		return c.join(ctx)
	case c.initialized():
		return "", nil
	}
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return "", err
	}
	return "", c.found()
}

// register makes this API server known to the lab's kubelets.
func (c *Controller) register() (leave func(), err error) {
	ca, err := c.authority("")
	if err != nil {
		return nil, err
	}
	own, err := ca.issue(subject{name: "lab-kubelets", groups: []string{"system:masters"}}, certificateLife)
	if err != nil {
		return nil, err
	}
	server := fmt.Sprintf("%s:%d", c.Addr, c.Config.apiPort())
	return c.Registry.enter(ca.cert, kubeconfig(c.apiURL(), ca.cert, "lab-kubelets", own), server), nil
}

// apiUp waits until the API server is ready.
func (c *Controller) apiUp(ctx context.Context) error {
	cfg, err := c.rest()
	if err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return err
	}
	for {
		err := readyz(ctx, client, cfg.Host)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *Controller) logger() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log.With("controller", c.Name)
}
