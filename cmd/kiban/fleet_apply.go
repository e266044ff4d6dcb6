package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type fleetApplyOptions struct {
	app *app
	output
	// collect is how sites are asked, before and after.
	collect  fleetCollectOptions
	selected selection
	// Sites may be applied; none: all.
	Sites    []string
	Parallel int
	Yes      bool
}

func newFleetApply(a *app, runF func(context.Context, *fleetApplyOptions) error) *cobra.Command {
	opts := &fleetApplyOptions{app: a, collect: fleetCollectOptions{app: a, Parallel: sitesAtOnce, Within: siteWithin}}
	cmd := &cobra.Command{
		Use:   "apply [SITE...]",
		Short: "Apply the sites that may go, some side by side, until none may any more",
		Long: `Ask all sites, apply those that may go (kiban fleet next), each with a process of its own, look at each again when it has ended, and go
on so until none may go. Named sites are the only ones that are applied; the others count all the same for who waits for whom.

It keeps nothing that the next one would need: whoever begins anew goes on from where the sites are, here, elsewhere, or in a pipeline.
What each site's process says is in .kiban/fleet/SITE.log. Nothing waits for days: what is to go later goes with a later call.
Ctrl-C once lets the steps in hand finish and stops; twice stops now.

Exit code 0 when all are done; 1 when a site failed; 3 when none did, and some wait, are blocked, held or not known.`,
		Example:           "  kiban fleet apply --parallel 4\n  kiban fleet apply osaka-1 osaka-2 --yes",
		ValidArgsFunction: a.completeAllSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.validate(cmd); err != nil {
				return err
			}
			if opts.Parallel < 1 {
				return usage(cmd, "--parallel is 1 at least")
			}
			var err error
			if opts.Sites, err = a.namedOr(cmd, args, &opts.selected, wholeFleet); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return fleetApplyRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	opts.selected.flag(cmd)
	cmd.Flags().IntVar(&opts.Parallel, "parallel", 4, "how many sites are applied side by side")
	cmd.Flags().BoolVarP(&opts.Yes, "yes", "y", false, "do not ask")
	cmd.Flags().StringVar(&opts.collect.Out, "collected", "",
		"the folder of what is known of the sites (default: .kiban/collected of the fleet)")
	return cmd
}

func fleetApplyRun(ctx context.Context, opts *fleetApplyOptions) error {
	a := opts.app
	e, err := opts.engine(ctx)
	if err != nil {
		return err
	}
	facts, err := e.Look(ctx, nil)
	if err != nil {
		return err
	}
	e.Known = &facts
	q := fleets.Next(facts)
	head, rows := q.Table()
	if err := render.Table(a.Err, a.errStyle(), head, rows); err != nil {
		return err
	}
	if len(q.Of(fleets.TurnGo)) > 0 {
		a.note("%s. Each is applied as its own plan says then: kiban plan SITE shows it.", q.Summary())
		if err := a.confirm(ctx, opts.Yes, "", "kiban fleet apply --yes"); err != nil {
			return err
		}
	}
	r, err := e.Run(ctx, a.interrupts.Graceful(a.Err))
	if opts.form == "text" {
		err = errors.Join(err, a.result(r.Summary()))
	} else {
		err = errors.Join(err, writeReport(a.Out, opts.form, r))
	}
	if r.Stopped {
		err = errors.Join(session.ErrInterrupted, err)
	}
	if err == nil && r.Err() != nil {
		a.report(r.Err())
		return shown{r.Err()}
	}
	return err
}

// engine is how this fleet's sites are looked at and applied.
func (opts *fleetApplyOptions) engine(ctx context.Context) (fleets.Engine, error) {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return fleets.Engine{}, err
	}
	for _, name := range opts.Sites {
		if err := a.source().Known(ctx, fleet, name); err != nil {
			return fleets.Engine{}, err
		}
	}
	program, err := os.Executable()
	if err != nil {
		return fleets.Engine{}, err
	}
	p := fleets.Process{Program: program, Fleet: fleet, Dir: filepath.Join(session.StateDir(fleet), "fleet")}
	return fleets.Engine{Only: opts.Sites, Parallel: opts.Parallel, Apply: p.Apply,
		Look: func(ctx context.Context, names []string) (fleets.Facts, error) {
			ask := opts.collect
			ask.Sites = names
			if _, err := ask.gather(ctx); err != nil {
				return fleets.Facts{}, err
			}
			return a.fleetFacts(ctx, opts.collect.Out)
		},
		Began: func(p fleets.Place) { a.note("%s: begun, %s", p.Site, lifecycle.Count(p.Steps, "step")) },
		Ended: func(o lifecycle.Outcome) { a.note("%s: %s (%s)", o.Site, o.Line(), p.Log(o.Site)) },
	}, nil
}
