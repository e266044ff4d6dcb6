package check

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// What watches the only API learns nothing while it is away, and comes back late: no pod moves before that.
func TestHazard_H36_ClientsOfTheOnlyAPIComeBack(t *testing.T) {
	start := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	gate := lifecycle.Gate{Kind: lifecycle.GateReconnected, Target: "c1", For: 90 * time.Second}
	up := lifecycle.HostState{Name: "c1", Service: lifecycle.ServiceRunning, ServiceSince: start}
	ahead, behind, stopped, silent, away := up, up, up, up, up
	ahead.ClockOffset, ahead.ServiceSince = 600, start.Add(10*time.Minute)
	behind.ClockOffset, behind.ServiceSince = -600, start.Add(-10*time.Minute)
	stopped.Service, silent.ServiceSince = lifecycle.ServiceStopped, time.Time{}
	away.Problem, away.Why = lifecycle.HostUnreachable, "no route"
	for name, c := range map[string]struct {
		host  lifecycle.HostState
		after time.Duration
		want  lifecycle.GateState
		why   string
	}{
		"just started":        {up, 20 * time.Second, lifecycle.GateWaiting, "runs for 20s; its clients are back after 1m30s"},
		"long ago":            {up, 90 * time.Second, lifecycle.GateMet, "was started 12:00:00"},
		"its clock is ahead":  {ahead, 20 * time.Second, lifecycle.GateWaiting, "runs for 20s"},
		"its clock is behind": {behind, 90 * time.Second, lifecycle.GateMet, ""},
		"it does not run":     {stopped, time.Hour, lifecycle.GateWaiting, "stopped"},
		"it does not say":     {silent, time.Hour, lifecycle.GateWaiting, "does not say"},
		"not reached":         {away, time.Hour, lifecycle.GateWaiting, "no route"},
	} {
		t.Run(name, func(t *testing.T) {
			got := decideReconnected(c.host, gate, start.Add(c.after))
			if got.State != c.want || !strings.Contains(got.Reason, c.why) {
				t.Errorf("%+v, not %s with %q", got, c.want, c.why)
			}
		})
	}
}
