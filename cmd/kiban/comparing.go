package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

// comparing reads the sites that others are held against. A build of kiban takes only what it kept itself.
func (a *app) comparing(fleet string) fleets.Comparing {
	by := supply.Built().Version
	if program, err := os.Executable(); err == nil {
		if info, err := os.Stat(program); err == nil {
			by += fmt.Sprintf(" of %d bytes, %d", info.Size(), info.ModTime().UnixNano())
		}
	}
	return fleets.Comparing{Source: a.source(), Part: a.Compared, Also: []string{a.GroupsDir}, By: by, Log: a.log(),
		File: filepath.Join(session.CacheDir(fleet), "compared")}
}

// changed are the sites of a fleet whose declaration is not what it was at a revision.
func (a *app) changed(ctx context.Context, fleet, since string) (fleets.List, lifecycle.Diagnostics, error) {
	by := a.source()
	by.Reads = a.comparing(fleet).Known(fleet)
	return by.Changed(ctx, fleet, since)
}
