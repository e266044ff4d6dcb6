package apply

import (
	"context"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// stage runs one stage to its end, or until nothing more may start and what is under way has finished.
func (r *run) stage(ctx context.Context, stage lifecycle.Stage) {
	order, steps := r.plan.Targets(stage.ID)
	p := lifecycle.Progress{Waiting: order}
	if stage.Budgeted {
		p.Out = r.plan.AlreadyOut(stage.ID)
	}
	finished := make(chan string)
	for {
		for !r.stopped(ctx) {
			t, ok := r.choose(ctx, stage, p, steps)
			if !ok {
				break
			}
			p = p.Started(t)
			go func() {
				r.target(ctx, steps[t])
				finished <- t
			}()
		}
		if len(p.Running) == 0 {
			return
		}
		select {
		case t := <-finished:
			p = p.Ended(t)
		case <-time.After(r.Poll): // a budget may have room by now
		}
	}
}

// choose picks the next target to start, if any may.
//
// In a budgeted stage it is the first whose pods' disruption budgets would let it be drained now. When none would and none is
// under way, the first one starts all the same: its own gates wait, and say for what.
func (r *run) choose(ctx context.Context, stage lifecycle.Stage, p lifecycle.Progress, steps map[string][]lifecycle.Step) (string, bool) {
	cs := slices.DeleteFunc(slices.Clone(stage.Next(p)), func(t string) bool { return !r.ready(steps[t][0], steps[t]) })
	if len(cs) == 0 {
		return "", false
	}
	if !stage.Budgeted {
		return cs[0], true
	}
	for _, t := range cs {
		g := lifecycle.Gate{Kind: lifecycle.GateBudgetRoom, Target: t}
		if res := r.Gates.Check(ctx, g, r.Now()); res.State == lifecycle.GateMet || res.State == lifecycle.GateSkipped {
			return t, true
		}
	}
	return cs[0], len(p.Running) == 0
}

// ready reports whether what the step needs of other targets is done.
func (r *run) ready(s lifecycle.Step, own []lifecycle.Step) bool {
	for _, need := range s.Needs {
		mine := slices.ContainsFunc(own, func(o lifecycle.Step) bool { return o.ID == need })
		if !mine && r.result(need) != done {
			return false
		}
	}
	return true
}

// target runs the steps of one target in order.
func (r *run) target(ctx context.Context, steps []lifecycle.Step) {
	for i, s := range steps {
		if !r.awaitNeeds(ctx, s) || (r.interrupted() && i > 0) || ctx.Err() != nil {
			r.giveBack(ctx, steps[:i], steps[i:])
			return
		}
		r.set(s.ID, begun)
		acted, ds := r.step(ctx, s)
		if len(ds) > 0 {
			r.set(s.ID, failed)
			if cutShort(ctx, ds) {
				r.cutOff(ds[0])
			} else {
				r.find(ds...)
			}
			if acted {
				r.recover(ctx, s, ds, steps[i+1:])
			}
			tried := steps[:i]
			if acted {
				tried = steps[:i+1]
			}
			r.giveBack(ctx, tried, steps[i+1:])
			return
		}
		r.set(s.ID, done)
	}
}

// awaitNeeds waits until the steps of other targets that this one needs are done. False: one of them failed, or the run stops.
func (r *run) awaitNeeds(ctx context.Context, s lifecycle.Step) bool {
	release := context.AfterFunc(ctx, func() { r.mu.Lock(); r.wake.Broadcast(); r.mu.Unlock() })
	defer release()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, need := range s.Needs {
		for r.outcome[need] != done {
			if r.outcome[need] == failed || ctx.Err() != nil || r.findings.Err() != nil || r.interrupted() {
				return false
			}
			r.wake.Wait()
		}
	}
	return true
}
