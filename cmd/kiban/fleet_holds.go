package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type fleetHoldsOptions struct {
	app *app
	output
	From string
	// Failure is the fingerprint that is lifted, Why what is put on record.
	Failure, Why string
}

func newFleetHolds(a *app, runF func(context.Context, *fleetHoldsOptions) error) *cobra.Command {
	opts := &fleetHoldsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "holds",
		Short: "List the failures that hold sites, and lift them",
		Long: `List by what the last runs of sites failed, alike failures together, as far as kiban fleet collect knows. A failure holds the sites where
it happened, and those whose plan does the same with the same version to a machine of the same kind, until a run there goes through or
somebody lifts it.`,
		Example: "  kiban fleet holds\n  kiban fleet holds lift 3f2a9c1b07 --why 'the kernel was replaced'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.validate(cmd); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return fleetHoldsRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	addFrom(cmd, &opts.From)
	cmd.AddCommand(newFleetLift(a, nil))
	return cmd
}

func fleetHoldsRun(ctx context.Context, opts *fleetHoldsOptions) error {
	a := opts.app
	facts, err := a.fleetFacts(ctx, opts.From)
	if err != nil {
		return err
	}
	holds := fleets.Next(facts).Holding()
	if opts.form != "text" {
		return writeReport(a.Out, opts.form, holds)
	}
	if len(holds) == 0 {
		return a.result("No failure holds a site.")
	}
	head, rows := fleets.HoldsTable(holds)
	return render.Table(a.Out, a.outStyle(), head, rows)
}

func newFleetLift(a *app, runF func(context.Context, *fleetHoldsOptions) error) *cobra.Command {
	opts := &fleetHoldsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "lift FAILURE",
		Short: "Say that a failure holds no site any more",
		Long: `Put on record that a failure holds no site any more: who said so, when and why, in holds.yaml at the fleet's root. Commit that file: it
counts for whoever has it. When the same happens again, it holds again.`,
		Example: "  kiban fleet holds lift 3f2a9c1b07 --why 'the kernel was replaced'",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usage(cmd, "name one failure by its fingerprint, as kiban fleet holds lists it")
			case opts.Why == "":
				return usage(cmd, "why does it hold no site any more? --why says it, for the record")
			}
			opts.Failure = args[0]
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return fleetLiftRun(cmd.Context(), opts)
		},
	}
	addFrom(cmd, &opts.From)
	cmd.Flags().StringVar(&opts.Why, "why", "", "what is put on record")
	return cmd
}

func fleetLiftRun(ctx context.Context, opts *fleetHoldsOptions) error {
	a := opts.app
	facts, err := a.fleetFacts(ctx, opts.From)
	if err != nil {
		return err
	}
	h, err := fleets.FindHold(fleets.Next(facts).Holds, opts.Failure)
	if err != nil {
		return err
	}
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	who, _ := a.operator()
	now := time.Now().UTC().Truncate(time.Second)
	if err := session.Lift(fleet, lifecycle.Lift{Failure: h.Fingerprint, By: who, Why: opts.Why, At: now}); err != nil {
		return err
	}
	return a.result("Failure " + h.Fingerprint + " holds no site any more, once " + lifecycle.HoldsFile + " is committed.")
}
