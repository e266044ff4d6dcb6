package session

import (
	"context"
	"sync"

	"kiban.dev/kiban/lifecycle"
)

// Evidence asks everybody who can tell what a version would break, side by side.
func (w *world) Evidence(ctx context.Context, seen lifecycle.State, target lifecycle.Version) lifecycle.Evidence {
	var e lifecycle.Evidence
	if why := seen.API.Unknown; why != "" {
		// One that could not be asked a moment ago is not asked again, and no controller for the credentials: where it or its etcd hangs,
		// each question would wait for all that it may.
		e.APIs, e.Risks = w.unanswered(ctx, seen, target), w.ownRisks()
		e.Scheduling = &lifecycle.Answer[lifecycle.Scheduling]{Unknown: why}
		e.Admission = &lifecycle.Answer[lifecycle.Admission]{Unknown: why}
		return e
	}
	witnesses := []func(){
		func() { e.APIs = w.apis(ctx, seen, target) },
		func() { e.Risks = w.ownRisks() },
		func() { e.Scheduling, e.Admission = w.places(ctx, target) },
	}
	var all sync.WaitGroup
	for _, ask := range witnesses {
		all.Go(ask)
	}
	all.Wait()
	return e
}
