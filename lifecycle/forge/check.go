package forge

import (
	"context"
	"runtime"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
)

// Checks are what declarations are held against.
type Checks struct {
	// Load reads a site with the rules for one; Charts renders the addons of one that is valid by them.
	Load   func(ctx context.Context, name string) (lifecycle.Site, lifecycle.Diagnostics)
	Charts func(ctx context.Context, site lifecycle.Site) lifecycle.Diagnostics
	// Others reads the sites that are only held against the named ones: nothing else is said of them but the names of those that can't be
	// read. Nil: there are none.
	Others func(ctx context.Context) (sites []lifecycle.Site, unread []string, err error)
	// Part leaves of a site what Fleet reads: all sites are in memory at once.
	Part func(lifecycle.Site) lifecycle.Site
	// Fleet holds sites against each other, where Whole says that they are all of the fleet.
	Fleet func(sites []lifecycle.Site) lifecycle.Diagnostics
	Whole bool
}

// Check gives the findings of the named sites, one after the other, then those of the fleet; and all of them together. As many sites are
// read at a time as there are processors: nothing but processor time is spent on them. The error is that of an interrupt.
func Check(ctx context.Context, names []string, by Checks) (found []SiteFindings, all lifecycle.Diagnostics, err error) {
	found = make([]SiteFindings, len(names))
	sites := make([]lifecycle.Site, len(names))
	err = fleet.AtOnce(ctx, len(names), runtime.GOMAXPROCS(0), func(i int) { found[i], sites[i] = by.alone(ctx, names[i]) })
	if err != nil {
		return nil, nil, err
	}
	var valid []lifecycle.Site
	for i, f := range found {
		all = append(all, f.Diagnostics...)
		if f.Valid {
			valid = append(valid, sites[i])
		}
	}
	if !by.Whole {
		return found, all, nil
	}
	ds, err := by.together(ctx, valid)
	if err == nil && len(ds) > 0 {
		found, all = append(found, SiteFindings{Valid: ds.Err() == nil, Diagnostics: ds}), append(all, ds...)
	}
	return found, all, err
}

// alone holds one site against the rules for one.
func (by Checks) alone(ctx context.Context, name string) (SiteFindings, lifecycle.Site) {
	site, ds := by.Load(ctx, name)
	if ds.Err() == nil {
		ds = append(ds, by.Charts(ctx, site)...)
	}
	f := SiteFindings{Site: name, Valid: ds.Err() == nil, Diagnostics: ds}
	if f.Valid {
		f.Summary = render.SiteSummary(site)
	}
	return f, by.Part(site)
}

// together holds the sites against each other and against the others. Of those that are not valid, it is told that nobody did.
func (by Checks) together(ctx context.Context, sites []lifecycle.Site) (lifecycle.Diagnostics, error) {
	var unread []string
	if by.Others != nil {
		others, not, err := by.Others(ctx)
		if err != nil {
			return nil, err
		}
		sites, unread = append(sites, others...), not
	}
	ds := by.Fleet(sites)
	if len(unread) > 0 {
		ds = append(ds, lifecycle.Warnf("overlays", "%s could not be compared with those that changed", lifecycle.Count(len(unread), "site")).
			Because("They did not change, and are not valid: "+lifecycle.Few(unread)+".").Try("kiban validate "+unread[0]))
	}
	return ds, nil
}
