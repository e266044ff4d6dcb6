package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type fleetNextOptions struct {
	app *app
	output
	// From is the folder of a collect; "" the one beside the fleet.
	From string
}

func newFleetNext(a *app, runF func(context.Context, *fleetNextOptions) error) *cobra.Command {
	opts := &fleetNextOptions{app: a}
	cmd := &cobra.Command{
		Use:   "next",
		Short: "Say which sites may go now, and what keeps the others",
		Long: `Decide by the repository and by what kiban fleet collect has left in a folder which sites may be applied now. No site is asked. Of the
others it says why not: they wait for sites that are to run a version first, or for an earlier wave; their windows are closed; a finding
of their plan is in the way; they are held, because their last run failed, or another site's did by what may befall them, too (kiban fleet
holds); or what is to be done there is not known. What was collected more than a day ago counts as not known.

A wave goes when each site of the waves before is done, or has stopped for a reason of its own, and one of each is done.

The same repository and the same files give the same answer, whoever asks: a pipeline, cron, or kiban fleet apply.
Exit code 3 when no site may go, and not all are done.`,
		Example: "  kiban fleet collect && kiban fleet next\n  kiban fleet next -o names",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.validate(cmd); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return fleetNextRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml", "names")
	addFrom(cmd, &opts.From)
	return cmd
}

func fleetNextRun(ctx context.Context, opts *fleetNextOptions) error {
	a := opts.app
	facts, err := a.fleetFacts(ctx, opts.From)
	if err != nil {
		return err
	}
	q := fleets.Next(facts)
	switch opts.form {
	case "json", "yaml":
		err = writeReport(a.Out, opts.form, q)
	case "names":
		for _, p := range q.Of(fleets.TurnGo) {
			if err := a.result(p.Site); err != nil {
				return err
			}
		}
	default:
		head, rows := q.Table()
		if err = render.Table(a.Out, a.outStyle(), head, rows); err == nil {
			a.note("%s.", q.Summary())
		}
	}
	if err == nil && q.Err() != nil {
		return shown{q.Err()}
	}
	return err
}

// fleetFacts are what it is decided by who may go.
func (a *app) fleetFacts(ctx context.Context, from string) (fleets.Facts, error) {
	fleet, err := a.fleetDir()
	if err != nil {
		return fleets.Facts{}, err
	}
	dir, err := a.collectedDir(from)
	if err != nil {
		return fleets.Facts{}, err
	}
	now := time.Now()
	collected, found, err := fleets.ReadCollected(dir, now)
	if err != nil {
		return fleets.Facts{}, err
	}
	lifts, bad := session.ReadLifts(fleet)
	a.findings(found)
	if bad.Err() != nil {
		return fleets.Facts{}, bad
	}
	return a.source().Facts(ctx, fleet, new(session.Look).Revision(fleet), collected, lifts, now)
}
