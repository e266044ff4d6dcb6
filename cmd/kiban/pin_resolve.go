package main

import (
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bundle"
)

// resolvePins asks every source of a site for what its versions stand for. All that could not be learnt comes back at once.
func resolvePins(ctx context.Context, a *app, site lifecycle.Site, store chartStore) (lifecycle.Pins, error) {
	var now lifecycle.Pins
	var ds lifecycle.Diagnostics
	needs := bundle.NeedsOf(site)
	for _, c := range needs.Charts {
		digest, _, err := store.Chart(ctx, site.Dir, c, nil)
		if err != nil {
			ds = append(ds, lifecycle.AsDiagnostics(err, "chart "+c.Name+" "+c.Version+" cannot be had")...)
			continue
		}
		now.Charts = append(now.Charts, lifecycle.ChartPin{Repo: c.Repo, Name: c.Name, Version: c.Version, Digest: digest})
	}
	for _, url := range needs.Manifests {
		digest, _, err := store.Manifest(ctx, site.Dir, url, nil)
		if err != nil {
			ds = append(ds, lifecycle.AsDiagnostics(err, "manifests "+url+" cannot be had")...)
			continue
		}
		now.Manifests = append(now.Manifests, lifecycle.ManifestPin{URL: url, Digest: digest})
	}
	for _, v := range needs.Versions {
		sums, err := a.Checksums(ctx, site, v)
		if err != nil {
			ds = append(ds, lifecycle.AsDiagnostics(err, "the checksums of k0s "+v.String()+" cannot be had")...)
			continue
		}
		for arch, digest := range sums {
			if now.K0s == nil {
				now.K0s = map[string]string{}
			}
			now.K0s[v.String()+"/"+arch] = digest
		}
	}
	if err := ctx.Err(); err != nil {
		return now, err
	}
	return now, ds.Err()
}
