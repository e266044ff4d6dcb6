package main

import (
	"fmt"
	"os"
	"path/filepath"

	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

// comparing reads the sites that others are held against. A build of kiban takes only what it kept itself.
func (a *app) comparing(fleet string) *fleets.Comparing {
	by := supply.Built().Version
	if program, err := os.Executable(); err == nil {
		if info, err := os.Stat(program); err == nil {
			by += fmt.Sprintf(" of %d bytes, %d", info.Size(), info.ModTime().UnixNano())
		}
	}
	return &fleets.Comparing{Source: a.source(), Part: a.Compared, By: by, Log: a.log(),
		File: filepath.Join(session.CacheDir(fleet), "compared")}
}
