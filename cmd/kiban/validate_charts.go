package main

import (
	"context"
	"errors"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// checkCharts renders what the site's addons are, as plan will: values that a chart's schema refuses, templates that fail, versions that do
// not exist and content that is not what was locked show here, where the addon was declared. Charts that are not on this machine are
// fetched only when that was asked for; else one warning names them.
func (a *app) checkCharts(ctx context.Context, opts *validateOptions, fleet string, site lifecycle.Site) lifecycle.Diagnostics {
	packed, err := a.openBundle(opts.Bundle, site, fleet)
	if err != nil {
		return lifecycle.AsDiagnostics(err, "the bundle cannot be used")
	}
	from := storeOptions{Offline: !opts.Fetch}
	if packed != nil {
		from.Bundle = packed.FS()
	}
	store := a.store(fleet, from)
	var ds lifecycle.Diagnostics
	var absent []string
	for _, addon := range site.Addons {
		_, err := store.Render(ctx, site, addon, site.Capabilities())
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ds
		case errors.Is(err, lifecycle.ErrNotCached):
			absent = append(absent, addon.Name)
		default:
			for _, d := range lifecycle.AsDiagnostics(err, "addon "+addon.Name+" cannot be rendered") {
				ds = append(ds, addon.Locate(d))
			}
		}
	}
	if len(absent) > 0 {
		ds = append(ds, lifecycle.Warnf("overlays/"+site.Name, "values of addons were not checked: %s", strings.Join(absent, ", ")).
			Because("What they install is not on this machine.").
			Try("kiban validate "+site.Name+" --fetch"))
	}
	return ds
}
