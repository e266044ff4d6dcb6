package apply

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestLostProbeStopsTheRollout: nodes in flight finish, no other one starts. A single failure is none, nor is one before nodes are
// disturbed.
func TestLostProbeStopsTheRollout(t *testing.T) {
	for name, c := range map[string]struct {
		lost    func(since time.Duration) bool
		stops   bool
		started int // drains
	}{
		"it answers":                 {func(time.Duration) bool { return false }, false, 4},
		"it is lost":                 {func(since time.Duration) bool { return since > 70*time.Second }, true, 2},
		"one answer is lost":         {func(since time.Duration) bool { return since > 70*time.Second && since < 72*time.Second }, false, 4},
		"lost before, and not since": {func(since time.Duration) bool { return since < time.Second }, false, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				for _, n := range []string{"w1", "w2", "w3", "w4"} {
					w.takes[n+"/drain"] = time.Minute
				}
				start := time.Now()
				w.gates[lifecycle.GateProbes] = func(lifecycle.Gate) lifecycle.GateResult {
					if c.lost(time.Since(start)) {
						return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "https://shop.example/: it answers 503"}
					}
					return lifecycle.GateResult{State: lifecycle.GateMet}
				}
				site := lifecycle.Site{Policy: lifecycle.Policy{Probes: []string{"https://shop.example/"}}}
				plan := rollout(4, lifecycle.Stage{Width: 1})
				for i := range plan.Steps {
					plan.Steps[i].Disrupts = plan.Steps[i].Action.Disrupts()
				}
				err := Run(t.Context(), site, plan, w.deps())
				if (err != nil) != c.stops || err != nil && !strings.Contains(err.Error(), "it answers 503") {
					t.Errorf("the run ends with %v", err)
				}
				drains, back := 0, 0
				for _, l := range w.log {
					if strings.HasSuffix(l, "/drain") {
						drains++
					}
					if strings.HasSuffix(l, "/uncordon") {
						back++
					}
				}
				if drains != c.started || back != drains {
					t.Errorf("%d nodes were drained and %d returned, want %d: %v", drains, back, c.started, w.log)
				}
			})
		})
	}
}
