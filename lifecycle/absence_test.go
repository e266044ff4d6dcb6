package lifecycle

import (
	"strings"
	"testing"
	"time"
)

// A machine that does not answer is one that `kiban node` took down by the mark on its node, or by a run on it without an end; any other is
// simply away.
func TestAbsenceOfAMachine(t *testing.T) {
	at := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	away := func(p HostProblem) []HostState { return []HostState{{Name: "w1", Problem: p, Why: "no route to host"}} }
	marked := func(run, reason string) []NodeState {
		return []NodeState{{Name: "w1", Unschedulable: true, Mark: Mark{Run: run, Reason: reason}, LeaseRenewed: at}}
	}
	ran := func(doing string, r RunResult) Past {
		return Past{Runs: []RunRecord{{ID: "r9", Doing: "apply", Result: RunDone}, {ID: "r8", Doing: doing, Result: r, Ended: at},
			{ID: "r7", Doing: "node reboot w1", Result: RunUnended, Ended: at.Add(-time.Hour)}}}
	}
	for name, c := range map[string]struct {
		state State
		is    bool
		says  string // in its sentence and its way
	}{
		"one that answers":   {state: State{Hosts: away(HostOK), Nodes: marked("maintenance:r1", "kiban node reboot")}},
		"one of no run":      {state: State{Hosts: away(HostUnreachable), Nodes: []NodeState{{Name: "w1"}}}},
		"one of an upgrade":  {state: State{Hosts: away(HostUnreachable), Nodes: marked("r1", "an upgrade")}},
		"an unknown key":     {state: State{Hosts: away(HostKeyUnknown), Nodes: marked("maintenance:r1", "kiban node reboot")}},
		"none that is known": {},
		"a reboot": {state: State{Hosts: away(HostUnreachable), Nodes: marked("maintenance:r1", "kiban node reboot")}, is: true,
			says: "heard from at 2026-11-29 03:00:00 UTC: it may be rebooting. If it is rebooting: kiban node reboot lab w1 waits for it"},
		"one that lets nobody in while it boots": {state: State{Hosts: away(HostAuth), Nodes: marked("maintenance:r1", "kiban node reboot")},
			is: true, says: "kiban node reboot lab w1"},
		"an operator's reason": {state: State{Hosts: away(HostUnreachable), Nodes: marked("maintenance:r1", "new disks")}, is: true,
			says: "Its node is in maintenance (new disks), and it was last heard from at 2026-11-29 03:00:00 UTC"},
		"one that is away for hours": {state: State{ObservedAt: at.Add(5 * time.Hour), Hosts: away(HostUnreachable),
			Nodes: marked("maintenance:r1", "kiban node reboot")}, is: true,
			says: "03:00:00 UTC, which is too long for a reboot. See what keeps it, at its console. When it answers: kiban node uncordon lab w1"},
		"one that is away for minutes": {state: State{ObservedAt: at.Add(5 * time.Minute), Hosts: away(HostUnreachable),
			Nodes: marked("maintenance:r1", "kiban node reboot")}, is: true, says: "kiban node reboot lab w1 waits for it"},
		"a controller without a node": {state: State{Hosts: away(HostUnreachable), Past: ran("node maintain w1", RunUnended)}, is: true,
			says: "Run r8 (node maintain w1) has no end"},
		"a run that ended": {state: State{Hosts: away(HostUnreachable), Past: ran("node reboot w1", RunFailed)}},
		"another's run":    {state: State{Hosts: away(HostUnreachable), Past: Past{Runs: ran("node reboot w11", RunUnended).Runs[:2]}}},
		"another verb":     {state: State{Hosts: away(HostUnreachable), Past: ran("node replace w1", RunUnended)}},
		"the only controller, whose API is not up yet": {is: true, says: "Run r8",
			state: State{API: APIState{Unknown: "refused"}, Hosts: []HostState{{Name: "w1", ServiceName: "k0scontroller"}},
				Past: ran("node reboot w1", RunUnended)}},
		"a worker of an API that is away": {state: State{API: APIState{Unknown: "refused"}, Past: ran("node reboot w1", RunUnended),
			Hosts: []HostState{{Name: "w1", ServiceName: "k0sworker"}}}},
	} {
		a, is := c.state.Absence("w1")
		if is != c.is {
			t.Errorf("%s: %t, %+v", name, is, a)
			continue
		}
		if !is {
			continue
		}
		if text := a.String() + " " + a.way("lab", "w1"); !strings.Contains(text, c.says) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// It is waited for as long as a reboot may take, from when it was last heard from, by the verbs that go on from there and by no other.
func TestNodeTaskAwaitsItsMachine(t *testing.T) {
	began := time.Date(2026, 11, 29, 3, 10, 0, 0, time.UTC)
	task := NodeTask{Verb: NodeReboot, Host: "w1", BootTimeout: 15 * time.Minute}
	with := func(v NodeVerb) NodeTask {
		other := task
		other.Verb = v
		return other
	}
	for name, c := range map[string]struct {
		task  NodeTask
		heard time.Time
		since time.Duration // the look's, from the beginning
		want  bool
	}{
		"a moment ago":             {task: task, heard: began.Add(-time.Minute), want: true},
		"just in time":             {task: task, heard: began.Add(-time.Minute), since: 13 * time.Minute, want: true},
		"too late":                 {task: task, heard: began.Add(-time.Minute), since: 14 * time.Minute},
		"switched off an hour ago": {task: task, heard: began.Add(-time.Hour)},
		"not heard from":           {task: task, since: 14 * time.Minute, want: true},
		"not heard from, too late": {task: task, since: 15 * time.Minute},
		"a clock that is ahead":    {task: task, heard: began.Add(time.Hour), since: 15 * time.Minute},
		"maintain":                 {task: with(NodeMaintain), want: true},
		"drain":                    {task: with(NodeDrain)},
		"replace":                  {task: with(NodeReplace)},
		"an hour ago, of a machine that may take two": {task: NodeTask{Verb: NodeReboot, Host: "w1", BootTimeout: 2 * time.Hour},
			heard: began.Add(-time.Hour), want: true},
		"nobody says how long it may be": {task: NodeTask{Verb: NodeReboot, Host: "w1"}},
	} {
		st := State{ObservedAt: began.Add(c.since), Hosts: []HostState{{Name: "w1", Problem: HostUnreachable, Why: "connection refused"}},
			Nodes: []NodeState{{Name: "w1", Mark: Mark{Run: "maintenance:r1", Reason: "kiban node reboot"}, LeaseRenewed: c.heard}}}
		why, awaits := c.task.Awaits(st, began, began.Add(c.since))
		if awaits != c.want {
			t.Errorf("%s: %t, %s", name, awaits, why)
		}
		if strings.Contains(why, "too long") {
			t.Errorf("%s: it is waited for, and is away for too long: %s", name, why)
		}
		if awaits && (!strings.Contains(why, "w1 is away (connection refused)") || !strings.Contains(why, "--boot-timeout")) {
			t.Errorf("%s: %s", name, why)
		}
	}
}

// The API that a controller is just bringing back is waited for, too: a run that was cut off may have left it starting, or still stopping.
func TestNodeTaskAwaitsTheAPI(t *testing.T) {
	began := time.Date(2026, 11, 29, 3, 10, 0, 0, time.UTC)
	task := NodeTask{Verb: NodeMaintain, Host: "w1", BootTimeout: 15 * time.Minute}
	away := APIState{Unknown: "connection refused"}
	for name, c := range map[string]struct {
		api   APIState
		c1    HostState
		after time.Duration
		want  bool
	}{
		"it has just started": {away, HostState{Service: ServiceRunning, ServiceSince: began.Add(-time.Minute)}, 0, true},
		"by a clock that is ahead": {away, HostState{Service: ServiceRunning, ServiceSince: began.Add(time.Hour), ClockOffset: 3660}, 0,
			true},
		"it starts":                      {away, HostState{Service: ServiceStarting}, 0, true},
		"it stops":                       {away, HostState{Service: ServiceStopping}, time.Minute, true},
		"it has stopped":                 {away, HostState{Service: ServiceStopped}, 0, false},
		"it has run for hours":           {away, HostState{Service: ServiceRunning, ServiceSince: began.Add(-3 * time.Hour)}, 0, false},
		"too long":                       {away, HostState{Service: ServiceStarting}, 16 * time.Minute, false},
		"the API answers":                {APIState{}, HostState{Service: ServiceRunning, ServiceSince: began}, 0, false},
		"it starts again and again":      {away, HostState{Service: ServiceStarting, Restarts: CrashLoop + 1}, 0, false},
		"there has never been a cluster": {APIState{Unknown: "none", NotYet: true}, HostState{Service: ServiceStarting}, 0, false},
	} {
		c.c1.Name, c.c1.ServiceName = "c1", "k0scontroller"
		at := began.Add(c.after)
		why, awaits := task.Awaits(State{ObservedAt: at, API: c.api, Hosts: []HostState{c.c1, {Name: "w1"}}}, began, at)
		if awaits != c.want || awaits && !strings.Contains(why, "k0s on c1") {
			t.Errorf("%s: %t, %s", name, awaits, why)
		}
	}
}
