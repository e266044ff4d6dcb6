package main

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	"kiban.dev/kiban/lifecycle/calendar"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

type fleetCollectOptions struct {
	app *app
	// Sites are asked; none: all of the fleet.
	Sites    []string
	selected selection
	// Out is the folder of the files; "" the one beside the fleet.
	Out string
	// Parallel is how many sites are asked side by side, Within how long each may take.
	Parallel int
	Within   time.Duration
	// Prune removes the files of sites that have left the fleet.
	Prune bool
}

func newFleetCollect(a *app, runF func(context.Context, *fleetCollectOptions) error) *cobra.Command {
	opts := &fleetCollectOptions{app: a}
	cmd := &cobra.Command{
		Use:   "collect [SITE...]",
		Short: "Ask all sites, and keep what they tell in a file each",
		Long: `Ask the sites of the fleet side by side, each once and within a time, and keep what they tell: SITE.json in a folder, written
whole, for a page, for metrics, and for deciding which site may go next. Nothing is changed at the sites.

Of a site that can't be asked the file says why, and keeps what was known last, with the time of that. So it is with each part of a site:
what its cluster does not tell hides nothing of the rest. The files of sites that have left the fleet are named and stay, unless --prune
removes them. The folder is the result.

Exit code 1 when nothing could be learnt of one of them; the others are written all the same.`,
		Example: "  kiban fleet collect\n  kiban fleet collect --out collected --prune\n" +
			"  kiban fleet collect tokyo-prod osaka-prod --within 2m",
		ValidArgsFunction: a.completeAllSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if opts.Sites, err = a.namedOr(cmd, args, &opts.selected, wholeFleet); err != nil {
				return err
			}
			switch {
			case opts.Parallel < 1:
				return usage(cmd, "--parallel is 1 at least")
			case opts.Within < time.Second:
				return usage(cmd, "--within is a second at least")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return fleetCollectRun(cmd.Context(), opts)
		},
	}
	opts.selected.flag(cmd)
	cmd.Flags().StringVar(&opts.Out, "out", "", "the folder of the files (default: .kiban/collected of the fleet)")
	cmd.Flags().IntVar(&opts.Parallel, "parallel", sitesAtOnce, "how many sites are asked side by side")
	cmd.Flags().DurationVar(&opts.Within, "within", siteWithin, "how long one site may take")
	cmd.Flags().BoolVar(&opts.Prune, "prune", false, "remove the files of sites that have left the fleet")
	return cmd
}

func fleetCollectRun(ctx context.Context, opts *fleetCollectOptions) error {
	c, err := opts.gather(ctx)
	if err != nil {
		return err
	}
	left, err := c.leftovers(opts.Prune)
	if err := errors.Join(err, opts.app.result(c.dir)); err != nil {
		return err
	}
	return c.told(left)
}

// gather asks the sites, and writes their files. The error is that of the folder: of which site nothing was learnt is in the files.
func (opts *fleetCollectOptions) gather(ctx context.Context) (*collect, error) {
	dir, err := opts.app.collectedDir(opts.Out)
	if err != nil {
		return nil, err
	}
	c, err := opts.app.newCollect(ctx, opts, dir)
	if err != nil {
		return nil, err
	}
	err = fleets.AtOnce(ctx, len(c.names), opts.Parallel, func(i int) { c.errs[i] = c.one(ctx, i) })
	opts.app.findings(slices.Concat(c.damaged...))
	return c, errors.Join(append(c.errs, err)...)
}

// collect is one go through a fleet.
type collect struct {
	opts  *fleetCollectOptions
	dir   string
	fleet string
	// all are the sites of the fleet, names those that are asked; unlisted are findings about folders that are none.
	all, names []string
	unlisted   error
	look       *session.Look
	due        *fleets.Reckoning
	by         string
	asked      atomic.Int64
	// failed says of each of names why nothing could be learnt of it; errs that its file could not be written.
	failed []lifecycle.Diagnostics
	errs   []error
	// damaged are warnings of files that were there and could not be read.
	damaged []lifecycle.Diagnostics
}

func (a *app) newCollect(ctx context.Context, opts *fleetCollectOptions, dir string) (*collect, error) {
	c := &collect{opts: opts, dir: dir, look: new(session.Look), by: supply.Built().Version}
	var err error
	if c.fleet, err = a.fleetDir(); err != nil {
		return nil, err
	}
	if c.all, c.unlisted = a.ListSites(c.fleet); len(c.all) == 0 && c.unlisted != nil {
		return nil, c.unlisted
	}
	for _, name := range opts.Sites {
		if slices.Contains(c.all, name) {
			continue
		}
		if err := a.source().Known(ctx, c.fleet, name); err != nil {
			return nil, err
		}
	}
	if c.names = opts.Sites; len(c.names) == 0 {
		c.names = c.all
	}
	c.names = slices.Compact(slices.Sorted(slices.Values(c.names)))
	n := len(c.names)
	c.failed, c.errs, c.damaged = make([]lifecycle.Diagnostics, n), make([]error, n), make([]lifecycle.Diagnostics, n)
	c.due = a.source().Reckon(ctx, c.fleet)
	return c, atomicfile.Sweep(dir, time.Now())
}

// one asks the site with that number, and writes its file. Where the whole is interrupted meanwhile, the file stays as it is. The error
// is that the file could not be written.
func (c *collect) one(ctx context.Context, i int) (err error) {
	name := c.names[i]
	a, asking := c.opts.app, fleets.Asking{Site: name, At: time.Now().UTC().Truncate(time.Second), By: c.by}
	var got fleets.Collected
	opts := amongOptions{Look: c.look, Within: c.opts.Within}
	site, err := a.among(ctx, name, opts, func(ctx context.Context, site lifecycle.Site, s *session.Session) error {
		v, err := s.Survey(ctx)
		if err != nil {
			return err
		}
		due := func(runs lifecycle.Version) (calendar.Entry, bool) {
			return c.due.Due(site, runs, v.Runs.Value, asking.At)
		}
		got = asking.Learnt(site, v, a.Problems(site, v.State), session.AtWork(v.Locks.Value), due)
		return nil
	})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		got = asking.Failed(err)
	}
	if site.Name != "" {
		reads, _ := a.SiteReads(c.fleet, name) // which components it has is not known then
		got.Declares(fleets.Declares(site, reads))
	}
	c.damaged[i], err = fleets.Keep(c.dir, got, time.Now())
	const every = 100
	if n := c.asked.Add(1); n%every == 0 {
		a.note("Asked %d of %s.", n, lifecycle.Count(len(c.names), "site"))
	}
	if got.Failed != "" {
		ask := "kiban status "
		if site.Name == "" {
			ask = "kiban validate "
		}
		c.failed[i] = lifecycle.Diagnostics{lifecycle.Errorf(name, "nothing could be learnt of it").Because(got.Failed).Try(ask + name)}
	}
	return err
}

// leftovers are the sites that have a file and have left the fleet. Where it is not certain which sites it has, none is removed.
func (c *collect) leftovers(prune bool) ([]string, error) {
	return fleets.Left(c.dir, c.all, prune && c.unlisted == nil && len(c.all) > 0, time.Now())
}

// told says what became of the sites, and is the error of those of which nothing could be learnt.
func (c *collect) told(left []string) error {
	a := c.opts.app
	for _, name := range left {
		switch {
		case c.opts.Prune && c.unlisted == nil:
			a.note("%s has left the fleet: its file was removed.", name)
		default:
			a.note("%s has left the fleet: its file stays, and --prune removes it.", name)
		}
	}
	const most = 20 // of hundreds nobody reads more, and the files say it
	unknown := slices.Concat(c.failed...)
	a.findings(unknown[:min(len(unknown), most)])
	if n := len(unknown); n > 0 {
		a.note("Nothing could be learnt of %d of %s.", n, lifecycle.Count(len(c.names), "site"))
	}
	a.report(c.unlisted)
	if err := errors.Join(unknown.Err(), c.unlisted); err != nil {
		return shown{err}
	}
	return nil
}
