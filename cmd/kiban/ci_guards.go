package main

import (
	"context"
	"errors"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/forge"
)

// guards adds to plans what their sites change of their guards since a revision of the target branch. What the fleet's root allows is every
// site's, and is told once.
func (a *app) guards(ctx context.Context, plans []forge.SitePlan, since string) (allowed []lifecycle.DeclaredChange, err error) {
	fleet, err := a.fleetDir()
	if err != nil {
		return nil, err
	}
	then, done, err := a.source().At(fleet, since)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	now, err := a.source().Now(fleet)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range plans {
		if !p.Gone {
			names = append(names, p.Site.Name)
		}
	}
	of, allowed := fleets.Guards(ctx, then, now, names)
	for i := range plans {
		if g, ok := of[plans[i].Site.Name]; ok {
			plans[i].New, plans[i].Guards, plans[i].Unguarded = g.New, g.Changes, g.Unknown
		}
	}
	return allowed, nil
}
