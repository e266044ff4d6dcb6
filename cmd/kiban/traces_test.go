package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// toldTraces is a collector that keeps what it is told.
type toldTraces struct {
	events []lifecycle.Event
	closed int
	err    error
}

func (t *toldTraces) Sink() lifecycle.Sink {
	return func(e lifecycle.Event) error {
		t.events = append(t.events, e)
		return nil
	}
}

func (t *toldTraces) Close() error { t.closed++; return t.err }

// TestTraces: a run is told to the collector that the environment names; that it can't be is a warning, and the run goes on.
func TestTraces(t *testing.T) {
	for _, tt := range []struct {
		name        string
		open, close error
		says        string
		told        int
	}{
		{"delivered", nil, nil, "", 1},
		{"not delivered", nil, lifecycle.Warnf("", "traces of this run were not delivered"), "traces of this run were not delivered", 1},
		{"can't be made", errors.New("no"), nil, "traces can't be delivered", 0},
	} {
		told := &toldTraces{err: tt.close}
		f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade"), planOf("f", "worker-1/upgrade"), planOf("f")}}
		f.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
			return run.Sink(lifecycle.Event{Run: run.ID, Kind: lifecycle.EventStarted, Step: "worker-1/upgrade"})
		}
		f.traces = func(context.Context, func(string) string) (runTraces, error) { return told, tt.open }
		r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes")
		if r.code != exitDone || len(told.events) != tt.told || told.closed != tt.told || !strings.Contains(r.err, tt.says) {
			t.Errorf("%s: exit %d, %d events, closed %d times\n%s", tt.name, r.code, len(told.events), told.closed, r.err)
		}
	}
}
