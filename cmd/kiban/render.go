package main

import (
	"context"

	"github.com/spf13/cobra"
)

type renderOptions struct {
	app    *app
	output output
	Site   string
}

func newRender(a *app, runF func(context.Context, *renderOptions) error) *cobra.Command {
	opts := &renderOptions{app: a}
	cmd := &cobra.Command{
		Use:   "render SITE",
		Short: "Print the documents that a site's overlay merges to",
		Long: `Print the documents that a site's overlay merges to, as kustomize builds them: what every other verb reads.
"kustomize build overlays/SITE" prints the same.`,
		Example:           "  kiban render tokyo-prod\n  kiban render tokyo-prod > before.yaml",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, renderRun),
	}
	addOutput(cmd, &opts.output, "yaml")
	return cmd
}

func renderRun(ctx context.Context, opts *renderOptions) error {
	fleet, err := opts.app.fleetDir()
	if err != nil {
		return err
	}
	docs, ds := opts.app.RenderSite(ctx, fleet, opts.Site)
	if err := ds.Err(); err != nil {
		return err
	}
	opts.app.findings(ds)
	_, err = opts.app.data.Write(docs)
	return err
}
