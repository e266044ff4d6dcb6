package apply

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const (
	// probeEvery is the pause between two looks at the site's probes while nodes are out of service.
	probeEvery = 2 * time.Second
	// probeLosses are how many looks in a row make a loss: one request may fail for reasons of its own.
	probeLosses = 3
)

// watchProbes looks at the site's probes for as long as the plan disturbs nodes. A loss stops the rollout: nodes in flight finish, and no
// other one starts. The returned function ends the watch.
func (r *run) watchProbes(ctx context.Context) (end func()) {
	if len(r.site.Policy.Probes) == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.probe(ctx)
	}()
	return func() { cancel(); <-done }
}

func (r *run) probe(ctx context.Context) {
	lost := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(probeEvery):
		}
		if !r.disturbs() {
			lost = 0
			continue
		}
		res := r.Gates.Check(ctx, lifecycle.Gate{Kind: lifecycle.GateProbes}, r.began)
		if lost++; res.State == lifecycle.GateMet || res.State == lifecycle.GateSkipped || ctx.Err() != nil {
			lost = 0
		}
		if lost < probeLosses {
			continue
		}
		d := lifecycle.Blockedf(r.site.Name, "a probe of the site was lost while nodes were out of service").
			Because(res.Reason).
			Try("The rollout has stopped: nodes in flight finish, no other one starts. " +
				"See to what does not answer, then run the same command again.")
		r.find(d)
		_ = r.emit(lifecycle.Event{Kind: lifecycle.EventProgress, Message: d.Summary, Diagnostic: &d}) // an error is kept in sinkErr
		return
	}
}

// disturbs reports whether a step of the plan that disrupts has begun: before that, what a probe says is for the first node's gates.
func (r *run) disturbs() bool {
	for _, s := range r.plan.Steps {
		if s.Disrupts && r.result(s.ID) != 0 {
			return true
		}
	}
	return false
}
