package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/scaffold"
	"kiban.dev/kiban/lifecycle/supply"
)

type initOptions struct {
	app       *app
	Dir, Site string
	// Image is where the pipeline finds kiban's images.
	Image string
}

func newInit(a *app, runF func(context.Context, *initOptions) error) *cobra.Command {
	opts := &initOptions{app: a}
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make the repository of a new fleet, with one site to start from",
		Long: `Make the repository of a new fleet in DIR, or here: clusters/base with the schema by which hosts merge, one overlay with made-up
machines to put your own in place of, GitLab's pipeline, and what Renovate proposes to whom. It validates at once. Nothing is overwritten:
files that are in the way are named, and then nothing is written.

The pipeline is that of the project of GitLab whose registry --image names, in the version of this kiban.`,
		Example: "  kiban init fleet --site tokyo-staging\n  kiban init fleet --image registry.example.com/platform/kiban",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(cmd, fmt.Sprintf("one folder at a time, not %d", len(args)))
			}
			if opts.Dir = "."; len(args) == 1 {
				opts.Dir = args[0]
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return initRun(opts)
		},
	}
	cmd.Flags().StringVar(&opts.Site, "site", "first", "the first site's name")
	cmd.Flags().StringVar(&opts.Image, "image", "registry.example.com/platform/kiban",
		"the repository of kiban's images, in your GitLab's registry")
	return cmd
}

func initRun(opts *initOptions) error {
	if _, err := scaffold.FreeOverlay(opts.Dir, opts.Site); err != nil {
		return err
	}
	tool := scaffold.Tool{Image: opts.Image, Version: scaffold.ReleaseOf(supply.Built().Version)}
	files, err := scaffold.Fleet(scaffold.Example(opts.Site), tool)
	if err != nil {
		return err
	}
	if err := scaffold.WriteFleet(opts.Dir, files); err != nil {
		return err
	}
	where, there := opts.Dir, "then, in "+opts.Dir+":"
	if filepath.Clean(where) == "." {
		where, there = "This folder", "then:"
	}
	return opts.app.result(fmt.Sprintf("%s holds a fleet of one site now, %s.\n"+
		"Next: put your machines into %s, %s kiban validate.\n"+
		"A cluster that k0sctl made becomes a site by: kiban import k0sctl.yaml\nREADME.md says what its pipeline needs.",
		where, opts.Site, filepath.Join(opts.Dir, "overlays", opts.Site, "cluster.yaml"), there))
}
