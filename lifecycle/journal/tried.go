package journal

import (
	"maps"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// changeTakenBack notes the change that a machine's k0s did not come up with.
func (r *Recorder) changeTakenBack(e lifecycle.Event) {
	if change := r.changes[e.Step]; e.Action == lifecycle.ActionRestoreSettings && change != "" {
		r.record.FailedChanges = append(r.record.FailedChanges, lifecycle.FailedChange{Host: e.Target, Change: change, Why: r.whys[e.Target]})
	}
}

// cameUp notes what came of a start of a controller's k0s; why says why it did not come up, "" where it did. Of a step that failed before
// it began to act nothing is noted, nor of one whose machine was out of reach.
func (r *Recorder) cameUp(e lifecycle.Event, why string) {
	if !e.Action.StartsK0s() || !r.machines[e.Target].Role.IsController() {
		return
	}
	v := r.installs[e.Step]
	if v.IsZero() {
		v = r.hosts[e.Target]
	}
	r.tried[e.Target] = lifecycle.Try{Host: e.Target, Action: e.Action, Version: v, At: e.Time.UTC().Truncate(time.Second), Why: why}
}

// tries are sorted by machine.
func (r *Recorder) tries() []lifecycle.Try {
	var out []lifecycle.Try
	for _, host := range slices.Sorted(maps.Keys(r.tried)) {
		out = append(out, r.tried[host])
	}
	return out
}
