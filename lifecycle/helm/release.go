package helm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"helm.sh/helm/v4/pkg/action"
	rcommon "helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/client-go/rest"

	"kiban.dev/kiban/lifecycle"
)

// history is how many revisions of a release are kept, as `helm upgrade` does.
const history = 10

// Cluster is where releases are.
type Cluster struct {
	// Config says how the API is reached. It is asked anew for each operation, because a plan that sets a cluster up begins before there is
	// one.
	Config func(ctx context.Context) (*rest.Config, error)
	Log    *slog.Logger
}

// Client reads and changes the Helm releases of one cluster. Whoever changes a release holds the site's lock, so an operation that the
// records call pending is one that was cut off.
type Client struct {
	store *Store
	// open makes the SDK's configuration for one operation on the releases of a namespace.
	open func(ctx context.Context, namespace string) (*action.Configuration, error)
	// pause is how long the first retry of an operation waits.
	pause time.Duration
	log   *slog.Logger
}

// Releases makes a client. Nothing is asked yet.
func Releases(cluster Cluster, store *Store) *Client {
	log := cluster.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Client{store: store, pause: 2 * time.Second, log: log}
	c.open = func(ctx context.Context, namespace string) (*action.Configuration, error) {
		config, err := cluster.Config(ctx)
		if err != nil {
			return nil, err
		}
		cfg, err := connect(ctx, config, namespace, log)
		if err != nil {
			return nil, fmt.Errorf("Helm: %w", err)
		}
		return cfg, nil
	}
	return c
}

// actions is the SDK's configuration, fit for a change: what must stay is kept, and nothing is printed.
func (c *Client) actions(ctx context.Context, namespace string) (*action.Configuration, error) {
	cfg, err := c.open(ctx, namespace)
	if err != nil {
		return nil, err
	}
	if client, ok := cfg.KubeClient.(kubeClient); ok {
		cfg.KubeClient = keeper{client}
	}
	cfg.HookOutputFunc = func(_, _, _ string) io.Writer { return io.Discard } // logs of hooks may hold secrets
	return cfg, nil
}

// Release says what the cluster has of a release; a zero Release when there is none.
func (c *Client) Release(ctx context.Context, namespace, name string) (lifecycle.Release, error) {
	cfg, err := c.open(ctx, namespace)
	if err != nil {
		return lifecycle.Release{}, err
	}
	all, err := revisions(cfg, name)
	if err != nil || len(all) == 0 {
		return lifecycle.Release{}, err
	}
	last := all[0]
	if last.Info.Status == rcommon.StatusUninstalled {
		return lifecycle.Release{}, nil // only its history is there
	}
	out := lifecycle.Release{Name: last.Name, Namespace: last.Namespace, Revision: last.Version, Status: last.Info.Status.String()}
	if last.Chart != nil && last.Chart.Metadata != nil {
		out.Chart, out.Version = last.Chart.Metadata.Name, last.Chart.Metadata.Version
		out.KubeVersion, out.AppVersion = said(last.Chart.Metadata.KubeVersion), said(last.Chart.Metadata.AppVersion)
	}
	if former := former(all); former != nil {
		out.Former = former.Version
	}
	for _, doc := range documents([]byte(last.Manifest)) {
		objects, err := decode(doc, "release "+name)
		if err != nil {
			return lifecycle.Release{}, fmt.Errorf("release %s/%s, revision %d: %w", namespace, name, last.Version, err)
		}
		for _, o := range objects {
			out.Objects = append(out.Objects, o.ObjectRef)
		}
	}
	hooks, err := hooksOf(last.Hooks, namespace, "release "+name)
	if err != nil {
		return lifecycle.Release{}, fmt.Errorf("release %s/%s, revision %d: %w", namespace, name, last.Version, err)
	}
	for _, h := range hooks {
		out.Hooks = append(out.Hooks, lifecycle.Hook{ObjectRef: h.ObjectRef, When: h.when})
	}
	return out, nil
}

// revisions are a release's records, the newest first; none when there is no such release.
func revisions(cfg *action.Configuration, name string) ([]*release.Release, error) {
	records, err := cfg.Releases.History(name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Helm's records of release %s: %w", name, err)
	}
	var out []*release.Release
	for _, r := range records {
		rel, ok := r.(*release.Release)
		if !ok || rel.Info == nil {
			return nil, lifecycle.Errorf(name, "Helm's record of release %s cannot be read", name).
				Because(fmt.Sprintf("it is of a form that is not known here: %T", r)).
				Try("A newer Helm wrote it: use a newer kiban")
		}
		out = append(out, rel)
	}
	slices.SortFunc(out, func(a, b *release.Release) int { return b.Version - a.Version })
	return out, nil
}

// former is the newest revision before the last that was whole, nil when there is none.
func former(all []*release.Release) *release.Release {
	for _, r := range all[1:] {
		if s := r.Info.Status; s == rcommon.StatusDeployed || s == rcommon.StatusSuperseded {
			return r
		}
	}
	return nil
}
