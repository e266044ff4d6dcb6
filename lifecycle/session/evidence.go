package session

import (
	"context"
	"sync"

	"kiban.dev/kiban/lifecycle"
)

// Evidence asks everybody who can tell what a version would break, side by side.
func (w *world) Evidence(ctx context.Context, seen lifecycle.State, target lifecycle.Version) lifecycle.Evidence {
	var e lifecycle.Evidence
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
