package main

import (
	"context"
	"errors"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/diff"
	"kiban.dev/kiban/lifecycle/forge"
)

// guards adds to plans what their sites change of their guards since a revision of the target branch. What the fleet's root allows is every
// site's, and is told once.
func (a *app) guards(ctx context.Context, plans []forge.SitePlan, since string) (allowed []lifecycle.DeclaredChange, err error) {
	fleet, err := a.fleetDir()
	if err != nil {
		return nil, err
	}
	then, done, err := a.declaredAt(fleet, since, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	now, _, err := a.declaredAt(fleet, "", true)
	if err != nil {
		return nil, err
	}
	compared := false
	for i := range plans {
		p := &plans[i]
		switch name := p.Site.Name; {
		case p.Gone, !now.has(name):
		case !then.has(name):
			p.New = true
		default:
			var changes []lifecycle.DeclaredChange
			if changes, p.Unguarded = guardsSince(ctx, then, now, name); p.Unguarded == "" {
				compared = true
				p.Guards, allowed = diff.OfSite(changes)
			}
		}
	}
	for _, name := range now.names { // fleet.yaml may be all that changes
		if compared || !then.has(name) {
			continue
		}
		if changes, why := guardsSince(ctx, then, now, name); why == "" {
			compared = true
			_, allowed = diff.OfSite(changes)
		}
	}
	return allowed, nil
}

// guardsSince are the changes of a site's guards, or why they can't be told.
func guardsSince(ctx context.Context, then, now declared, name string) (changes []lifecycle.DeclaredChange, why string) {
	is, found := now.read(ctx, name)
	if ds := errorsOf(found); len(ds) > 0 {
		return nil, "it can't be read as it is now: " + ds[0].Summary
	}
	was, found := then.read(ctx, name)
	if ds := errorsOf(found); len(ds) > 0 {
		return nil, "it can't be read as it was: " + ds[0].Summary
	}
	return diff.GuardChanges(diff.Compare(was, is)), ""
}
