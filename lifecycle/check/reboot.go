package check

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func (c *Checker) rebooted(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	host, err := c.machines.HostFacts(ctx, g.Target)
	if err != nil {
		return unknown(g.Target+" does not tell how it is", err)
	}
	return decideRebooted(host, g)
}

// decideRebooted: the machine's boot id is another one. That it was away for a while would prove nothing: so is one whose network fails.
func decideRebooted(host lifecycle.HostState, g lifecycle.Gate) lifecycle.GateResult {
	switch {
	case !host.Reached():
		return unreached(host, "%s is not reached: %s", g.Target, host.Why)
	case host.BootID == "":
		return failed("%s does not tell its boot id", g.Target)
	case host.BootID == g.Was:
		return waiting("%s has not gone down yet", g.Target)
	}
	return met("%s has another boot id", g.Target)
}
