package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

// addBundle gives a verb the flag that takes binaries, charts and manifests from a bundle.
func addBundle(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "bundle", "",
		"take k0s, charts and manifests from this file, made by kiban bundle, and ask no network for them")
}

// openBundle makes a bundle ready, after it was held against the site's lock file. No file is no bundle.
func (a *app) openBundle(file string, site lifecycle.Site, fleet string) (*supply.Bundle, error) {
	if file == "" {
		return nil, nil
	}
	return supply.OpenBundle(file, filepath.Join(session.CacheDir(fleet), "bundles"), site)
}
