package twin

import (
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func at(seconds int, e lifecycle.Event) lifecycle.Event {
	e.Time = time.Date(2026, 1, 1, 10, 0, seconds, 0, time.UTC)
	return e
}

// TestTell: a run is told by its events: how far it came, what it waited for and whose that is, what stopped it, and during what requests
// were lost.
func TestTell(t *testing.T) {
	const drain = "worker-1/drain"
	blocked := lifecycle.Blockedf("worker-1", "the node was not drained within 2m: 1 pod is left").
		Because("shop/web-1 is held by budget shop/web (0 allowed, 2 of 2 healthy, minAvailable 2)")
	run := Ended{Code: 3, Events: []lifecycle.Event{
		at(0, lifecycle.Event{Kind: lifecycle.EventPlanned, Step: "worker-1/cordon", Target: "worker-1"}),
		at(0, lifecycle.Event{Kind: lifecycle.EventPlanned, Step: drain, Target: "worker-1", Disrupts: true}),
		at(1, lifecycle.Event{Kind: lifecycle.EventWaiting, Step: "worker-1/cordon", Message: "every disruption budget is whole",
			Detail: "shop/web has 1 of 2 pods healthy and wants 2 (minAvailable 2)"}),
		at(11, lifecycle.Event{Kind: lifecycle.EventStarted, Step: "worker-1/cordon", Target: "worker-1", Action: lifecycle.ActionCordon}),
		at(12, lifecycle.Event{Kind: lifecycle.EventFinished, Step: "worker-1/cordon", Elapsed: time.Second}),
		at(12, lifecycle.Event{Kind: lifecycle.EventStarted, Step: drain, Target: "worker-1", Action: lifecycle.ActionDrain}),
		at(13, lifecycle.Event{Kind: lifecycle.EventProgress, Step: drain, Message: "shop/web-1 is held by budget shop/web (0 allowed)"}),
		at(43, lifecycle.Event{Kind: lifecycle.EventFailed, Step: drain, Diagnostic: &blocked}),
		at(43, lifecycle.Event{Kind: lifecycle.EventSummary, Result: lifecycle.RunBlocked}),
		{Kind: lifecycle.EventFinding, Diagnostic: &blocked},
	}}
	var p probed
	p.Services = append(p.Services, struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		Requests  int    `json:"requests"`
		Failures  int    `json:"failures"`
		Failed    []struct {
			At    time.Time `json:"at"`
			Error string    `json:"error"`
		} `json:"failed"`
	}{Namespace: "shop", Name: "web", Requests: 100, Failures: 1})
	p.Services[0].Failed = append(p.Services[0].Failed, struct {
		At    time.Time `json:"at"`
		Error string    `json:"error"`
	}{run.Events[6].Time, "no endpoint is ready"})
	r := tell([]Ended{run}, p, map[string]string{"shop": "tenant shop"})
	if r.Steps != 2 || r.Done != 1 || r.Result != lifecycle.RunBlocked || r.Took != 42*time.Second {
		t.Errorf("got %d of %d, %s, %s", r.Done, r.Steps, r.Result, r.Took)
	}
	if len(r.Waits) != 2 || r.Waits[0].For != "shop/web" || r.Waits[0].Took != 10*time.Second || r.Waits[0].Owner != "tenant shop" ||
		r.Waits[1].Step != drain || r.Waits[1].Took != 30*time.Second {
		t.Errorf("waits: %+v", r.Waits)
	}
	if len(r.Blocks) != 1 || r.Blocks[0].Step != drain || r.Blocks[0].Owner != "tenant shop" {
		t.Errorf("blocks: %+v", r.Blocks)
	}
	if len(r.Services) != 1 || r.Services[0].Lost != 1 || len(r.Services[0].Why) != 1 ||
		r.Services[0].Why[0] != drain+": no endpoint is ready" {
		t.Errorf("services: %+v", r.Services)
	}
	same, other := compare(lifecycle.Plan{Steps: []lifecycle.Step{{ID: "worker-1/cordon"}, {ID: "worker-1/upgrade"}}}, []Ended{run})
	if same || len(other) != 2 {
		t.Errorf("got %t, %q", same, other)
	}
	if same, other := compare(lifecycle.Plan{Steps: []lifecycle.Step{{ID: "worker-1/cordon"}}}, []Ended{{Code: 3}}); same || other != nil {
		t.Errorf("a run that was blocked before it began: %t, %q", same, other)
	}
}

func TestParseFault(t *testing.T) {
	f, err := ParseFault("worker-3=latency:5ms@cordon")
	if err != nil || f.Machine != "worker-3" || f.Kind != "latency" || len(f.Args) != 1 || f.Args[0] != "5ms" || f.Step != "worker-3/cordon" {
		t.Errorf("got %+v, %v", f, err)
	}
	if f, err := ParseFault("kiban=kill@worker-3/upgrade@v1.36.3+k0s.2"); err != nil || f.Step != "worker-3/upgrade@v1.36.3+k0s.2" {
		t.Errorf("got %+v, %v", f, err)
	}
	for _, wrong := range []string{"", "worker-3", "worker-3=off", "=off@cordon", "kiban=off@worker-1/drain", "kiban=kill@drain",
		"all=off@drain"} {
		if _, err := ParseFault(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
