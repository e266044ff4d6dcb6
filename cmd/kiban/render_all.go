package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
)

// renderAll writes a file for each site, side by side. A site that can't be built keeps the file that it had.
func renderAll(ctx context.Context, opts *renderOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(opts.Out, 0o755); err != nil {
		return err
	}
	found := make([]lifecycle.Diagnostics, len(opts.Sites))
	err = fleets.AtOnce(ctx, len(opts.Sites), runtime.GOMAXPROCS(0), func(i int) {
		docs, ds := a.RenderSite(ctx, fleet, opts.Sites[i])
		if ds.Err() == nil {
			if err := atomicfile.Write(filepath.Join(opts.Out, opts.Sites[i]+".yaml"), docs, 0o644); err != nil {
				ds = append(ds, lifecycle.AsDiagnostics(err, "the file of "+opts.Sites[i]+" can't be written")...)
			}
		}
		found[i] = ds
	})
	if err != nil {
		return err
	}
	var all lifecycle.Diagnostics
	for _, ds := range found {
		all = append(all, ds...)
	}
	a.findings(render.AcrossSites(all))
	if all.Err() != nil {
		return shown{all}
	}
	return a.result(opts.Out)
}
