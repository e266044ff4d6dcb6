package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// A run is in the cluster's records before its first step acts, without an end; one that comes to no step leaves none.
func TestARunIsKnownFromItsFirstStep(t *testing.T) {
	plan := planOf("f", "worker-1/cordon", "worker-1/drain")
	for name, refuse := range map[string]error{"a cluster that takes it": nil, "one that does not": errors.New("the API is away")} {
		var journal []lifecycle.Event
		var kept []lifecycle.RunRecord
		run := Run{ID: "r1", Who: "ann", Review: &lifecycle.Review{Plan: "sha256:aa"},
			Sink: func(e lifecycle.Event) error { journal = append(journal, e); return nil }}
		r := newRecorder(t.Context(), plan, run)
		r.keepFrom(t.Context(), func(_ context.Context, rec lifecycle.RunRecord) error { kept = append(kept, rec); return refuse })
		if err := r.begin(lifecycle.Site{Name: "lab"}, plan, run); err != nil {
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
		if len(kept) != 1 || kept[0].Result != lifecycle.RunUnended || kept[0].ID != "r1" || kept[0].Steps != 2 || kept[0].Begun != 1 ||
			kept[0].Review == nil || kept[0].Review.Plan != "sha256:aa" {
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

// played hands a run's events to a recorder and gives what came out of it, and what the cluster was given.
func played(t *testing.T, plan lifecycle.Plan, stop chan struct{}, put error, events ...lifecycle.Event) (out []lifecycle.Event,
	kept []lifecycle.RunRecord) {
	t.Helper()
	run := Run{ID: "r1", Who: "ann", Where: "laptop", Stop: stop, Sink: func(e lifecycle.Event) error { out = append(out, e); return nil }}
	site := lifecycle.Site{Name: "lab", Digest: "sha256:aa", Revision: "3f2a"}
	site.Cluster.Hosts = []lifecycle.Host{{Name: "worker-1", Role: lifecycle.RoleWorker}, {Name: "worker-2", Role: lifecycle.RoleWorker}}
	v, err := lifecycle.ParseVersion("v1.35.7+k0s.0")
	if err != nil {
		t.Fatal(err)
	}
	seen := lifecycle.State{Hosts: []lifecycle.HostState{{Name: "worker-1", ServiceName: "k0sworker", Running: v, Binary: v},
		{Name: "worker-2", Binary: v}}}
	run.Seen = seen
	r := newRecorder(t.Context(), plan, run)
	if err := r.begin(site, plan, run); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := r.Sink(e); err != nil {
			t.Fatal(err)
		}
	}
	r.keep(t.Context(), func(_ context.Context, rec lifecycle.RunRecord) error { kept = append(kept, rec); return put })
	return out, kept
}

func TestTheRecordOfARun(t *testing.T) {
	plan := planOf("f", "worker-1/upgrade")
	v, err := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if err != nil {
		t.Fatal(err)
	}
	plan.Steps[0].Version, plan.Steps[0].Disrupts = v, true
	event := func(kind lifecycle.EventKind) lifecycle.Event {
		e := lifecycle.Event{Time: time.Now(), Run: "r1", Site: "lab", Kind: kind}
		if kind != lifecycle.EventSummary {
			e.Step, e.Target, e.Action = "worker-1/upgrade", "worker-1", lifecycle.ActionUpgrade
		}
		return e
	}
	planned, started, finished, summary := event(lifecycle.EventPlanned), event(lifecycle.EventStarted), event(lifecycle.EventFinished),
		event(lifecycle.EventSummary)

	out, kept := played(t, plan, nil, nil, planned, started, finished, summary)
	h := out[0].Header
	if out[0].Kind != lifecycle.EventBegun || h == nil || h.Who != "ann" || h.Digest != "sha256:aa" || len(h.Hosts) != 2 ||
		len(h.Stages) != 1 {
		t.Fatalf("the first event: %+v, header %+v", out[0], h)
	}
	if h.Hosts[0].Version.IsZero() || !h.Hosts[1].Version.IsZero() {
		t.Errorf("worker-1 runs a version, worker-2 only has a binary: %+v", h.Hosts)
	}
	if out[1].Version != v || !out[1].Disrupts || out[4].Result != lifecycle.RunDone {
		t.Errorf("planned %+v, summary %+v", out[1], out[4])
	}
	if len(kept) != 1 || kept[0].Result != lifecycle.RunDone || !slices.Equal(kept[0].After, []lifecycle.Version{v}) ||
		kept[0].Revision != "3f2a" || kept[0].Machines != 1 {
		t.Errorf("kept: %+v", kept)
	}

	// A run that began no step has changed nothing, and the cluster is left alone too.
	if _, kept := played(t, plan, nil, nil, planned, summary); kept != nil {
		t.Errorf("a run that did nothing was recorded: %+v", kept)
	}
	// Whoever stopped it is not told that it failed.
	stop := make(chan struct{})
	close(stop)
	if _, kept := played(t, plan, stop, nil, planned, started, event(lifecycle.EventFailed),
		summary); kept[0].Result != lifecycle.RunInterrupted {
		t.Errorf("stopped: %+v", kept)
	}
	if _, kept := played(t, plan, stop, nil, planned, started, finished, summary); kept[0].Result != lifecycle.RunDone {
		t.Errorf("stopped when all was done: %+v", kept)
	}
	// A cluster that does not take the record is a warning, after the end.
	out, _ = played(t, plan, nil, errors.New("the API is gone"), planned, started, finished, summary)
	last := out[len(out)-1]
	if last.Diagnostic == nil || last.Diagnostic.Severity != lifecycle.SeverityWarning ||
		!strings.Contains(last.Diagnostic.Detail, "the API is gone") {
		t.Errorf("the last event: %+v", last)
	}
}

func planOf(facts string, steps ...string) lifecycle.Plan {
	p := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab", SiteDigest: "sha256:aa", FactsDigest: facts}
	for _, id := range steps {
		target, action, _ := strings.Cut(id, "/")
		p.Steps = append(p.Steps, lifecycle.Step{ID: id, Stage: "s", Target: target, Action: lifecycle.Action(action), Reason: "because"})
	}
	if len(steps) > 0 {
		p.Stages = []lifecycle.Stage{{ID: "s", Title: "the stage"}}
	}
	return p
}
