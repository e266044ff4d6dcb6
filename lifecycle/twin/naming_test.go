package twin

import (
	"encoding/json"
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestNaming: people read the names of their machines, and no address of the lab.
func TestNaming(t *testing.T) {
	var p Place
	if err := json.Unmarshal([]byte(`{"port": 2222, "machines": [{"name": "node-1", "address": "127.9.0.10"},
		{"name": "node-2", "address": "127.9.0.101"}]}`), &p); err != nil {
		t.Fatal(err)
	}
	n := newNaming(p)
	for said, want := range map[string]string{
		"ssh: dial 127.9.0.101:2222: no answer from 127.9.0.10.": "ssh: dial node-2: no answer from node-1.",
		"https://127.9.0.10:6443/readyz":                         "https://node-1:6443/readyz",
		"node-2 (127.9.0.101) and node-1 (127.9.0.10:2222)":      "node-2 and node-1",
		"127.9.0.1, 127.9.0.102, 10.0.0.1 and 1127.9.0.10":       "127.9.0.1, 127.9.0.102, 10.0.0.1 and 1127.9.0.10",
	} {
		if got := n.text(said); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	const there = "127.9.0.10"
	run := n.run(Ended{Events: []lifecycle.Event{{Message: there, Detail: there,
		Diagnostic: &lifecycle.Diagnostic{Subject: there, Subjects: []string{there}, Summary: there, Detail: there, Hint: there}}, {}}})
	e := run.Events[0]
	if said := []string{e.Message, e.Detail, e.Diagnostic.Subject, e.Diagnostic.Subjects[0], e.Diagnostic.Summary, e.Diagnostic.Detail,
		e.Diagnostic.Hint}; len(run.Events) != 2 || slices.ContainsFunc(said, func(s string) bool { return s != "node-1" }) {
		t.Errorf("got %q", said)
	}
}

// TestOneFaultIsToldOnce: a machine that is lost fails a step, then its way back, and the run says in the end what became of it. That is
// one thing that stands in the way.
func TestOneFaultIsToldOnce(t *testing.T) {
	lost := lifecycle.Errorf("worker-3", "no answer within 20s")
	back := lifecycle.Errorf("worker-3", "no answer to the way back")
	told := lifecycle.Errorf("worker-3", "the connection to worker-3 was lost during its upgrade").Because("no answer within 20s")
	other := lifecycle.Blockedf("worker-4", "worker-4/cordon: not met")
	failed := func(step, target string, d *lifecycle.Diagnostic) lifecycle.Event {
		return lifecycle.Event{Kind: lifecycle.EventFailed, Step: step, Target: target, Diagnostic: d}
	}
	events := []lifecycle.Event{failed("worker-3/upgrade", "worker-3", &lost), failed("worker-3/restore-former", "worker-3", &back),
		failed("worker-4/cordon", "worker-4", &other)}
	killed := story{}.blocks(Ended{Code: -1, Events: events})
	if len(killed) != 3 {
		t.Errorf("of a run that was killed: %+v", killed)
	}
	ended := append(events, lifecycle.Event{Kind: lifecycle.EventFinding, Diagnostic: &told},
		lifecycle.Event{Kind: lifecycle.EventFinding, Diagnostic: &other})
	got := story{}.blocks(Ended{Code: 1, Events: ended})
	if len(got) != 2 || got[0].Summary != told.Summary || got[0].Step != "worker-3/upgrade" || got[1].Step != "worker-4/cordon" {
		t.Errorf("got %+v", got)
	}
}
