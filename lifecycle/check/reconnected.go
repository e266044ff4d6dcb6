package check

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func (c *Checker) reconnected(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	host, err := c.machines.HostFacts(ctx, g.Target)
	if err != nil {
		return unknown(g.Target+" does not tell since when its k0s runs", err)
	}
	return decideReconnected(host, g, c.now())
}

// decideReconnected: the service was started at least For ago, by the machine's own clock. What an API server's clients do can't be seen;
// how long they take at most is known.
func decideReconnected(host lifecycle.HostState, g lifecycle.Gate, now time.Time) lifecycle.GateResult {
	runs := now.Add(time.Duration(host.ClockOffset) * time.Second).Sub(host.ServiceSince).Truncate(time.Second)
	switch {
	case !host.Reached():
		return unreached(host, "%s is not reached: %s", g.Target, host.Why)
	case host.Service != lifecycle.ServiceRunning:
		return waiting("the k0s service on %s is %s", g.Target, host.Service)
	case host.ServiceSince.IsZero():
		return waiting("%s does not say since when its k0s service runs", g.Target)
	case runs < g.For:
		return waiting("k0s on %s, which has the only API, runs for %s; its clients are back after %s", g.Target, runs, g.For)
	}
	return met("k0s on %s was started %s", g.Target, clock(host.ServiceSince))
}
