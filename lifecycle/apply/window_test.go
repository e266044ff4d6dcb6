package apply

import (
	"strings"
	"testing"
	"testing/synctest"

	"kiban.dev/kiban/lifecycle"
)

// TestAClosedWindowSaysTheWayIn: who can't wait for days is told what opens one now.
func TestAClosedWindowSaysTheWayIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.gates[lifecycle.GateWindow] = func(lifecycle.Gate) lifecycle.GateResult {
			return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "no maintenance window is open"}
		}
		p := rollout(1, lifecycle.Stage{Width: 1})
		p.Steps[0].Before = []lifecycle.Gate{{Kind: lifecycle.GateWindow}}
		d := one(t, Run(t.Context(), lifecycle.Site{}, p, w.deps()))
		if !strings.Contains(d.Hint, "declare a window that is open now (spec.upgrade.windows of the Site)") ||
			strings.Contains(d.Hint, "See to what") {
			t.Errorf("%+v", d)
		}
	})
}
