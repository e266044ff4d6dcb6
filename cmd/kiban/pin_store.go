package main

import (
	"context"
	"io/fs"
	"log/slog"

	"kiban.dev/kiban/lifecycle"
)

// chartStore is where charts and manifests come from.
type chartStore interface {
	// Chart and Manifest give a file's digest, and the files by name that a bundle keeps so that a store finds it there.
	Chart(ctx context.Context, dir string, c lifecycle.Chart, pins *lifecycle.Pins) (digest string, files map[string][]byte, err error)
	Manifest(ctx context.Context, dir, url string, pins *lifecycle.Pins) (digest string, files map[string][]byte, err error)
	// Render says what an addon is, without a cluster.
	Render(ctx context.Context, site lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities) (lifecycle.Rendering, error)
}

// storeOptions are a verb's choices.
type storeOptions struct {
	// CacheDir is where fetched files are kept.
	CacheDir string
	// Offline asks no network; Refresh asks the sources again for what no pin names.
	Offline, Refresh bool
	// Bundle, when it is not nil, is looked at before the cache.
	Bundle fs.FS
	Log    *slog.Logger
}

// store opens the store of a fleet.
func (a *app) store(fleet string, opts storeOptions) chartStore {
	opts.CacheDir, opts.Log = cacheDir(fleet), a.log()
	return a.OpenStore(opts)
}

// capabilities are those of the Kubernetes version that a site declares; what an external one runs is not declared.
func capabilities(site lifecycle.Site) lifecycle.Capabilities {
	if site.Cluster.Version.IsZero() {
		return lifecycle.Capabilities{}
	}
	return lifecycle.Capabilities{Kubernetes: site.Cluster.Version.Kubernetes()}
}
