package main

import (
	"context"
	"errors"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// A run is in the cluster's records before its first step acts, without an end; one that comes to no step leaves none.
func TestARunIsKnownFromItsFirstStep(t *testing.T) {
	plan := planOf("f", "worker-1/cordon", "worker-1/drain")
	for name, refuse := range map[string]error{"a cluster that takes it": nil, "one that does not": errors.New("the API is away")} {
		var journal []lifecycle.Event
		var kept []lifecycle.RunRecord
		run := applyRun{ID: "r1", Who: "ann", Review: &lifecycle.Review{Plan: "sha256:aa"}, Sink: func(e lifecycle.Event) error { journal = append(journal, e); return nil }}
		r := newRecorder(t.Context(), plan, run)
		r.keepFrom(t.Context(), func(_ context.Context, rec lifecycle.RunRecord) error { kept = append(kept, rec); return refuse })
		if err := r.begin(lifecycle.Site{Name: "lab"}, lifecycle.State{}, plan, run); err != nil {
			t.Fatal(err)
		}
		tell := func(kind lifecycle.EventKind, step string) {
			if err := r.Sink(lifecycle.Event{Run: "r1", Site: "lab", Kind: kind, Step: step, Target: "worker-1"}); err != nil {
				t.Fatal(err)
			}
		}
		tell(lifecycle.EventPlanned, "worker-1/cordon")
		tell(lifecycle.EventPlanned, "worker-1/drain")
		tell(lifecycle.EventWaiting, "worker-1/cordon")
		if len(kept) != 0 {
			t.Errorf("%s: a run that waits before its first step is recorded: %+v", name, kept)
		}
		tell(lifecycle.EventStarted, "worker-1/cordon")
		if len(kept) != 1 || kept[0].Result != lifecycle.RunUnended || kept[0].ID != "r1" || kept[0].Steps != 2 || kept[0].Begun != 1 || kept[0].Review == nil || kept[0].Review.Plan != "sha256:aa" {
			t.Fatalf("%s: kept %+v", name, kept)
		}
		tell(lifecycle.EventFinished, "worker-1/cordon")
		tell(lifecycle.EventStarted, "worker-1/drain")
		if len(kept) != 1 {
			t.Errorf("%s: recorded again at each step: %+v", name, kept)
		}
		warned := false
		for _, e := range journal {
			warned = warned || e.Diagnostic != nil && e.Diagnostic.Severity == lifecycle.SeverityWarning
		}
		if warned != (refuse != nil) {
			t.Errorf("%s: warned: %v", name, warned)
		}
	}
}
