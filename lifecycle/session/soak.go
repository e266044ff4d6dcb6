package session

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/addons"
	"kiban.dev/kiban/lifecycle/promotion"
)

// soakLimit bounds the look at a site after a run, and the wait for its cluster to keep what was seen.
const soakLimit = time.Minute

// soaked has the cluster keep what it runs since now, after a run that came to its end. One that does not is worth a warning and no more.
func (w *world) soaked(ctx context.Context, plan lifecycle.Plan, r *recorder) {
	if harmless(plan) || plan.Unfinished != "" {
		return // nothing has changed; or the next plan follows at once
	}
	ctx, cancel := context.WithTimeout(ctx, soakLimit)
	defer cancel()
	state, err := w.look(ctx, addons.Glance{Engine: w.units})
	if err == nil {
		_, err = w.KeepSoak(ctx, func(prev lifecycle.Soak) lifecycle.Soak {
			if does(plan, lifecycle.ActionRestore) {
				prev = promotion.Restored(prev)
			}
			return promotion.Observe(prev, w.site, state, time.Now())
		})
	}
	if err != nil {
		r.warn(lifecycle.Warnf(w.site.Name, "the cluster could not note which versions it runs from now on").From(err).
			Try("Sites that wait for this one count from when it does: kiban ci soak " + w.site.Name + " --record"))
	}
}
