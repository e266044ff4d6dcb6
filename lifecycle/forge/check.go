package forge

import (
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// Checks are what declarations are held against.
type Checks struct {
	// Load reads a site with the rules for one; Charts renders the addons of one that is valid by them.
	Load   func(ctx context.Context, name string) (lifecycle.Site, lifecycle.Diagnostics)
	Charts func(ctx context.Context, site lifecycle.Site) lifecycle.Diagnostics
	// Others are sites that are only held against the named ones: nothing else is said of them.
	Others []string
	// Fleet holds sites against each other, where Whole says that they are all of the fleet.
	Fleet func(sites []lifecycle.Site) lifecycle.Diagnostics
	Whole bool
}

// Check gives the findings of the named sites, one after the other, then those of the fleet; and all of them together. The error is that
// of an interrupt.
func Check(ctx context.Context, names []string, by Checks) (found []SiteFindings, all lifecycle.Diagnostics, err error) {
	var sites []lifecycle.Site
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		site, ds := by.Load(ctx, name)
		if ds.Err() == nil {
			ds = append(ds, by.Charts(ctx, site)...)
		}
		f := SiteFindings{Site: name, Valid: ds.Err() == nil, Diagnostics: ds}
		if f.Valid {
			f.Summary = render.SiteSummary(site)
			sites = append(sites, site)
		}
		found, all = append(found, f), append(all, ds...)
	}
	if !by.Whole {
		return found, all, nil
	}
	ds, err := by.together(ctx, sites)
	if err == nil && len(ds) > 0 {
		found, all = append(found, SiteFindings{Valid: ds.Err() == nil, Diagnostics: ds}), append(all, ds...)
	}
	return found, all, err
}

// together holds the sites against each other and against the others. Of those that are not valid, it is told that nobody did.
func (by Checks) together(ctx context.Context, sites []lifecycle.Site) (lifecycle.Diagnostics, error) {
	var unread []string
	for _, name := range by.Others {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if site, ds := by.Load(ctx, name); ds.Err() == nil {
			sites = append(sites, site)
		} else {
			unread = append(unread, name)
		}
	}
	ds := by.Fleet(sites)
	if len(unread) > 0 {
		ds = append(ds, lifecycle.Warnf("overlays", "%s could not be compared with those that changed", lifecycle.Count(len(unread), "site")).
			Because("They did not change, and are not valid: "+lifecycle.Few(unread)+".").Try("kiban validate "+unread[0]))
	}
	return ds, nil
}
