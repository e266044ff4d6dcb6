package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/scaffold"
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
		Example: "  kiban init fleet --site tokyo-staging --image registry.example.com/platform/kiban && cd fleet && git init",
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
	files, err := scaffold.Fleet(scaffold.Example(opts.Site), scaffold.Tool{Image: opts.Image, Version: releaseOf(buildInfo().Version)})
	if err != nil {
		return err
	}
	var inTheWay []string
	for _, f := range files {
		_, err := os.Lstat(filepath.Join(opts.Dir, filepath.FromSlash(f.Path)))
		if err == nil {
			inTheWay = append(inTheWay, f.Path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(inTheWay) > 0 {
		return lifecycle.Errorf(opts.Dir, "files are in the way, and nothing was written").
			Because(inTheWay...).
			Try("Use an empty folder; in a fleet, `kiban site add` makes another site.")
	}
	if err := scaffold.WriteFiles(opts.Dir, files); err != nil {
		return err
	}
	return opts.app.result(fmt.Sprintf("%s holds a fleet of one site now, %s.\nNext: put your machines into %s, then kiban validate.\n"+
		"README.md says what its pipeline needs.",
		opts.Dir, opts.Site, filepath.Join(opts.Dir, "overlays", opts.Site, "cluster.yaml")))
}

// releaseOf is the release that a build's version names, "1.4.0" of "v1.4.0"; a build between two takes the first one, for Renovate to
// replace.
func releaseOf(version string) string {
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+(-rc\.\d+)?$`).MatchString(version) {
		return "1.0.0"
	}
	return version[1:]
}
