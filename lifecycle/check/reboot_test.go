package check

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestRebooted(t *testing.T) {
	gate := lifecycle.Gate{Kind: lifecycle.GateRebooted, Target: "worker-1", Was: "before"}
	for name, c := range map[string]struct {
		host lifecycle.HostState
		want lifecycle.GateState
	}{
		"still the boot before": {lifecycle.HostState{BootID: "before"}, lifecycle.GateWaiting},
		"away":                  {lifecycle.HostState{Problem: lifecycle.HostUnreachable, Why: "no answer"}, lifecycle.GateWaiting},
		"back":                  {lifecycle.HostState{BootID: "after"}, lifecycle.GateMet},
		"it does not tell":      {lifecycle.HostState{}, lifecycle.GateFailed},
	} {
		if got := decideRebooted(c.host, gate); got.State != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got.State, got.Reason, c.want)
		}
	}
}
