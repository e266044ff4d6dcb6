package supply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Resolve asks every source of a site for what its versions stand for today. All that could not be learnt comes back at once.
func Resolve(ctx context.Context, site lifecycle.Site, from Sources) (lifecycle.Pins, error) {
	var now lifecycle.Pins
	var ds lifecycle.Diagnostics
	needs := NeedsOf(site)
	for _, c := range needs.Charts {
		ask, done := from.asking(ctx, fmt.Sprintf("chart %s %s of %s", c.Name, c.Version, c.Repo))
		digest, _, err := from.Charts.ChartFiles(ask, site.Dir, c, nil)
		err = unanswered(ask, err)
		done()
		if err != nil {
			ds = append(ds, declaredIn(site, lifecycle.AsDiagnostics(err, "chart "+c.Name+" "+c.Version+" cannot be had"),
				func(a lifecycle.Addon) string {
					if a.Chart != nil && a.Chart.Repo == c.Repo && a.Chart.Name == c.Name && a.Chart.Version == c.Version {
						return "spec.chart"
					}
					return ""
				})...)
			continue
		}
		now.Charts = append(now.Charts, lifecycle.ChartPin{Repo: c.Repo, Name: c.Name, Version: c.Version, Digest: digest})
	}
	for _, url := range needs.Manifests {
		ask, done := from.asking(ctx, "manifests "+url)
		digest, _, err := from.Charts.ManifestFiles(ask, site.Dir, url, nil)
		err = unanswered(ask, err)
		done()
		if err != nil {
			ds = append(ds, declaredIn(site, lifecycle.AsDiagnostics(err, "manifests "+url+" cannot be had"), func(a lifecycle.Addon) string {
				if i := slices.Index(a.Manifests, url); i >= 0 {
					return fmt.Sprintf("spec.manifests[%d]", i)
				}
				return ""
			})...)
			continue
		}
		now.Manifests = append(now.Manifests, lifecycle.ManifestPin{URL: url, Digest: digest})
	}
	for _, v := range needs.Versions {
		ask, done := from.asking(ctx, "checksums of k0s "+v.String())
		sums, err := from.Binaries.Checksums(ask, site, v)
		err = unanswered(ask, err)
		done()
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

// unanswered says of an error that the time was up, where that is its cause.
func unanswered(ctx context.Context, err error) error {
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

// declaredIn lets findings about what an addon is made of name the line of the first addon that has it. field is what of an addon they are
// about; "" when it is another's.
func declaredIn(site lifecycle.Site, ds lifecycle.Diagnostics, field func(lifecycle.Addon) string) lifecycle.Diagnostics {
	i := slices.IndexFunc(site.Addons, func(a lifecycle.Addon) bool { return field(a) != "" })
	if i < 0 {
		return ds
	}
	ds = slices.Clone(ds)
	for n, d := range ds {
		d.Field = cmp.Or(d.Field, field(site.Addons[i]))
		ds[n] = site.Addons[i].Locate(d)
	}
	return ds
}
