package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/version"

	"kiban.dev/kiban/lab/controlplane"
)

// form is how a control plane runs on the data: by whose programs, and as which release they act.
type form struct {
	name    string
	newer   bool
	version string
}

// forms are the former release by its own programs, by those of the next one, which act as the former, and the next one.
func forms() (former, pinned, committed form, err error) {
	major, minor, _ := strings.Cut(version.DefaultKubeBinaryVersion, ".")
	n, err := strconv.Atoi(minor)
	if err != nil {
		return former, pinned, committed, fmt.Errorf("the lab is of Kubernetes %s: %w", version.DefaultKubeBinaryVersion, err)
	}
	was, is := fmt.Sprintf("v%s.%d.0+k0s.0", major, n-1), fmt.Sprintf("v%s.%d.0+k0s.0", major, n)
	return form{"former", false, was}, form{"next, acting as the former", true, was}, form{"next", true, is}, nil
}

// plane is one controller's data, and what runs on them. etcd is always that of the older binary: two releases that bring the same
// etcd are those between which there is a way back.
type plane struct {
	dir, addr  string
	older, lab string
	is         form

	cancel context.CancelFunc
	done   chan error
}

func (p *plane) controller() *controlplane.Controller {
	c := &controlplane.Controller{
		Name: "controller-1", Addr: p.addr, Root: p.dir, DataDir: filepath.Join(p.dir, "var/lib/k0s"), LogDir: filepath.Join(p.dir, "var/log"),
		Version: p.is.version, Exe: []string{p.older}, LeaseScale: 0.2, StopPatience: time.Second, Registry: controlplane.NewRegistry(),
	}
	if p.is.newer {
		c.Exe = []string{p.lab, "applet"}
		c.ExeOf = map[string][]string{"etcd": {p.older}}
	}
	return c
}

// patience is how long a control plane may take to be ready.
const patience = 3 * time.Minute

// start runs a form on the data, and tells how long it took to be ready.
func (p *plane) start(f form) (time.Duration, error) {
	p.is = f
	began := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan error, 1)
	c := p.controller()
	go func() { p.done <- c.Run(ctx) }()
	err := p.ready()
	return time.Since(began), err
}

// ready waits until the API server is.
func (p *plane) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := p.controller().ReadyZ(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the %s release is not ready after %s: %w", p.is.name, patience, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends what runs: in good order, or by SIGKILL to all of it.
func (p *plane) stop(kill bool) error {
	if p.cancel == nil {
		return nil
	}
	if kill {
		if err := p.kill("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"); err != nil {
			return err
		}
	}
	p.cancel()
	p.cancel = nil
	return <-p.done
}

// kill sends SIGKILL to programs of the control plane. One that is not stopped comes back by itself.
func (p *plane) kill(programs ...string) error {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, file := range all {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		line := string(b)
		for _, name := range programs {
			if strings.Contains(line, p.dir) && strings.Contains(line, "\x00"+name+"\x00") {
				pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
				if err != nil {
					return err
				}
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
					return fmt.Errorf("kill %s: %w", name, err)
				}
			}
		}
	}
	return nil
}

// config is how an administrator reaches the API.
func (p *plane) config() (*rest.Config, error) {
	doc, err := p.controller().AdminKubeconfig()
	if err != nil {
		return nil, err
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(doc)
	if err != nil {
		return nil, err
	}
	cfg.QPS, cfg.Burst, cfg.Timeout, cfg.WarningHandler = 500, 500, 20*time.Second, rest.NoWarnings{}
	return cfg, nil
}
