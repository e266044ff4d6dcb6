package fleet

import (
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/diff"
)

// Guarded is what one site changes of what guards it.
type Guarded struct {
	// New says that there was no such site before; Changes are those of its guards, or Unknown says why they can't be told.
	New     bool
	Changes []lifecycle.DeclaredChange
	Unknown string
}

// Guards are the changes of what guards the named sites, where they are declared now. What the fleet's root allows is every site's, and is
// told once.
func Guards(ctx context.Context, then, now Declared, names []string) (of map[string]Guarded, allowed []lifecycle.DeclaredChange) {
	of, compared := map[string]Guarded{}, false
	for _, name := range names {
		var g Guarded
		switch {
		case !now.Has(name):
			continue
		case !then.Has(name):
			g.New = true
		default:
			var changes []lifecycle.DeclaredChange
			if changes, g.Unknown = guardsSince(ctx, then, now, name); g.Unknown == "" {
				compared = true
				g.Changes, allowed = diff.OfSite(changes)
			}
		}
		of[name] = g
	}
	for _, name := range now.names { // fleet.yaml may be all that changes
		if compared || !then.Has(name) {
			continue
		}
		if changes, why := guardsSince(ctx, then, now, name); why == "" {
			compared = true
			_, allowed = diff.OfSite(changes)
		}
	}
	return of, allowed
}

// guardsSince are the changes of a site's guards, or why they can't be told.
func guardsSince(ctx context.Context, then, now Declared, name string) (changes []lifecycle.DeclaredChange, why string) {
	is, found := now.Read(ctx, name)
	if ds := Errors(found); len(ds) > 0 {
		return nil, "it can't be read as it is now: " + ds[0].Summary
	}
	was, found := then.Read(ctx, name)
	if ds := Errors(found); len(ds) > 0 {
		return nil, "it can't be read as it was: " + ds[0].Summary
	}
	return diff.GuardChanges(diff.Compare(was, is)), ""
}
