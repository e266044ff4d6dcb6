package main

import (
	"context"
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/scaffold"
	"kiban.dev/kiban/lifecycle/session"
)

const (
	// sitesAtOnce is how many sites are looked at side by side, and siteWithin how long each may take: one that hangs keeps no other
	// waiting.
	sitesAtOnce = 16
	siteWithin  = 45 * time.Second
)

// statusOfAll shows a line of each site. Of which nothing is known, it says so, and fails.
func statusOfAll(ctx context.Context, opts *statusOptions, names []string) error {
	a := opts.app
	rows := make([]fleets.Standing, len(names))
	err := fleets.AtOnce(ctx, len(names), sitesAtOnce, func(i int) { rows[i] = a.stand(ctx, names[i]) })
	if err != nil {
		return err
	}
	if opts.output.form == "text" {
		head, lines := fleets.StandingTable(rows, time.Now())
		err = render.Table(a.Out, a.outStyle(), head, lines)
	} else {
		err = writeReport(a.Out, opts.output.form, rows)
	}
	var unknown lifecycle.Diagnostics
	for _, r := range rows {
		if !r.Known() {
			unknown = append(unknown, lifecycle.Errorf(r.Site, "nothing is known of the site").Because(r.Failed).Try("kiban status "+r.Site))
		}
	}
	if err == nil && len(unknown) > 0 {
		a.note("Nothing is known of %d of %s.", len(unknown), lifecycle.Count(len(rows), "site"))
		return shown{unknown}
	}
	return err
}

// stand looks at one site among others.
func (a *app) stand(ctx context.Context, name string) fleets.Standing {
	var standing fleets.Standing
	opts := amongOptions{Within: siteWithin, Options: session.Options{Glance: true}}
	_, err := a.among(ctx, name, opts, func(ctx context.Context, site lifecycle.Site, s *session.Session) error {
		if scaffold.MadeUp(site) {
			standing = fleets.StandMadeUp(site, scaffold.ToFillIn(name))
			return nil
		}
		st, err := s.Observe(ctx)
		if err == nil {
			locks, _ := s.Locks(ctx) // `kiban status SITE` says when they can't be read
			standing = fleets.Stand(site, st, a.Problems(site, st), session.AtWork(locks))
		}
		return err
	})
	if err != nil {
		return fleets.Standing{Site: name, Failed: lifecycle.AsDiagnostics(err, err.Error())[0].Summary}
	}
	return standing
}

// amongOptions are the choices of a verb that asks many sites side by side.
type amongOptions struct {
	session.Options
	// Look is shared by all of them; nil: git is asked for each.
	Look *session.Look
	// Within is how long one may take, its declaration included.
	Within time.Duration
}

// among opens one site among others, and has something asked of it. The site is the zero one where its declaration can't be read.
func (a *app) among(
	ctx context.Context, name string, opts amongOptions, ask func(context.Context, lifecycle.Site, *session.Session) error,
) (lifecycle.Site, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, opts.Within, fmt.Errorf("it did not answer within %s", opts.Within))
	defer cancel()
	fleet, err := a.fleetDir()
	if err != nil {
		return lifecycle.Site{}, err
	}
	site, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{Look: opts.Look})
	if ds.Err() != nil {
		return lifecycle.Site{}, fleets.Errors(ds)
	}
	s, err := a.openWith(site, fleet, opts.Options)
	if err != nil {
		return site, err
	}
	defer func() { _ = s.Close() }() // what was seen was seen
	return site, lifecycle.InTime(ctx, ask(ctx, site, s))
}
