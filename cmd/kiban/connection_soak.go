package main

import (
	"context"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/addons"
	"kiban.dev/kiban/lifecycle/promotion"
)

// soakLimit bounds the look at a site after a run, and the wait for its cluster to keep what was seen.
const soakLimit = time.Minute

func (c *siteConnection) Soak(ctx context.Context) (lifecycle.Soak, error) {
	api, err := c.ownCluster(ctx)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	return api.Soak(ctx)
}

func (c *siteConnection) KeepSoak(ctx context.Context, next func(prev lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error) {
	api, err := c.ownCluster(ctx)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	return api.KeepSoak(ctx, next)
}

// soaked has the cluster keep what it runs since now, after a run that came to its end. One that does not is worth a warning and no more.
func (c *siteConnection) soaked(ctx context.Context, plan lifecycle.Plan, r *recorder) {
	if harmless(plan) || plan.Unfinished != "" {
		return // nothing has changed; or the next plan follows at once
	}
	ctx, cancel := context.WithTimeout(ctx, soakLimit)
	defer cancel()
	state, err := c.look(ctx, addons.Glance{Engine: c.units})
	if err == nil {
		restored := slices.ContainsFunc(plan.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionRestore })
		_, err = c.KeepSoak(ctx, func(prev lifecycle.Soak) lifecycle.Soak {
			if restored {
				prev = promotion.Restored(prev)
			}
			return promotion.Observe(prev, c.site, state, time.Now())
		})
	}
	if err != nil {
		r.warn(lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Summary: "the cluster could not note which versions it runs from now on", Detail: err.Error(), Subject: c.site.Name, Cause: err,
			Hint: "Sites that wait for this one count from when it does: kiban ci soak " + c.site.Name + " --record"})
	}
}
