package check

import (
	"context"
	"maps"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// leaderLeases are the leases that must be renewed.
func leaderLeases() []string { return []string{"kube-controller-manager", "kube-scheduler"} }

// sight is one look at the control plane, and the one it is compared with.
type sight struct {
	first map[string]lifecycle.Lease // as first seen after the step began
	// Endpoints are looked at once the leases are renewed; looked is when that was, and next when it is due again.
	looked, next time.Time
	stale        []string // endpoints stale in this look
	still        []string // and in the look before too; all of them at the first look
}

// endpointsShare is which share of its time a gate spends on listing pods, Services and endpoints: in a large cluster that costs the API
// more than the wait is worth.
const endpointsShare = 4

func (c *Checker) leaders(ctx context.Context, g lifecycle.Gate, since time.Time) lifecycle.GateResult {
	leases, err := c.control.LeaderLeases(ctx)
	if err != nil {
		return unknown("the control plane does not tell how it is", err)
	}
	k := key{g, since.UnixNano()}
	seen := memory(c, k, func(before *sight) sight { return seenLeases(before, leases) })
	if waits := decideLeases(seen, leases); waits != nil {
		return *waits
	}
	if began := c.now(); !began.Before(seen.next) {
		stale, err := c.control.StaleEndpoints(ctx)
		if err != nil {
			return unknown("whether endpoints follow is not known", err)
		}
		seen = memory(c, k, func(before *sight) sight { return before.lookedAt(stale, began, c.now()) })
	}
	return decideEndpoints(seen)
}

// seenLeases makes this look's sight of the one before, nil at the first look.
func seenLeases(before *sight, leases []lifecycle.Lease) sight {
	now := sight{first: map[string]lifecycle.Lease{}}
	if before != nil {
		first := before.first
		now = *before
		now.first = map[string]lifecycle.Lease{}
		maps.Copy(now.first, first)
	}
	for _, l := range leases {
		if _, ok := now.first[l.Name]; !ok {
			now.first[l.Name] = l
		}
	}
	return now
}

// lookedAt adds a look at the endpoints, which took from began until now.
func (s *sight) lookedAt(stale []string, began, now time.Time) sight {
	out := *s
	out.still = stale
	if !s.looked.IsZero() {
		out.still = slices.DeleteFunc(slices.Clone(stale), func(e string) bool { return !slices.Contains(s.stale, e) })
	}
	out.stale, out.looked, out.next = stale, began, now.Add(endpointsShare*now.Sub(began))
	return out
}

// decideLeases: both leases are held, and have been renewed since they were first seen; nil if so. Neither whether a renewal is recent is
// asked, nor whether it is later: that would compare two machines' clocks, or that of one machine before and after it was set.
func decideLeases(seen sight, leases []lifecycle.Lease) *lifecycle.GateResult {
	for _, name := range leaderLeases() {
		i := slices.IndexFunc(leases, func(l lifecycle.Lease) bool { return l.Name == name })
		var r lifecycle.GateResult
		switch {
		case i < 0:
			r = waiting("%s has no lease yet", name)
		case leases[i].Holder == "":
			r = waiting("nobody holds the lease of %s", name)
		case leases[i].Renewed.IsZero(), leases[i].Renewed.Equal(seen.first[name].Renewed):
			r = waiting("%s (%s) has not renewed its lease yet; last at %s", name, leases[i].Holder, clock(leases[i].Renewed))
		default:
			continue
		}
		return &r
	}
	return nil
}

// decideEndpoints: endpoints that lag count when they did so in the look before too: in a busy cluster some are always on their way.
func decideEndpoints(seen sight) lifecycle.GateResult {
	if len(seen.still) > 0 {
		return waiting("endpoints do not follow yet: %s", some(seen.still))
	}
	return met("both leases are renewed, and endpoints follow the pods")
}
