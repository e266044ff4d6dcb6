package promotion

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Two sites on different steps: staging's control plane soaks, or was committed, while production's has not begun, or soaks itself. What
// staging's controllers alone run proves nothing of the version for others; and a site that has begun waits for nobody to finish.
func TestASoakIsNoProofForTheNextSite(t *testing.T) {
	soaking := well(t, v135)
	soaking.Hosts[0].Binary, soaking.Hosts[0].Running = v(t, v136), v(t, v136)
	var soak, upgraded lifecycle.Soak
	for after := time.Duration(0); after <= 80*hour; after += 4 * hour {
		soak = Observe(soak, staging(), soaking, day(after))
	}
	upgraded = soak
	for after := 84 * hour; after <= 160*hour; after += 4 * hour {
		upgraded = Observe(upgraded, staging(), well(t, v136), day(after))
	}
	begun := lifecycle.Soak{Format: lifecycle.SoakFormat, Site: "prod", Observed: day(80 * hour),
		Versions: []lifecycle.SoakVersion{{Name: K0s, Version: v136}, {Name: K0s, Version: v135, Runs: true}}}
	for name, c := range map[string]struct {
		soaks map[string]lifecycle.Soak
		now   time.Duration
		state lifecycle.GateState
		says  string
	}{
		"staging soaks, production has not begun": {map[string]lifecycle.Soak{"staging": soak}, 81 * hour, lifecycle.GateFailed,
			"its machines run different versions of k0s"},
		"staging is committed and upgraded": {map[string]lifecycle.Soak{"staging": upgraded}, 161 * hour, lifecycle.GateMet, "for 76h of 72h"},
		"both soak": {map[string]lifecycle.Soak{"staging": soak, "prod": begun}, 81 * hour, lifecycle.GateSkipped,
			"to finish what was begun"},
		"staging is upgraded, production soaks": {map[string]lifecycle.Soak{"staging": upgraded, "prod": begun}, 161 * hour,
			lifecycle.GateSkipped, "to finish what was begun"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Decide(lifecycle.Promotion{From: []string{"staging"}, Soak: 72 * hour}, upgrade(t), c.soaks, day(c.now))
			if len(got) != 1 || got[0].State != c.state || !strings.Contains(got[0].Reason, c.says) {
				t.Errorf("%+v, not %s with %q", got, c.state, c.says)
			}
		})
	}
}
