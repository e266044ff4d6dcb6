package timeline

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// told is a run of one controller and three workers, two at a time after one canary, as its journal tells of it.
func told(t *testing.T) []lifecycle.Event {
	v135, v136 := rendertest.Version(t, "v1.35.7+k0s.0"), rendertest.Version(t, "v1.36.3+k0s.2")
	header := &lifecycle.RunHeader{Who: "ann", Where: "laptop", Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d", Digest: "sha256:aa",
		Stages: []lifecycle.Stage{{ID: "backup", Title: "backup of the control plane", Width: 1},
			{ID: "controllers", Title: "controllers to v1.36.3+k0s.2", Width: 1},
			{ID: "workers", Title: "workers to v1.36.3+k0s.2", Width: 2, Canary: 1}}}
	for _, w := range []string{"worker-1", "worker-2", "worker-3"} { // declared before the controller
		header.Hosts = append(header.Hosts, lifecycle.RunHost{Name: w, Role: lifecycle.RoleWorker, Version: v135})
	}
	header.Hosts = append(header.Hosts, lifecycle.RunHost{Name: "controller-1", Role: lifecycle.RoleController, Version: v135})
	begun := rendertest.On(0, lifecycle.EventBegun, "", "", "", "run r by ann on laptop")
	begun.Header = header
	events := []lifecycle.Event{begun}
	add := func(second int, kind lifecycle.EventKind, stage, target string, a lifecycle.Action, message, detail string) *lifecycle.Event {
		e := rendertest.On(second, kind, stage, target, a, message)
		e.Format, e.Detail = lifecycle.EventFormat, detail
		if target == "" && a != "" {
			e.Step = "cluster/" + string(a)
		}
		events = append(events, e)
		return &events[len(events)-1]
	}
	add(0, lifecycle.EventPlanned, "backup", "", lifecycle.ActionBackup, "a backup is taken before controllers change", "")
	upgrade := func(stage, target string) {
		e := add(0, lifecycle.EventPlanned, stage, target, lifecycle.ActionUpgrade, "k0s v1.35.7+k0s.0 is installed, v1.36.3+k0s.2 is declared",
			"")
		e.Version, e.Disrupts = v136, true
	}
	upgrade("controllers", "controller-1")
	for _, w := range []string{"worker-1", "worker-2", "worker-3"} {
		add(0, lifecycle.EventPlanned, "workers", w, lifecycle.ActionCordon, "k0s v1.35.7+k0s.0 is installed, v1.36.3+k0s.2 is declared", "")
		add(0, lifecycle.EventPlanned, "workers", w, lifecycle.ActionDrain, "its pods move away before k0s stops", "").Disrupts = true
		upgrade("workers", w)
		add(0, lifecycle.EventPlanned, "workers", w, lifecycle.ActionUncordon, "kiban cordoned it; it is well again", "")
	}
	do := func(from, to int, stage, target string, a lifecycle.Action) {
		add(from, lifecycle.EventStarted, stage, target, a, "why", "")
		add(to, lifecycle.EventFinished, stage, target, a, "", "").Elapsed = time.Duration(to-from) * time.Second
	}
	do(1, 4, "backup", "", lifecycle.ActionBackup)
	add(4, lifecycle.EventStarted, "controllers", "controller-1", lifecycle.ActionUpgrade, "why", "")
	add(10, lifecycle.EventWaiting, "controllers", "controller-1", lifecycle.ActionUpgrade, "API server of controller-1 is ready", "no answer")
	add(14, lifecycle.EventWaiting, "controllers", "controller-1", lifecycle.ActionUpgrade, "API server of controller-1 is ready",
		"etcd is not ready")
	add(16, lifecycle.EventWaiting, "controllers", "controller-1", lifecycle.ActionUpgrade,
		"controller manager and scheduler lead again and endpoints follow", "the lease is old")
	add(24, lifecycle.EventFinished, "controllers", "controller-1", lifecycle.ActionUpgrade, "", "").Elapsed = 20 * time.Second
	do(24, 25, "workers", "worker-1", lifecycle.ActionCordon)
	do(25, 30, "workers", "worker-1", lifecycle.ActionDrain)
	do(30, 40, "workers", "worker-1", lifecycle.ActionUpgrade)
	do(40, 42, "workers", "worker-1", lifecycle.ActionUncordon)
	do(42, 43, "workers", "worker-2", lifecycle.ActionCordon)
	add(42, lifecycle.EventWaiting, "workers", "worker-3", lifecycle.ActionCordon, "disruption budgets let worker-3 be drained",
		"shop/web allows 0")
	do(43, 50, "workers", "worker-2", lifecycle.ActionDrain)
	do(47, 48, "workers", "worker-3", lifecycle.ActionCordon)
	add(48, lifecycle.EventStarted, "workers", "worker-3", lifecycle.ActionDrain, "why", "")
	do(50, 58, "workers", "worker-2", lifecycle.ActionUpgrade)
	failed := add(56, lifecycle.EventFailed, "workers", "worker-3", lifecycle.ActionDrain, "worker-3 could not be drained", "")
	failed.Elapsed = 8 * time.Second
	failed.Diagnostic = &lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: "worker-3", Summary: "worker-3 could not be drained",
		Detail: "shop/web-2 stays: its budget shop/web allows no disruption",
		Hint:   "kubectl -n shop get pdb web"}
	do(58, 60, "workers", "worker-2", lifecycle.ActionUncordon)
	add(60, lifecycle.EventSkipped, "workers", "worker-3", lifecycle.ActionUpgrade, "not begun", "")
	add(60, lifecycle.EventSkipped, "workers", "worker-3", lifecycle.ActionUncordon, "not begun", "")
	end := add(60, lifecycle.EventSummary, "", "", "", "12 of 14 steps done", "")
	end.Elapsed, end.Result = time.Minute, lifecycle.RunFailed
	slices.SortStableFunc(events, func(a, b lifecycle.Event) int { return a.Time.Compare(b.Time) })
	return events
}

func sec(n int) time.Duration { return time.Duration(n) * time.Second }

func TestRun(t *testing.T) {
	tl := newModel(told(t))
	var lanes []string
	for _, l := range tl.lanes {
		lanes = append(lanes, l.name+" "+string(l.state()))
	}
	if want := []string{"cluster done", "controller-1 done", "worker-1 done", "worker-2 done", "worker-3 failed"}; !slices.Equal(lanes, want) {
		t.Errorf("lanes %q, want %q", lanes, want)
	}
	up := tl.lanes[1].bars[0]
	if want := []wait{{sec(10), sec(16), "API server of controller-1 is ready", "etcd is not ready"},
		{sec(16), sec(24), "controller manager and scheduler lead again and endpoints follow", "the lease is old"}}; !reflect.DeepEqual(up.waits,
		want) {
		t.Errorf("waits %+v, want %+v", up.waits, want)
	}
	if up.from != sec(4) || up.acted != sec(4) || up.to != sec(24) || up.waited() != sec(14) || !up.disrupts {
		t.Errorf("the controller's upgrade: %+v", up)
	}
	cordon := tl.lanes[4].bars[0]
	if cordon.from != sec(42) || cordon.acted != sec(47) || cordon.waited() != sec(5) {
		t.Errorf("a gate before the step: %+v", cordon)
	}
	if want := []level{{0, 0}, {sec(4), 1}, {sec(24), 0}, {sec(25), 1}, {sec(42), 0}, {sec(43), 1}, {sec(48), 2}}; !reflect.DeepEqual(tl.out,
		want) {
		t.Errorf("out of service %v, want %v", tl.out, want)
	}
	if want := []limit{{sec(4), sec(24), 1}, {sec(24), sec(42), 1}, {sec(42), sec(60), 2}}; !reflect.DeepEqual(tl.allowed, want) {
		t.Errorf("allowed %v, want %v", tl.allowed, want)
	}
	if tl.most() != 2 || tl.widest() != 2 || tl.longest().step != "controller-1/upgrade" || len(tl.findings) != 1 || tl.lanes[4].left != 2 {
		t.Errorf("most %d, widest %d, longest %s, findings %v", tl.most(), tl.widest(), tl.longest().step, tl.findings)
	}
}

func TestKilledRun(t *testing.T) {
	events := told(t)
	events = events[:slices.IndexFunc(events, func(e lifecycle.Event) bool { return e.Time.Sub(rendertest.At(0)) > sec(45) })]
	tl := newModel(events)
	if tl.length != sec(43) {
		t.Errorf("length %s", tl.length)
	}
	var states []string
	for _, l := range tl.lanes {
		states = append(states, l.name+" "+string(l.state()))
	}
	if want := []string{"cluster done", "controller-1 done", "worker-1 done", "worker-2 no end", "worker-3 no end"}; !slices.Equal(states,
		want) {
		t.Errorf("lanes %q, want %q", states, want)
	}
	if w := tl.lanes[4].bars[0].waits; len(w) != 1 || w[0].to != sec(43) {
		t.Errorf("a wait without an end: %+v", w)
	}
}

func TestOutOfService(t *testing.T) {
	done := func(a lifecycle.Action, from, to int) bar {
		return bar{target: "m", action: a, from: sec(from), acted: sec(from), to: sec(to), state: barDone, disrupts: a.Disrupts()}
	}
	failed := func(b bar) bar { b.state = barFailed; return b }
	blocked := func(b bar) bar { b.state, b.acted = barFailed, -1; return b }
	for _, tt := range []struct {
		name string
		rows []bar
		want []level
	}{
		{"nothing happened", nil, []level{{0, 0}}},
		{"a controller, without a cordon", []bar{done(lifecycle.ActionUpgrade, 2, 5)}, []level{{0, 0}, {sec(2), 1}, {sec(5), 0}}},
		{"what disturbs nobody", []bar{done(lifecycle.ActionUpload, 1, 2), done(lifecycle.ActionBackup, 2, 3)}, []level{{0, 0}}},
		{"a worker is away between its steps too", []bar{done(lifecycle.ActionCordon, 0, 1), done(lifecycle.ActionDrain, 2, 3),
			done(lifecycle.ActionUpgrade, 4, 5), done(lifecycle.ActionUncordon, 6, 7)},
			[]level{{0, 0}, {sec(1), 1}, {sec(7), 0}}},
		{"a failure does not come back", []bar{done(lifecycle.ActionCordon, 0, 1), failed(done(lifecycle.ActionUpgrade, 2, 5))},
			[]level{{0, 0}, {sec(1), 1}}},
		{"blocked before it acted", []bar{blocked(done(lifecycle.ActionUpgrade, 2, 5))}, []level{{0, 0}}},
		{"given back after a failed drain", []bar{done(lifecycle.ActionCordon, 0, 1), failed(done(lifecycle.ActionDrain, 1, 4)),
			done(lifecycle.ActionUncordon, 5, 5)}, []level{{0, 0}, {sec(1), 1}, {sec(5), 0}}},
		{"from the beginning", []bar{done(lifecycle.ActionUpgrade, 0, 5)}, []level{{0, 1}, {sec(5), 0}}},
	} {
		if got := outOfService(tt.rows, sec(10)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	// One comes back at the moment at which another goes: never two.
	other := done(lifecycle.ActionUpgrade, 5, 8)
	other.target = "n"
	if got, want := outOfService([]bar{done(lifecycle.ActionUpgrade, 2, 5), other}, sec(10)),
		[]level{{0, 0}, {sec(2), 1}, {sec(5), 1}, {sec(8), 0}}; !reflect.DeepEqual(got, want) {
		t.Errorf("hand over: got %v, want %v", got, want)
	}
}

func TestModelWithoutHeader(t *testing.T) {
	events := rendertest.Story() // no header, no versions, no result
	for i := range events {
		events[i].Disrupts = events[i].Action.Disrupts()
	}
	tl := newModel(events)
	if len(tl.lanes) != 3 || tl.lanes[0].name != "controller-1" || !slices.Equal(tl.idle, []string{"worker-3"}) || tl.allowed != nil ||
		tl.most() != 2 {
		t.Errorf("lanes %+v, idle %v, allowed %v, most %d", tl.lanes, tl.idle, tl.allowed, tl.most())
	}
	if empty := newModel(nil); len(empty.lanes) != 0 || empty.length != 0 {
		t.Errorf("no events: %+v", empty)
	}
}
