package forge

import (
	"context"
	"errors"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// Repository is the fleet that a pipeline's job works on.
type Repository struct {
	// Dir is the work tree; Source reads it, and what it was, to compare them.
	Dir    string
	Source fleet.Source
	// Load reads a site of the work tree as one that is to be applied; Allowed is what the fleet's root allows all sites.
	Load    func(ctx context.Context, name string) (lifecycle.Site, lifecycle.Diagnostics)
	Allowed func() (lifecycle.Fleet, lifecycle.Diagnostics)
	// Warn shows what is in the way of nothing, and Note says something in passing.
	Warn func(lifecycle.Diagnostics)
	Note func(format string, args ...any)
}

// Declare adds to plans what the work tree declares of each site, as far as it can be read: the note says more with it.
func (r Repository) Declare(ctx context.Context, plans []SitePlan) {
	for i := range plans {
		if site, ds := r.Load(ctx, plans[i].Site.Name); ds.Err() == nil {
			plans[i].Site = site
		}
	}
}

// Guard adds to plans what their sites change of their guards since a revision of the target branch. What the fleet's root allows is every
// site's, and is told once.
func (r Repository) Guard(ctx context.Context, plans []SitePlan, since string) (allowed []lifecycle.DeclaredChange, err error) {
	then, done, err := r.Source.At(r.Dir, since)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	now, err := r.Source.Now(r.Dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range plans {
		if !p.Gone {
			names = append(names, p.Site.Name)
		}
	}
	if err := then.Prepare(names...); err != nil {
		return nil, err
	}
	of, allowed := fleet.Guards(ctx, then, now, names)
	for i := range plans {
		if g, ok := of[plans[i].Site.Name]; ok {
			plans[i].New, plans[i].Guards, plans[i].Unguarded = g.New, g.Changes, g.Unknown
		}
	}
	return allowed, nil
}

// ProductionAmong is one of the sites that is production, or can't be read; "" when none is. No names: of all sites.
func (r Repository) ProductionAmong(ctx context.Context, sites []string) string {
	if len(sites) == 0 {
		var err error
		if sites, err = r.Source.List(r.Dir); err != nil {
			return "the fleet" // what can't be read is held to the strictest
		}
	}
	for _, name := range sites {
		if site, ds := r.Source.Load(ctx, r.Dir, name, ""); ds.Err() != nil || site.Production() {
			return name
		}
	}
	return ""
}
