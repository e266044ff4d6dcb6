package session

import (
	"context"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/check"
	"kiban.dev/kiban/lifecycle/readiness"
)

// Run carries a plan out with the real machines and the real API, and has the cluster keep the record of it.
func (w *world) Run(ctx context.Context, plan lifecycle.Plan, run Run) error {
	if plan.ClusterUID == "" && does(plan, lifecycle.ActionBackup) { // it was made without a look
		if d, other := w.otherCluster(ctx); other {
			return d
		}
	}
	w.take(&run)
	defer w.take(nil)
	gates := check.New(w.site, w.machines.gates, w.api, w.api, time.Now)
	units := w.units.During(run.ID)
	gates.Watch(units)
	gates.WatchSystem(w.api, newWebProber())
	gates.WatchStorage(w)
	gates.WatchProofs(proofs{w, run.Seen.Proven()})
	gates.Baseline(run.Seen) // what was wrong before is not the run's to wait for
	record := newRecorder(ctx, plan, run)
	if err := record.begin(w.site, plan, run); err != nil {
		return unrecordable(w.site, err)
	}
	if plan.ClusterUID != "" { // before there is a cluster, nothing can keep it
		record.keepFrom(ctx, w.recordRun)
	}
	defer record.keep(ctx, w.recordRun)
	defer w.mark(ctx, plan, run, record)
	if does(plan, lifecycle.ActionApply) && w.api.AsksItself(readiness.APIs()) {
		w.keepAllRequests(ctx) // what is declared otherwise from now on was kiban's own until now
	}
	deps := apply.Deps{
		Machines: attended{Machines: w.machines.steps, done: run.WorkDone, before: w.beforeStep},
		Logs:     w.machines.logs,
		Nodes:    w.api,
		Config:   w.api,
		Units:    units,
		Pins:     w,
		Gates:    gates,
		Hosts:    w.machines.hosts,
		Members:  run.Seen.Etcd.Members,
		Backup:   run.Backup,
		Sink:     record.Sink,
		RunID:    run.ID,
		Stop:     run.Stop,
	}
	if run.Fence != nil {
		deps.Fence = run.Fence
	}
	if err := apply.Run(ctx, w.site, plan, deps); err != nil {
		return err
	}
	w.soaked(ctx, plan, run, record)
	return nil
}

// mark has the cluster say which site it is, after the first run that changed anything; another site's plan is refused from then on. A
// cluster that does not take the mark is worth a warning and no more.
func (w *world) mark(ctx context.Context, plan lifecycle.Plan, run Run, r *recorder) {
	if run.Seen.API.Site != "" || harmless(plan) || r.sum.Record().Begun == 0 {
		return
	}
	ctx, cancel := lifecycle.Within(context.WithoutCancel(ctx), recordLimit, "no answer")
	defer cancel()
	if err := w.api.MarkSite(ctx, w.site.Name); err != nil {
		r.warn(lifecycle.Warnf(w.site.Name, "the cluster could not note which site it is").From(err).
			Try("The next run that changes anything tries again."))
	}
}

// attended are the machines of a run, and the operator, who is asked where a step waits for work by hand.
type attended struct {
	apply.Machines
	done func(ctx context.Context, step lifecycle.Step) error
	// before is told of each step that machines do.
	before func(ctx context.Context, step lifecycle.Step)
}

func (m attended) Do(ctx context.Context, step lifecycle.Step, progress func(string)) error {
	if m.before != nil {
		m.before(ctx, step)
	}
	switch {
	case step.Action != lifecycle.ActionAwait:
		return m.Machines.Do(ctx, step, progress)
	case m.done == nil:
		return lifecycle.Errorf(step.Target, "nobody is here to say when the work on it is done; it stays out of service").
			Try("Give the work as a command, or return the machine when it is done: kiban node uncordon")
	}
	progress("press Enter when it is done; Ctrl-C leaves it closed")
	return m.done(ctx, step)
}

// beforeStep has the cluster keep what a restart would make an API server forget. A run does not fail for it.
func (w *world) beforeStep(ctx context.Context, step lifecycle.Step) {
	if !restarts(w.site, step) || !w.api.Connected() {
		return
	}
	if err := w.keepRequests(ctx, step.Target); err != nil {
		w.log.Debug("what its API server was asked for could not be kept", "host", step.Target, "error", err)
	}
}

// harmless reports whether the plan changes nothing on the site: then it needs no lock.
func harmless(plan lifecycle.Plan) bool {
	return !slices.ContainsFunc(plan.Steps, func(s lifecycle.Step) bool { return s.Action.Resume() != lifecycle.ResumeHarmless })
}

// does reports whether a step of the plan is of this action.
func does(plan lifecycle.Plan, a lifecycle.Action) bool {
	return slices.ContainsFunc(plan.Steps, func(s lifecycle.Step) bool { return s.Action == a })
}
