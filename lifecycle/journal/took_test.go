package journal

import (
	"reflect"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestTook: what later plans are estimated by is what the finished steps of the plan took.
func TestTook(t *testing.T) {
	finished := func(target string, a lifecycle.Action, took time.Duration) lifecycle.Event {
		e := step(9, lifecycle.EventFinished, target, a, lifecycle.Version{})
		e.Elapsed = took
		return e
	}
	planned := func(target string, a lifecycle.Action) lifecycle.Event {
		return step(0, lifecycle.EventPlanned, target, a, lifecycle.Version{})
	}
	failed := step(9, lifecycle.EventFailed, "worker-2", lifecycle.ActionUpgrade, lifecycle.Version{})
	failed.Elapsed = time.Hour
	events := []lifecycle.Event{
		planned("worker-1", lifecycle.ActionDrain), planned("worker-1", lifecycle.ActionUpgrade), planned("worker-2", lifecycle.ActionDrain),
		planned("worker-2", lifecycle.ActionUpgrade),
		finished("worker-1", lifecycle.ActionDrain, 20*time.Second), finished("worker-1", lifecycle.ActionUpgrade, time.Minute),
		finished("worker-2", lifecycle.ActionDrain, 40*time.Second), failed,
		finished("worker-2", lifecycle.ActionRestoreFormer, 50*time.Second), // the way back
	}
	want := []lifecycle.Took{{Action: lifecycle.ActionDrain, Steps: 2, Total: time.Minute},
		{Action: lifecycle.ActionUpgrade, Steps: 1, Total: time.Minute}}
	if got := Record(events).Took; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Record(events[:4]).Took; got != nil {
		t.Errorf("nothing has finished: %+v", got)
	}
}
