package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"
)

func TestRolloutWindow(t *testing.T) {
	tests := []struct {
		maxUnavailable string
		nodes, want    int
	}{{"1", 20, 1}, {"4", 20, 4}, {"25%", 20, 5}, {"25%", 7, 1}, {"10%", 5, 1}, {"100%", 5, 5}, {"0", 5, 1}, {"", 5, 1}}
	for _, tt := range tests {
		if got := (Rollout{MaxUnavailable: tt.maxUnavailable}).AtOnce(tt.nodes); got != tt.want {
			t.Errorf("maxUnavailable %q of %d nodes is %d, want %d", tt.maxUnavailable, tt.nodes, got, tt.want)
		}
	}
}

// The digest is what a saved plan is held against: it must not change while nothing does, and must when something does.
func TestFactsDigest(t *testing.T) {
	base := func() State {
		return State{Site: "lab", Hosts: []HostState{{Name: "c1", Binary: Version{Major: 1, Minor: 36}, Service: ServiceRunning, FreeBytes: 1}},
			Nodes: []NodeState{{Name: "w1", Ready: true}}, Budgets: []Budget{{Name: "web", Allowed: 1}}}
	}
	want := base().FactsDigest()
	same := map[string]func(s *State){
		"the time":         func(s *State) { s.ObservedAt = time.Now() },
		"a heartbeat":      func(s *State) { s.Nodes[0].Heartbeat = time.Now() },
		"free space":       func(s *State) { s.Hosts[0].FreeBytes = 2 },
		"the clock":        func(s *State) { s.Hosts[0].ClockOffset = 3 },
		"a busy budget":    func(s *State) { s.Budgets[0].Allowed = 0 },
		"an unrelated pod": func(s *State) { s.Stuck = []StuckPod{{Name: "x"}} },
	}
	for name, edit := range same {
		s := base()
		edit(&s)
		if s.FactsDigest() != want {
			t.Errorf("%s changes the digest", name)
		}
	}
	differs := map[string]func(s *State){
		"a version":    func(s *State) { s.Hosts[0].Binary.Minor = 35 },
		"a service":    func(s *State) { s.Hosts[0].Service = ServiceStopped },
		"a config":     func(s *State) { s.Hosts[0].ConfigDigest = "x" },
		"readiness":    func(s *State) { s.Nodes[0].Ready = false },
		"a cordon":     func(s *State) { s.Nodes[0].Unschedulable = true },
		"a mark":       func(s *State) { s.Nodes[0].Mark = Mark{Run: "r"} },
		"a member":     func(s *State) { s.Etcd.Members = []EtcdMember{{Name: "c1"}} },
		"the cluster":  func(s *State) { s.API.ClusterUID = "other" },
		"reachability": func(s *State) { s.Hosts[0].Problem = HostUnreachable },
	}
	for name, edit := range differs {
		s := base()
		edit(&s)
		if s.FactsDigest() == want {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func TestDiagnosticsKeepTheirCauses(t *testing.T) {
	err := fmt.Errorf("apply: %w", Diagnostics{{Severity: SeverityError, Summary: "a"},
		{Severity: SeverityError, Summary: "b", Cause: fs.ErrNotExist}}.Err())
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause of the second finding is lost")
	}
	if got := AsDiagnostics(err, ""); len(got) != 2 {
		t.Errorf("%d findings out of the chain, want 2", len(got))
	}
	if (Diagnostics{{Severity: SeverityWarning}}).Err() != nil {
		t.Error("a warning stops")
	}
	if ds := AsDiagnostics(fs.ErrPermission, "reading the site failed"); len(ds) != 1 || !errors.Is(ds, fs.ErrPermission) ||
		ds[0].Summary != "reading the site failed" {
		t.Errorf("a plain error became %+v", ds)
	}
}

// A plan read back says what the written one said.
func TestPlanRoundTripsAsJSON(t *testing.T) {
	p := Plan{Format: PlanFormat, Site: "lab", Target: Version{1, 36, 3, "", 2}, Stages: []Stage{{ID: "workers", Width: 4}},
		Steps: []Step{{ID: "w1/upgrade", Action: ActionUpgrade, Target: "w1", Version: Version{1, 36, 3, "", 2},
			After: []Gate{{Kind: GateNodeReady, Target: "w1", Version: Version{1, 36, 3, "", 2}, Timeout: time.Minute}}}}}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Plan
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(b) {
		t.Errorf("%s\nreads back as\n%s (%v)", b, again, err)
	}
}
