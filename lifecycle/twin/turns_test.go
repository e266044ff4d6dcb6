package twin

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestTurns: who waits for a rehearsal reads which machine's turn it is and how far the plan has come, once for each machine.
func TestTurns(t *testing.T) {
	var told []string
	turns := newTurns(func(text string) { told = append(told, text) })
	step := func(kind lifecycle.EventKind, machine string, a lifecycle.Action, disrupts bool) {
		turns.see(lifecycle.Event{Kind: kind, Step: machine + "/" + string(a), Target: machine, Action: a, Disrupts: disrupts})
	}
	for _, m := range []string{"controller-1", "worker-1"} {
		step(lifecycle.EventPlanned, m, lifecycle.ActionUpload, false)
	}
	step(lifecycle.EventPlanned, "controller-1", lifecycle.ActionUpgrade, true)
	step(lifecycle.EventPlanned, "worker-1", lifecycle.ActionCordon, false)
	step(lifecycle.EventPlanned, "worker-1", lifecycle.ActionDrain, true)
	for _, m := range []string{"controller-1", "worker-1"} {
		step(lifecycle.EventStarted, m, lifecycle.ActionUpload, false)
		step(lifecycle.EventFinished, m, lifecycle.ActionUpload, false)
	}
	step(lifecycle.EventStarted, "controller-1", lifecycle.ActionUpgrade, false)
	step(lifecycle.EventFinished, "controller-1", lifecycle.ActionUpgrade, false)
	step(lifecycle.EventStarted, "worker-1", lifecycle.ActionCordon, false)
	step(lifecycle.EventFinished, "worker-1", lifecycle.ActionCordon, false)
	step(lifecycle.EventStarted, "worker-1", lifecycle.ActionDrain, false)
	want := []string{"controller-1 has its turn: 2 of 5 steps done.", "worker-1 has its turn: 3 of 5 steps done."}
	if !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}
