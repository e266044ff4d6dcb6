package main

import (
	"io/fs"
	"log/slog"

	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

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
func (a *app) store(fleet string, opts storeOptions) supply.Charts {
	opts.CacheDir, opts.Log = session.CacheDir(fleet), a.log()
	return a.OpenStore(opts)
}

// sources are where what the sites of a fleet are made of comes from.
func (a *app) sources(fleet string, opts storeOptions) supply.Sources {
	return supply.Sources{Charts: a.store(fleet, opts), Binaries: a.Binaries}
}
