package main

import (
	"context"
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

const (
	// sitesAtOnce is how many sites are looked at side by side, and siteWithin how long each may take: one that hangs keeps no other waiting.
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
	ctx, cancel := context.WithTimeoutCause(ctx, siteWithin, fmt.Errorf("it did not answer within %s", siteWithin))
	defer cancel()
	fleet, err := a.fleetDir()
	if err != nil {
		return fleets.Standing{Site: name, Failed: err.Error()}
	}
	site, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{})
	if ds.Err() != nil {
		return fleets.Standing{Site: name, Failed: fleets.Errors(ds)[0].Summary}
	}
	s, err := a.openWith(site, fleet, session.Options{Glance: true})
	if err != nil {
		return fleets.Standing{Site: name, Failed: lifecycle.AsDiagnostics(err, err.Error())[0].Summary}
	}
	defer func() { _ = s.Close() }() // what was seen was seen
	st, err := s.Observe(ctx)
	if err != nil {
		return fleets.Standing{Site: name, Failed: lifecycle.AsDiagnostics(err, err.Error())[0].Summary}
	}
	locks, _ := s.Locks(ctx) // `kiban status SITE` says when they can't be read
	return fleets.Stand(site, st, a.Problems(site, st), session.AtWork(locks))
}
