package check

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// crashLoop is how many restarts by systemd are too many to go on waiting.
const crashLoop = 2

// steady is since when the service has been seen running the same way.
type steady struct {
	since    time.Time // our clock; zero while it is not well
	run      string    // systemd's name for the service's start; "" where it tells none
	start    time.Time // that start, by the host's clock
	restarts int
	first    int // restarts at the first look
}

func (c *Checker) k0sRuns(ctx context.Context, g lifecycle.Gate, since time.Time) lifecycle.GateResult {
	host, err := c.machines.HostFacts(ctx, g.Target)
	if err != nil {
		return unknown(g.Target+" does not tell how it is", err)
	}
	if !host.Reached() {
		return unreached(host, "%s is not reached: %s", g.Target, host.Why)
	}
	now := c.now()
	seen := memory(c, key{g, since.UnixNano()}, func(before *steady) steady { return observe(before, host, g, now) })
	return decideK0sRuns(host, g, seen, now)
}

// observe makes this look's memory of the one before, nil at the first look.
func observe(before *steady, host lifecycle.HostState, g lifecycle.Gate, now time.Time) steady {
	s := steady{run: host.Run, start: host.ServiceSince, restarts: host.Restarts, first: host.Restarts}
	if before != nil && host.Restarts >= before.first { // a start by hand counts from zero again
		s.first = before.first
	}
	if !well(host, g) {
		return s
	}
	s.since = now
	if before != nil && !before.since.IsZero() && before.sameStart(s) {
		s.since = before.since
	}
	return s
}

// sameStart reports whether the service was not started between two looks. Where its start has a name, a clock that is set between them
// does not look like one.
func (s steady) sameStart(o steady) bool {
	if s.run != "" && o.run != "" {
		return s.run == o.run
	}
	return s.start.Equal(o.start) && s.restarts == o.restarts
}

// well reports whether the service runs the exact version, as far as one look can tell.
func well(host lifecycle.HostState, g lifecycle.Gate) bool {
	return host.Service == lifecycle.ServiceRunning && !host.Running.IsZero() && (g.Version.IsZero() || host.Running == g.Version)
}

func decideK0sRuns(host lifecycle.HostState, g lifecycle.Gate, seen steady, now time.Time) lifecycle.GateResult {
	grown := host.Restarts - seen.first
	switch {
	case host.Service == lifecycle.ServiceFailed:
		return failed("systemd gave up on %s; `journalctl -u %s` on %s says why", host.ServiceName, host.ServiceName, g.Target)
	case grown > crashLoop, host.Service == lifecycle.ServiceStarting && host.Restarts > crashLoop:
		return failed("k0s on %s crashes again and again: systemd restarted it %d times; `journalctl -u %s` there says why", g.Target,
			host.Restarts, host.ServiceName)
	case host.Service == lifecycle.ServiceAbsent:
		return waiting("%s has no k0s service", g.Target)
	case host.Service != lifecycle.ServiceRunning:
		return waiting("the k0s service on %s is %s", g.Target, host.Service)
	case host.Running.IsZero():
		return waiting("`k0s status` on %s does not answer yet", g.Target)
	case !g.Version.IsZero() && host.Running != g.Version:
		return waiting("`k0s status` on %s answers %s, want %s", g.Target, host.Running, g.Version)
	}
	if now.Sub(seen.since) < g.For {
		return waiting("k0s on %s runs %s, steady since %s; it must be for %s", g.Target, host.Running, clock(seen.since), g.For)
	}
	return met("k0s on %s runs %s, started %s", g.Target, host.Running, clock(host.ServiceSince))
}
