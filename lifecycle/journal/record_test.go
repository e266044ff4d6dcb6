package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func parsed(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func step(second int, kind lifecycle.EventKind, target string, a lifecycle.Action, v lifecycle.Version) lifecycle.Event {
	return lifecycle.Event{Format: lifecycle.EventFormat, Time: time.Date(2026, 11, 21, 22, 0, second, 0, time.UTC), Run: "r1", Site: "lab",
		Kind: kind,
		Step: target + "/" + string(a), Target: target, Action: a, Version: v}
}

func TestRecord(t *testing.T) {
	v135, v136 := parsed(t, "v1.35.7+k0s.0"), parsed(t, "v1.36.3+k0s.2")
	begun := lifecycle.Event{Kind: lifecycle.EventBegun, Run: "r1", Site: "lab", Time: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC),
		Header: &lifecycle.RunHeader{Who: "ann", Where: "laptop", Doing: "apply", Revision: "3f2a", Digest: "sha256:aa",
			Hosts: []lifecycle.RunHost{{Name: "worker-1", Version: v135}, {Name: "worker-2", Version: v135}, {Name: "worker-3"}}}}
	planned := []lifecycle.Event{
		begun,
		step(0, lifecycle.EventPlanned, "worker-1", lifecycle.ActionUpgrade, v136),
		step(0, lifecycle.EventPlanned, "worker-2", lifecycle.ActionReset, lifecycle.Version{}),
	}
	blocked, failed := step(4, lifecycle.EventFailed, "worker-2", lifecycle.ActionReset, lifecycle.Version{}),
		step(4, lifecycle.EventFailed, "worker-2", lifecycle.ActionReset, lifecycle.Version{})
	blocked.Diagnostic = &lifecycle.Diagnostic{Severity: lifecycle.SeverityBlocked}
	failed.Diagnostic = &lifecycle.Diagnostic{Severity: lifecycle.SeverityError}
	end := event(lifecycle.EventSummary, "")
	end.Time = begun.Time.Add(time.Minute)
	told := end
	told.Result = lifecycle.RunInterrupted
	back := func(e lifecycle.Event) lifecycle.Event { e.Action = lifecycle.ActionUpgrade; return e }
	first := []lifecycle.Event{step(1, lifecycle.EventStarted, "worker-1", lifecycle.ActionUpgrade, lifecycle.Version{}),
		step(3, lifecycle.EventFinished, "worker-1", lifecycle.ActionUpgrade, lifecycle.Version{})}
	second := []lifecycle.Event{step(3, lifecycle.EventStarted, "worker-2", lifecycle.ActionReset, lifecycle.Version{}),
		step(5, lifecycle.EventFinished, "worker-2", lifecycle.ActionReset, lifecycle.Version{})}
	for _, tt := range []struct {
		name                    string
		more                    []lifecycle.Event
		result                  lifecycle.RunResult
		after                   []lifecycle.Version
		begun, done, failed, on int
		took                    time.Duration
	}{
		{"whole", slices.Concat(first, second, []lifecycle.Event{end}), lifecycle.RunDone, []lifecycle.Version{v136}, 2, 2, 0, 2, time.Minute},
		{"the way back after a failure is no step of the plan",
			slices.Concat(first, []lifecycle.Event{failed, step(5, lifecycle.EventStarted, "worker-1", lifecycle.ActionUpgrade+"@back", v135),
				back(step(6, lifecycle.EventFinished, "worker-1", lifecycle.ActionUpgrade+"@back", lifecycle.Version{})), end}), lifecycle.RunFailed,
			[]lifecycle.Version{v135}, 2, 1, 1, 1, time.Minute},
		{"an upgrade that was cut off earlier is taken back",
			slices.Concat(first, []lifecycle.Event{failed, step(5, lifecycle.EventStarted, "worker-1", lifecycle.ActionRestoreFormer, v135),
				step(6, lifecycle.EventFinished, "worker-1", lifecycle.ActionRestoreFormer, lifecycle.Version{}), end}), lifecycle.RunFailed,
			[]lifecycle.Version{v135}, 2, 1, 1, 1, time.Minute},
		{"a word about the record comes after the end", slices.Concat(first, second,
			[]lifecycle.Event{end, step(70, lifecycle.EventProgress, "", "", lifecycle.Version{})}), lifecycle.RunDone, []lifecycle.Version{v136},
			2,
			2, 0, 2, time.Minute},
		{"killed", first, lifecycle.RunUnended, []lifecycle.Version{v135, v136}, 1, 1, 0, 1, 3 * time.Second},
		{"blocked", slices.Concat(first, []lifecycle.Event{blocked, end}), lifecycle.RunBlocked, []lifecycle.Version{v135, v136}, 1, 1, 1, 1,
			time.Minute},
		{"a failure is worse than a block", slices.Concat(first, []lifecycle.Event{blocked, failed, end}), lifecycle.RunFailed,
			[]lifecycle.Version{v135, v136}, 1, 1, 2, 1, time.Minute},
		{"stopped", slices.Concat(first, []lifecycle.Event{step(4, lifecycle.EventSkipped, "worker-2", lifecycle.ActionReset,
			lifecycle.Version{}), end}), lifecycle.RunInterrupted, []lifecycle.Version{v135, v136}, 1, 1, 0, 1, time.Minute},
		{"the summary knows best", slices.Concat(first, []lifecycle.Event{failed, told}), lifecycle.RunInterrupted,
			[]lifecycle.Version{v135, v136}, 1, 1, 1, 1, time.Minute},
	} {
		got := Record(slices.Concat(planned, tt.more))
		want := lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: "r1", Site: "lab", Who: "ann", Where: "laptop", Doing: "apply",
			Revision: "3f2a", Digest: "sha256:aa", Began: begun.Time,
			Ended: begun.Time.Add(tt.took), Result: tt.result, Before: []lifecycle.Version{v135}, After: tt.after, Aim: v136, Steps: 2,
			Begun: tt.begun,
			Done:  tt.done, Failed: tt.failed, Machines: tt.on}
		if tt.name == "an upgrade that was cut off earlier is taken back" {
			want.FailedUpgrades = []lifecycle.FailedUpgrade{{Host: "worker-1", Version: v136, Former: v135, Why: "it did not come up"}}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, got, want)
		}
	}
}

// TestRecordRemembersWhatWasTakenBack: the version, the machine and why, once the way back has come to its end. An upgrade that was not
// begun, or whose way back failed, is none.
func TestRecordRemembersWhatWasTakenBack(t *testing.T) {
	v135, v136 := parsed(t, "v1.35.7+k0s.0"), parsed(t, "v1.36.3+k0s.2")
	at := func(second int, kind lifecycle.EventKind, a lifecycle.Action, v lifecycle.Version) lifecycle.Event {
		return step(second, kind, "worker-1", a, v)
	}
	none := lifecycle.Version{}
	planned := at(0, lifecycle.EventPlanned, lifecycle.ActionUpgrade, v136)
	started := at(1, lifecycle.EventStarted, lifecycle.ActionUpgrade, none)
	failed := at(2, lifecycle.EventFailed, lifecycle.ActionUpgrade, none)
	failed.Diagnostic = new(lifecycle.Errorf("worker-1", "not met").Because("k0s crashes again and again", "more"))
	back := []lifecycle.Event{at(3, lifecycle.EventStarted, lifecycle.ActionRestoreFormer, v135),
		at(4, lifecycle.EventFinished, lifecycle.ActionRestoreFormer, none)}
	want := []lifecycle.FailedUpgrade{{Host: "worker-1", Version: v136, Former: v135, Why: "k0s crashes again and again"}}
	if got := Record(append([]lifecycle.Event{planned, started, failed}, back...)).FailedUpgrades; !slices.Equal(got, want) {
		t.Errorf("taken back: %+v", got)
	}
	again := at(0, lifecycle.EventPlanned, lifecycle.ActionRestoreFormer, v135)
	again.Stage = lifecycle.StageBack
	header := planned
	header.Kind, header.Step, header.Header = lifecycle.EventBegun, "", &lifecycle.RunHeader{
		Hosts: []lifecycle.RunHost{{Name: "worker-1", Version: v136}}}
	want[0].Why = lifecycle.WhyWentBack
	if got := Record(append([]lifecycle.Event{header, again}, back...)).FailedUpgrades; !slices.Equal(got, want) {
		t.Errorf("somebody took it back: %+v", got)
	}
	if got := Record([]lifecycle.Event{planned, started, failed, back[0]}).FailedUpgrades; len(got) != 0 {
		t.Errorf("not taken back: %+v", got)
	}
	if got := Record([]lifecycle.Event{planned, failed}).FailedUpgrades; len(got) != 0 {
		t.Errorf("not begun: %+v", got)
	}
}

// TestRecordTellsFailuresThatMayBefallOthers: what failed on which kind of machine. What was merely in the way, a lost connection, and
// what is
// a site's own do not count.
func TestRecordTellsFailuresThatMayBefallOthers(t *testing.T) {
	v136, none := parsed(t, "v1.36.3+k0s.2"), lifecycle.Version{}
	begun := lifecycle.Event{Kind: lifecycle.EventBegun, Run: "r1", Site: "lab", Header: &lifecycle.RunHeader{Hosts: []lifecycle.RunHost{
		{Name: "worker-1", Role: lifecycle.RoleWorker, Machine: "Debian 12, 6.1.0-18, amd64"}}}}
	planned := step(0, lifecycle.EventPlanned, "worker-1", lifecycle.ActionUpgrade, v136)
	failed := func(target string, a lifecycle.Action, d lifecycle.Diagnostic) lifecycle.Event {
		e := step(1, lifecycle.EventFailed, target, a, none)
		e.Diagnostic = &d
		return e
	}
	broken := lifecycle.Errorf("worker-1", "not met").Because("k0s crashes again and again")
	for _, tt := range []struct {
		name string
		e    lifecycle.Event
		want []lifecycle.Failure
	}{
		{"a machine", failed("worker-1", lifecycle.ActionUpgrade, broken), []lifecycle.Failure{{Action: lifecycle.ActionUpgrade,
			Role: lifecycle.RoleWorker, Machine: "Debian 12, 6.1.0-18, amd64", Version: v136, Why: "k0s crashes again and again",
			Where: "worker-1"}}},
		{"an addon", failed("addon/metallb", lifecycle.ActionApply, broken), []lifecycle.Failure{{Action: lifecycle.ActionApply,
			Unit: "addon/metallb", Why: "k0s crashes again and again", Where: "addon/metallb"}}},
		{"a budget was in the way", failed("worker-1", lifecycle.ActionUpgrade, lifecycle.Blockedf("worker-1", "not now")), nil},
		{"the connection was lost", failed("worker-1", lifecycle.ActionUpgrade, broken.From(lifecycle.ErrConnectionLost)), nil},
		{"pods that do not end", failed("worker-1", lifecycle.ActionDrain, broken), nil},
	} {
		if got := Record([]lifecycle.Event{begun, planned, tt.e}).Failures; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
	many := []lifecycle.Event{begun, planned}
	for range 9 {
		many = append(many, failed("worker-1", lifecycle.ActionUpgrade, broken))
	}
	if got := Record(many); len(got.Failures) != mostFailures || got.Failed != 9 {
		t.Errorf("%d failures of %d", len(got.Failures), got.Failed)
	}
}

// The runner alone writes neither a begun event nor versions nor a result.
func TestRecordWithoutHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "20261121-220000-abcdef.jsonl")
	line := func(second int, rest string) string {
		return fmt.Sprintf(`{"format":"1.0","time":"2026-11-21T22:00:%02dZ","run":"20261121-220000-abcdef","site":"lab",%s}`+"\n", second, rest)
	}
	const step = `"step":"worker-1/upgrade","stage":"workers","target":"worker-1","action":"upgrade"`
	written := line(0, `"kind":"planned",`+step) +
		line(1, `"kind":"started",`+step) +
		line(9, `"kind":"finished",`+step+`,"elapsed":8000000000`) +
		line(9, `"kind":"summary","message":"1 of 1 steps done","elapsed":9000000000`)
	if err := os.WriteFile(path, []byte(written), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := RecordOf(Run{ID: "20261121-220000-abcdef", Site: "lab", Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if got.Result != lifecycle.RunDone || got.Done != 1 || got.Steps != 1 || got.Before != nil || got.Ended.Sub(got.Began) != 9*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestRunsAndFind(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"lab/20261121-220000-aaaaaa.jsonl", "lab/20261121-220000-aaaaaa.commands.jsonl",
		"lab/20261121-230000-bbbbbb.jsonl", "tokyo/20261120-100000-cccccc.jsonl", "lab/notes.txt"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ids := func(runs []Run) (out []string) {
		for _, r := range runs {
			out = append(out, r.Site+" "+r.ID)
		}
		return out
	}
	all, err := Runs(root, "")
	if err != nil {
		t.Fatal(err)
	}
	newest, older, oldest := "lab 20261121-230000-bbbbbb", "lab 20261121-220000-aaaaaa", "tokyo 20261120-100000-cccccc"
	if got := ids(all); !slices.Equal(got, []string{newest, older, oldest}) {
		t.Errorf("all: %v", got)
	}
	if one, err := Runs(root, "tokyo"); err != nil || !slices.Equal(ids(one), []string{oldest}) {
		t.Errorf("one site: %v, %v", one, err)
	}
	if none, err := Runs(filepath.Join(root, "nowhere"), "lab"); err != nil || len(none) != 0 {
		t.Errorf("no folder: %v, %v", none, err)
	}
	for name, want := range map[string][]string{
		"latest": {newest}, "20261121-220000-aaaaaa": {older}, "20261121-22": {older}, "20261121": {newest, older}, "2027": nil, "": nil,
	} {
		if got := ids(Find(all, name)); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}
