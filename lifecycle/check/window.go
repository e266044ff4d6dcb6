package check

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func (c *Checker) window(_ context.Context, _ lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	return decideWindow(c.site.Policy.Windows, c.now())
}

// decideWindow: now is within a window.
func decideWindow(windows []lifecycle.Window, now time.Time) lifecycle.GateResult {
	if len(windows) == 0 {
		return skipped("the site declares no maintenance windows")
	}
	o, err := lifecycle.OpeningOf(windows, now)
	switch {
	case err != nil:
		return failed("maintenance window: %v", err)
	case o.Open():
		return met("the window is open until %s", o.Until.Format("Mon 15:04 MST"))
	}
	return waiting("no maintenance window is open; %s", o.WhenNext(now))
}
