package journal

import (
	"slices"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestRecordRemembersWhatWasTried: of each controller the last start of its k0s, and what came of it. A machine that was out of reach, a
// step that did not begin to act, and a worker are no word against what was tried.
func TestRecordRemembersWhatWasTried(t *testing.T) {
	v135, v136 := parsed(t, "v1.35.7+k0s.0"), parsed(t, "v1.36.3+k0s.2")
	none := lifecycle.Version{}
	begun := step(0, lifecycle.EventBegun, "", "", none)
	begun.Header = &lifecycle.RunHeader{Hosts: []lifecycle.RunHost{{Name: "c1", Role: lifecycle.RoleController, Version: v135},
		{Name: "w1", Role: lifecycle.RoleWorker, Version: v135}}}
	at := func(second int, kind lifecycle.EventKind, host string, a lifecycle.Action, v lifecycle.Version) lifecycle.Event {
		return step(second, kind, host, a, v)
	}
	failed := func(host string, a lifecycle.Action, lost bool) lifecycle.Event {
		e := at(4, lifecycle.EventFailed, host, a, none)
		e.Diagnostic, e.Lost = new(lifecycle.Errorf(host, "not met").Because("k0s crashes again and again", "more")), lost
		return e
	}
	started := func(host string, a lifecycle.Action, v lifecycle.Version) []lifecycle.Event {
		return []lifecycle.Event{at(1, lifecycle.EventPlanned, host, a, v), at(3, lifecycle.EventStarted, host, a, none)}
	}
	try := func(second int, a lifecycle.Action, v lifecycle.Version, why string) []lifecycle.Try {
		return []lifecycle.Try{{Host: "c1", Action: a, Version: v, Why: why,
			At: begun.Time.Add(time.Duration(second) * time.Second).UTC().Truncate(time.Second)}}
	}
	up, start, back := lifecycle.ActionUpgrade, lifecycle.ActionStart, lifecycle.ActionRestoreFormer
	const why = "k0s crashes again and again"
	for name, c := range map[string]struct {
		events []lifecycle.Event
		want   []lifecycle.Try
	}{
		"an upgrade that failed": {append(started("c1", up, v136), failed("c1", up, false)), try(4, up, v136, why)},
		"a start that failed, of what is there": {append(started("c1", start, none), failed("c1", start, false)),
			try(4, start, v135, why)},
		"one that came up": {append(started("c1", start, v136), at(5, lifecycle.EventFinished, "c1", start, none)), try(5, start, v136, "")},
		"the way back came up": {append(started("c1", up, v136), failed("c1", up, false),
			at(5, lifecycle.EventStarted, "c1", back, v135), at(6, lifecycle.EventFinished, "c1", back, none)), try(6, back, v135, "")},
		"out of reach":               {append(started("c1", up, v136), failed("c1", up, true)), nil},
		"it was not begun":           {append(started("c1", up, v136)[:1], failed("c1", up, false)), nil},
		"a worker":                   {append(started("w1", up, v136), failed("w1", up, false)), nil},
		"what does not start k0s":    {append(started("c1", lifecycle.ActionUpload, v136), failed("c1", lifecycle.ActionUpload, false)), nil},
		"an upgrade that was killed": {started("c1", up, v136), nil},
	} {
		if got := Record(append([]lifecycle.Event{begun}, c.events...)).Tried; !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// TestRecordRemembersChangesThatWereTakenBack once the way back has come to its end.
func TestRecordRemembersChangesThatWereTakenBack(t *testing.T) {
	none := lifecycle.Version{}
	planned := step(0, lifecycle.EventPlanned, "w1", lifecycle.ActionReinstall, none)
	started := step(1, lifecycle.EventStarted, "w1", lifecycle.ActionReinstall, none)
	failed := step(2, lifecycle.EventFailed, "w1", lifecycle.ActionReinstall, none)
	failed.Diagnostic = new(lifecycle.Errorf("w1", "not met").Because("unknown flag: --nonsense", "more"))
	begun := step(3, lifecycle.EventStarted, "w1", lifecycle.ActionRestoreSettings, none)
	begun.Change = "sha256:c"
	done := step(4, lifecycle.EventFinished, "w1", lifecycle.ActionRestoreSettings, none)
	want := []lifecycle.FailedChange{{Host: "w1", Change: "sha256:c", Why: "unknown flag: --nonsense"}}
	if got := Record([]lifecycle.Event{planned, started, failed, begun, done}).FailedChanges; !slices.Equal(got, want) {
		t.Errorf("taken back: %+v", got)
	}
	if got := Record([]lifecycle.Event{planned, started, failed, begun}).FailedChanges; len(got) != 0 {
		t.Errorf("not taken back: %+v", got)
	}
	p := lifecycle.Past{Runs: []lifecycle.RunRecord{{ID: "r2"}, {ID: "r1", FailedChanges: want}}}
	if f, r, ok := p.FailedChange("w1", "sha256:c"); !ok || r.ID != "r1" || f != want[0] {
		t.Errorf("%+v of %s, %t", f, r.ID, ok)
	}
	for host, change := range map[string]string{"w1": "sha256:d", "w2": "sha256:c"} {
		if _, _, ok := p.FailedChange(host, change); ok {
			t.Errorf("%s on %s is remembered", change, host)
		}
	}
}
