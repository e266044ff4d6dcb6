package main

import (
	"bytes"
	"context"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	fleets "kiban.dev/kiban/lifecycle/fleet"
)

type fleetMetricsOptions struct {
	app *app
	// From is the folder of a collect; "" the one beside the fleet. Out is a file that is written whole; "" stdout.
	From, Out string
}

func newFleetMetrics(a *app, runF func(context.Context, *fleetMetricsOptions) error) *cobra.Command {
	opts := &fleetMetricsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Write what was collected of all sites as OpenMetrics text",
		Long: `Write what kiban fleet collect has left in a folder as OpenMetrics text: for the textfile collector of a node exporter, or behind
any web server for Prometheus or Datadog's OpenMetrics check. No site is asked. Ages are as of now, so write it anew more often than
is collected.

What is not known of a site has no line; kiban_site_known says which parts that are, and kiban_site_known_age_seconds how old the last
look is that found anything out. A file that can't be used is a warning, and counted.`,
		Example: "  kiban fleet metrics\n  kiban fleet metrics --from collected --out /var/lib/node_exporter/kiban.prom",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return fleetMetricsRun(opts)
		},
	}
	addFrom(cmd, &opts.From)
	cmd.Flags().StringVar(&opts.Out, "out", "", "write this file, whole, instead of stdout")
	return cmd
}

func fleetMetricsRun(opts *fleetMetricsOptions) error {
	a := opts.app
	dir, err := a.collectedDir(opts.From)
	if err != nil {
		return err
	}
	now := time.Now()
	sites, found, err := fleets.ReadCollected(dir, now)
	if err != nil {
		return err
	}
	a.findings(found)
	var b bytes.Buffer
	if err := fleets.WriteMetrics(&b, sites, len(found), now); err != nil {
		return err
	}
	if opts.Out == "" {
		_, err = a.Out.Write(b.Bytes())
		return err
	}
	if err := atomicfile.Write(opts.Out, b.Bytes(), 0o644); err != nil { // whoever scrapes is another user
		return lifecycle.Errorf(opts.Out, "the metrics can't be written").From(err).Try("Name a file in a folder that is there: --out FILE")
	}
	return nil
}
