package supply

import (
	"context"
	"errors"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// CheckCharts renders what a site's addons are, as plan will: values that a chart's schema refuses, templates that fail, versions that do
// not exist and content that is not what was locked show here, where the addon was declared. One warning names the charts that the source
// does not have.
func CheckCharts(ctx context.Context, site lifecycle.Site, from Charts) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	var absent []string
	for _, addon := range site.Addons {
		_, err := from.Render(ctx, site, addon, site.Capabilities())
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
