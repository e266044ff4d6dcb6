package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// step is one step's whole story: gates, effect, gates, with events on both sides. Its findings stop the run; acted says whether
// the effect was begun.
func (r *run) step(ctx context.Context, s lifecycle.Step) (acted bool, ds lifecycle.Diagnostics) {
	if ds := r.await(ctx, s, s.Before, r.Now(), lifecycle.SeverityBlocked); ds != nil {
		return false, r.fail(ctx, s, r.Now(), false, ds)
	}
	began, start := r.Now(), stepEvent(lifecycle.EventStarted, s, s.Reason)
	start.Within = s.Timeout
	if err := r.emit(start); err != nil {
		return false, lifecycle.Diagnostics{unrecorded(s.ID, err)} // what can't be recorded must not be done
	}
	if err := r.permitted(ctx, s); err != nil {
		return false, r.fail(ctx, s, began, false, lifecycle.AsDiagnostics(err, s.ID+" was not begun"))
	}
	if lost, err := r.guarded(ctx, s); lost {
		return false, r.fail(ctx, s, began, true, lifecycle.AsDiagnostics(err, s.ID+" was ended")) // what it left is the other run's to see to
	} else if err != nil {
		return true, r.fail(ctx, s, began, true, lifecycle.AsDiagnostics(err, fmt.Sprintf("%s of %s failed", s.Action, s.Target)))
	}
	if ds := r.await(ctx, s, s.After, began, lifecycle.SeverityError); ds != nil {
		return true, r.fail(ctx, s, began, true, ds)
	}
	e := stepEvent(lifecycle.EventFinished, s, "")
	e.Elapsed = r.Now().Sub(began)
	_ = r.emit(e) // kept in sinkErr, which stops the run
	return true, nil
}

func unrecorded(what string, err error) lifecycle.Diagnostic {
	return lifecycle.Errorf("", "%s was not begun: the run can no longer be recorded", what).
		Try("Make room for the journal, or whatever the detail asks for, then run the same command again.").
		From(err)
}

// act carries out the step's action, by whom the table of actions names.
func (r *run) act(ctx context.Context, s lifecycle.Step) error {
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.Timeout, fmt.Errorf("%s was given %s", s.ID, s.Timeout))
		defer cancel()
	}
	say := func(msg string) { _ = r.emit(stepEvent(lifecycle.EventProgress, s, msg)) }
	switch s.Action.Doer() {
	case lifecycle.DoerMachines:
		return r.Machines.Do(ctx, s, say)
	case lifecycle.DoerNodes:
		return r.actOnNode(ctx, s, say)
	case lifecycle.DoerUnits:
		return r.Units.Do(ctx, s, say)
	}
	return fmt.Errorf("%q is not something that this version of kiban does", s.Action)
}

func (r *run) actOnNode(ctx context.Context, s lifecycle.Step, say func(string)) error {
	switch s.Action {
	case lifecycle.ActionCordon:
		return r.Nodes.Cordon(ctx, s.Target, r.mark(s))
	case lifecycle.ActionDrain:
		return r.Nodes.Drain(ctx, s.Target, r.site.Policy.Drain, say)
	case lifecycle.ActionUncordon:
		return r.Nodes.Uncordon(ctx, s.Target)
	case lifecycle.ActionClusterConfig:
		if r.Config == nil {
			return errors.New("k0s's configuration in the cluster can't be written here")
		}
		return r.Config.WriteClusterConfig(ctx, r.site.Cluster.Config)
	case lifecycle.ActionPin, lifecycle.ActionSoak, lifecycle.ActionCommit, lifecycle.ActionUnpin:
		if r.Pins == nil {
			return errors.New("the cluster can't keep here that its control plane is pinned")
		}
		return r.Pins.NotePin(ctx, s)
	case lifecycle.ActionLabel:
		return r.Nodes.Label(ctx, s.Target, s.Node)
	case lifecycle.ActionDeleteNode:
		return r.Nodes.DeleteNode(ctx, s.Target)
	}
	return fmt.Errorf("%q is not something that is done to a node", s.Action)
}

// mark is what is noted on a node that the step closes. One that is held for an operator is not to be returned by another run.
func (r *run) mark(s lifecycle.Step) lifecycle.Mark {
	m := lifecycle.Mark{Run: r.RunID, Reason: s.Reason, TakeOver: s.TakeOver}
	if s.Hold {
		m.Run = lifecycle.MaintenanceMark + m.Run
	}
	return m
}

// await waits for each gate in turn. Its findings are of the given severity: a gate before the effect blocks, one after it means
// that the effect did not have its effect.
func (r *run) await(ctx context.Context, s lifecycle.Step, gates []lifecycle.Gate, since time.Time,
	sev lifecycle.Severity) lifecycle.Diagnostics {
	for _, g := range gates {
		if d := r.awaitGate(ctx, s, g, since, sev); d != nil {
			return lifecycle.Diagnostics{*d}
		}
	}
	return nil
}

func (r *run) awaitGate(ctx context.Context, s lifecycle.Step, g lifecycle.Gate, since time.Time,
	sev lifecycle.Severity) *lifecycle.Diagnostic {
	began := r.Now()
	var told lifecycle.Waiting
	for {
		res := r.Gates.Check(ctx, g, since)
		switch {
		case res.State == lifecycle.GateMet || res.State == lifecycle.GateSkipped:
			return nil
		case res.State == lifecycle.GateFailed || r.Now().Sub(began) >= g.Timeout || ctx.Err() != nil ||
			(sev == lifecycle.SeverityBlocked && r.interrupted()):
			return gateFinding(ctx, s, g, res, r.Now().Sub(began), sev)
		}
		if told.News(res.Reason, r.Now()) {
			e := stepEvent(lifecycle.EventWaiting, s, g.String())
			e.Detail, e.Elapsed, e.Within = res.Reason, r.Now().Sub(began), g.Timeout
			_ = r.emit(e)
		}
		select {
		case <-ctx.Done():
		case <-time.After(r.Poll):
		}
	}
}

func gateFinding(ctx context.Context, s lifecycle.Step, g lifecycle.Gate, res lifecycle.GateResult, waited time.Duration,
	sev lifecycle.Severity) *lifecycle.Diagnostic {
	hint := "See to what the reason names, then run the same command again: it carries on from here."
	if g.Kind == lifecycle.GateWindow {
		hint = lifecycle.AwaitWindow
	}
	d := new(lifecycle.Findingf(sev, s.Target, "%s: not met: %s", s.ID, g).
		Because(res.Reason).
		Try(hint).
		Hiding(ctx.Err()))
	if waited >= time.Second {
		d.Detail += fmt.Sprintf(" (waited %s)", waited.Round(time.Second))
	}
	switch {
	case ctx.Err() != nil:
		d.Cause = errors.Join(ErrInterrupted, ctx.Err())
	case res.Unreached:
		d.Cause = lifecycle.ErrConnectionLost
	}
	return d
}

// fail tells of the failure, once a finding. begun says whether the effect was. What failed because the run was told to stop now is one
// finding, an interruption, whatever the step made of it.
func (r *run) fail(ctx context.Context, s lifecycle.Step, began time.Time, begun bool, ds lifecycle.Diagnostics) lifecycle.Diagnostics {
	if cutShort(ctx, ds) {
		d := lifecycle.Errorf("", "%s was not begun", s.ID).
			Because(ds.Error()).
			From(errors.Join(ErrInterrupted, ds))
		if begun {
			d.Summary = s.ID + " was ended in the middle"
		}
		ds = lifecycle.Diagnostics{d}
	}
	for i := range ds {
		if ds[i].Subject == "" {
			ds[i].Subject = s.Target
		}
		e := stepEvent(lifecycle.EventFailed, s, ds[i].Summary)
		e.Elapsed, e.Diagnostic = r.Now().Sub(began), &ds[i]
		_ = r.emit(e)
	}
	return ds
}

// cutShort reports whether the findings say no more than that the run's context ended.
func cutShort(ctx context.Context, ds lifecycle.Diagnostics) bool {
	if ctx.Err() == nil {
		return false
	}
	for _, d := range ds {
		if !errors.Is(d, ctx.Err()) && !errors.Is(d, context.Cause(ctx)) && !errors.Is(d, ErrInterrupted) {
			return false
		}
	}
	return true
}
