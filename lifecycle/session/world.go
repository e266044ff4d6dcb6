package session

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
	"kiban.dev/kiban/lifecycle/helm"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/kube"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/supply"
	"kiban.dev/kiban/lifecycle/tenant"
)

// world is what is really there: SSH to the machines, and the Kubernetes API as soon as there is one.
type world struct {
	site     lifecycle.Site
	machines machines
	api      *kube.Client
	units    *addons.Engine
	glance   bool // units are only waited for
	fleet    string
	log      *slog.Logger

	mu   sync.Mutex
	hand *Run // the run in hand; nil outside of one
}

func openWorld(site lifecycle.Site, opts Options) (*world, error) {
	w := &world{site: site, log: opts.Log, glance: opts.Glance, fleet: opts.Fleet}
	secrets := secrets{site: site, getenv: opts.Getenv}
	cache := CacheDir(opts.Fleet)
	charts, binaries := helm.StoreOptions{CacheDir: cache, Log: opts.Log}, cache
	if opts.Bundle != nil {
		charts.Offline, charts.Bundle, binaries = true, opts.Bundle.FS(), filepath.Join(opts.Bundle.Dir, supply.K0sDir)
	}
	if err := w.reach(opts, binaries, secrets); err != nil {
		return nil, err
	}
	w.api = kube.New(w.machines.credentials, servers(site), apiOptions(site, w.machines, opts.Log))
	store := helm.NewStore(charts)
	w.units = addons.New(site, addons.Deps{
		Charts:      store,
		Releases:    helm.Releases(helm.Cluster{Config: w.api.RESTConfig, Log: opts.Log}, store),
		Objects:     w.api,
		Inventories: w.api,
		Cluster:     w.api,
		Tenants:     tenant.Objects,
		Secret:      secrets.Find,
	})
	return w, nil
}

// reach makes ready to talk to the machines; binaries is the folder that theirs are fetched into.
func (w *world) reach(opts Options, binaries string, secrets secrets) error {
	if w.site.Provider == lifecycle.ProviderExternal {
		w.machines = elsewhere(func() ([]byte, error) { return secrets.kubeconfig(w.site) })
		return nil
	}
	k := k0s.Options{Log: opts.Log, Epoch: w.epoch, Audit: w.audit, CacheDir: binaries, Offline: opts.Bundle != nil, KeepBackup: w.keepBackup}
	if opts.Restore != nil {
		k.Restore = &k0s.Archive{Digest: opts.Restore.Digest, Open: opts.Restore.Reader}
	}
	s, err := k0s.Open(w.site, k)
	if err != nil {
		return err
	}
	w.machines = overSSH(s)
	return nil
}

// servers are the API servers of the site's controllers.
func servers(site lifecycle.Site) []kube.Server {
	var out []kube.Server
	for _, h := range site.Cluster.Hosts {
		if !h.Role.IsController() {
			continue // one that is to be removed serves, and counts for quorum, until it has left
		}
		address := h.Address
		if site.API.ViaSSH {
			address = h.ClusterAddress() // dialled from the controller itself
		}
		out = append(out, kube.Server{Host: h.Name, Address: net.JoinHostPort(address, fmt.Sprint(apiPort(h)))})
	}
	return out
}

// apiOptions say how the API is reached.
func apiOptions(site lifecycle.Site, m machines, log *slog.Logger) kube.Options {
	opts := kube.Options{Endpoint: site.API.Endpoint, Context: site.API.Context, Plugins: site.Fleet.ExecPlugins, Log: log}
	if site.API.ViaSSH {
		opts.Endpoint, opts.Dial = "", m.dial
	}
	return opts
}

func (w *world) Observe(ctx context.Context) (lifecycle.State, error) {
	if w.glance {
		return w.look(ctx, addons.Glance{Engine: w.units})
	}
	return w.look(ctx, w.units)
}

func (w *world) look(ctx context.Context, units observe.Units) (lifecycle.State, error) {
	api := func(with lifecycle.Credentials) (observe.API, error) { return w.api, w.api.Connect(with) }
	return observe.Observe(ctx, w.site, w.machines.facts, api, units)
}

func (w *world) Credentials(ctx context.Context) (lifecycle.Credentials, error) {
	return w.machines.credentials(ctx)
}

func (w *world) Close() error {
	w.api.Close()
	return w.machines.close()
}

// take says which run is in hand from now on; nil: none.
func (w *world) take(run *Run) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hand = run
}

// epoch is that of the lock that the run in hand holds; 0 for one that needs none.
func (w *world) epoch() int {
	w.mu.Lock()
	hand := w.hand
	w.mu.Unlock()
	if hand == nil || hand.Fence == nil {
		return 0
	}
	return hand.Fence.Epoch()
}

// audit records a command of a step. What can't be recorded is not done, as with the journal.
func (w *world) audit(cmd k0s.Command) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hand == nil || w.hand.Commands == nil {
		return nil
	}
	line := struct {
		Time    time.Time `json:"time"`
		Step    string    `json:"step"`
		Host    string    `json:"host"`
		Command string    `json:"command"`
	}{cmd.Time, cmd.Step, cmd.Host, cmd.Command}
	return json.NewEncoder(w.hand.Commands).Encode(line)
}

// keepBackup keeps a backup where the run in hand wants it.
func (w *world) keepBackup(
	ctx context.Context, of lifecycle.ToKeep, take func(io.Writer) error, progress func(string),
) (string, error) {
	w.mu.Lock()
	hand := w.hand
	w.mu.Unlock()
	return hand.KeepBackup(ctx, of, take, progress)
}

// ownCluster is the client for a cluster that nothing says to be another site's.
func (w *world) ownCluster(ctx context.Context) (*kube.Client, error) {
	uid, marked, err := w.api.Identity(ctx)
	if err != nil {
		return nil, err
	}
	if d, other := w.site.OtherCluster(uid, marked); other {
		return nil, d
	}
	return w.api, nil
}

// otherCluster finds that the cluster is another site's. One that does not tell is not known to be.
func (w *world) otherCluster(ctx context.Context) (d lifecycle.Diagnostic, other bool) {
	ctx, cancel := lifecycle.Within(ctx, recordLimit, "no answer")
	defer cancel()
	uid, marked, err := w.api.Identity(ctx)
	if err != nil {
		return d, false
	}
	return w.site.OtherCluster(uid, marked)
}
