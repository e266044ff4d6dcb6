package apply

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// giveBack returns a node to service when its turn ends before k0s on it was touched: a drain that failed, or an operator who
// stopped the run, must not leave a healthy node cordoned. It runs the uncordon that the plan has for this target, early.
//
// Once k0s was touched the node stays out: the next run finds kiban's mark on it and brings it to its end.
func (r *run) giveBack(ctx context.Context, tried, left []lifecycle.Step) {
	if !onlyCordoned(tried) {
		return
	}
	for _, s := range left {
		if s.Action != lifecycle.ActionUncordon {
			continue
		}
		// The run may have been told to stop at once; a node is worth a few seconds more.
		ctx, cancel := lifecycle.Within(context.WithoutCancel(ctx), 10*time.Second, "no answer")
		defer cancel()
		if err := r.permitted(ctx, s); err != nil {
			r.find(lifecycle.AsDiagnostics(err, s.Target+" stays cordoned")...)
			return // it is the other run's now, which finds the mark
		}
		if err := r.Nodes.Uncordon(ctx, s.Target); err != nil {
			r.find(lifecycle.Errorf(s.Target, "%s could not be returned to service", s.Target).
				Try("It carries kiban's mark: the next run returns it, or `kubectl uncordon " + s.Target + "` does.").
				From(err))
			return
		}
		r.set(s.ID, done)
		_ = r.emit(stepEvent(lifecycle.EventFinished, s, s.Target+" is back in service; k0s on it was not touched"))
		return
	}
}

// onlyCordoned reports whether the node was cordoned by these steps and nothing on its machine was changed since.
func onlyCordoned(tried []lifecycle.Step) bool {
	cordoned := false
	for _, s := range tried {
		if s.Action.Touches() {
			return false
		}
		cordoned = cordoned || s.Action == lifecycle.ActionCordon
	}
	return cordoned
}
