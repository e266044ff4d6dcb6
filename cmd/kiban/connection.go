package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/addons"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/check"
	"kiban.dev/kiban/lifecycle/helm"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/kube"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/supply"
	"kiban.dev/kiban/lifecycle/tenant"
)

// siteConnection is the real connection: SSH to the machines, and the Kubernetes API as soon as there is one.
type siteConnection struct {
	site    lifecycle.Site
	session machines
	store   *helm.Store
	units   *addons.Engine
	glance  bool // units are only waited for
	api     *kube.Client
	log     *slog.Logger

	mu       sync.Mutex
	commands io.Writer // nil outside of a run
	seen     lifecycle.State
	fence    *lock.Fence // nil while the lock is not held
}

func connect(site lifecycle.Site, opts connectOptions) (connection, error) {
	c := &siteConnection{site: site, log: opts.Log, glance: opts.Glance}
	cache := filepath.Join(opts.StateDir, "cache")
	secrets := secrets{dir: site.Dir, getenv: opts.Getenv}
	charts := helm.StoreOptions{CacheDir: cache, Log: opts.Log}
	binaries := cache
	if opts.Bundle != nil {
		charts.Offline, charts.Bundle, binaries = true, opts.Bundle.FS(), filepath.Join(opts.Bundle.Dir, supply.K0sDir)
	}
	c.store = helm.NewStore(charts)
	c.api = kube.New(c.Kubeconfig, c.servers(), c.apiOptions())
	releases := helm.Releases(helm.Cluster{Config: c.api.RESTConfig, Log: c.log}, c.store)
	c.units = addons.New(site, addons.Deps{
		Charts: c.store, Releases: releases, Objects: c.api, Inventories: c.api, Cluster: c.api, Tenants: tenant.Objects, Secret: secrets.Find,
	})
	if site.Provider == lifecycle.ProviderExternal {
		c.session = externalMachines{func() ([]byte, error) { return secrets.kubeconfig(site) }}
		return c, nil
	}
	var archive *k0s.Archive
	if opts.Restore != nil {
		archive = &k0s.Archive{Digest: opts.Restore.Digest, Open: opts.Restore.Reader}
	}
	session, err := k0s.Open(site, k0s.Options{
		Log:        opts.Log,
		Audit:      c.audit,
		CacheDir:   binaries,
		Offline:    opts.Bundle != nil,
		KeepBackup: opts.KeepBackup,
		Restore:    archive,
	})
	if err != nil {
		return nil, err
	}
	c.session = sshMachines{session}
	return c, nil
}

// sshMachines are a site's machines.
type sshMachines struct{ *k0s.Session }

func (m sshMachines) Lock(host string) lock.Place { return m.HostLock(host) }

// record says where commands are recorded from now on; nil: nowhere.
func (c *siteConnection) record(commands io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commands = commands
}

// audit records a command of a step.
func (c *siteConnection) audit(cmd k0s.Command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.commands == nil {
		return
	}
	line := struct {
		Time    time.Time `json:"time"`
		Step    string    `json:"step"`
		Host    string    `json:"host"`
		Command string    `json:"command"`
	}{cmd.Time, cmd.Step, cmd.Host, cmd.Command}
	if err := json.NewEncoder(c.commands).Encode(line); err != nil {
		c.log.Error("a command could not be recorded", "host", cmd.Host, "step", cmd.Step, "error", err)
	}
}

func (c *siteConnection) Observe(ctx context.Context) (lifecycle.State, error) {
	var units observe.Units = c.units
	if c.glance {
		units = addons.Glance{Engine: c.units}
	}
	state, err := c.look(ctx, units)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = state
	return state, err
}

func (c *siteConnection) look(ctx context.Context, units observe.Units) (lifecycle.State, error) {
	return observe.Observe(ctx, c.site, c.session, func(kubeconfig []byte) (observe.API, error) { return c.api, c.api.Connect(kubeconfig) }, units)
}

func (c *siteConnection) Kubeconfig(ctx context.Context) ([]byte, error) {
	return c.session.Kubeconfig(ctx)
}

func (c *siteConnection) Apply(ctx context.Context, plan lifecycle.Plan, run applyRun) error {
	c.record(run.Commands)
	defer c.record(nil)
	fence, unlock, err := c.locked(ctx, plan, run)
	if err != nil {
		return err
	}
	defer unlock()
	c.mu.Lock()
	seen := c.seen
	c.mu.Unlock()
	gates := check.New(c.site, c.session, c.api, c.api, time.Now)
	units := c.units.During(run.ID)
	gates.Watch(units)
	gates.Baseline(seen) // what was wrong before is not the run's to wait for
	record := newRecorder(ctx, plan, run)
	if err := record.begin(c.site, seen, plan, run); err != nil {
		return unrecordable(c.site, err)
	}
	if plan.ClusterUID != "" { // before there is a cluster, nothing can keep it
		record.keepFrom(ctx, c.api.RecordRun)
	}
	defer record.keep(ctx, c.api.RecordRun)
	defer c.mark(ctx, plan, record)
	deps := apply.Deps{
		Machines: attended{c.session, run.WorkDone},
		Logs:     c.session,
		Nodes:    c.api,
		Units:    units,
		Gates:    gates,
		Sink:     record.Sink,
		RunID:    run.ID,
		Stop:     run.Stop,
	}
	if fence != nil {
		deps.Fence, deps.Lost = fence.Check, fence.Lost()
	}
	if err := apply.Run(ctx, c.site, plan, deps); err != nil {
		return err
	}
	c.soaked(ctx, plan, record)
	return nil
}

func (c *siteConnection) Runs(ctx context.Context) ([]lifecycle.RunRecord, error) {
	return c.api.Runs(ctx)
}

func (c *siteConnection) Close() error {
	c.api.Close()
	return c.session.Close()
}

// servers are the API servers of the site's controllers.
func (c *siteConnection) servers() []kube.Server {
	var out []kube.Server
	for _, h := range c.site.Cluster.Hosts {
		if !h.Role.IsController() {
			continue // one that is to be removed serves, and counts for quorum, until it has left
		}
		address := h.Address
		if c.site.API.ViaSSH {
			address = h.ClusterAddress() // dialled from the controller itself
		}
		out = append(out, kube.Server{Host: h.Name, Address: net.JoinHostPort(address, fmt.Sprint(apiPort(h)))})
	}
	return out
}

// apiOptions say how the API is reached.
func (c *siteConnection) apiOptions() kube.Options {
	opts := kube.Options{Endpoint: c.site.API.Endpoint, Context: c.site.API.Context, Log: c.log}
	if c.site.API.ViaSSH {
		opts.Endpoint = ""
		opts.Dial = func(ctx context.Context, host, network, addr string) (net.Conn, error) {
			return c.session.Dial(ctx, host, network, addr)
		}
	}
	return opts
}

// ownCluster is the client for a cluster that nothing says to be another site's.
func (c *siteConnection) ownCluster(ctx context.Context) (*kube.Client, error) {
	uid, marked, err := c.api.Identity(ctx)
	if err != nil {
		return nil, err
	}
	if d, other := c.site.OtherCluster(uid, marked); other {
		return nil, d
	}
	return c.api, nil
}
