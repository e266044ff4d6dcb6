package check

import (
	"context"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// leaderLeases are the leases that must be renewed.
func leaderLeases() []string { return []string{"kube-controller-manager", "kube-scheduler"} }

// sight is one look at the control plane, and the one it is compared with.
type sight struct {
	first map[string]lifecycle.Lease // as first seen after the step began
	stale []string                   // endpoints stale in this look
	still []string                   // and in the look before too; all of them at the first look
}

func (c *Checker) leaders(ctx context.Context, g lifecycle.Gate, since time.Time) lifecycle.GateResult {
	cp, err := c.control.ControlPlane(ctx)
	if err != nil {
		return unknown("the control plane does not tell how it is", err)
	}
	seen := memory(c, key{g, since.UnixNano()}, func(before *sight) sight { return compare(before, cp) })
	return decideLeaders(seen, cp)
}

// compare makes this look's sight of the one before, nil at the first look.
func compare(before *sight, cp lifecycle.ControlPlane) sight {
	now := sight{first: map[string]lifecycle.Lease{}, stale: cp.StaleEndpoints, still: cp.StaleEndpoints}
	if before != nil {
		now.still = nil
		for _, e := range cp.StaleEndpoints {
			if slices.Contains(before.stale, e) {
				now.still = append(now.still, e)
			}
		}
		for name, l := range before.first {
			now.first[name] = l
		}
	}
	for _, l := range cp.Leases {
		if _, ok := now.first[l.Name]; !ok {
			now.first[l.Name] = l
		}
	}
	return now
}

// decideLeaders: both leases are held, and have been renewed since they were first seen. Whether a renewal is recent is not
// asked, for that would compare two machines' clocks. Endpoints that lag count when they did so in the look before too:
// in a busy cluster some are always on their way.
func decideLeaders(seen sight, cp lifecycle.ControlPlane) lifecycle.GateResult {
	for _, name := range leaderLeases() {
		i := slices.IndexFunc(cp.Leases, func(l lifecycle.Lease) bool { return l.Name == name })
		switch {
		case i < 0:
			return waiting("%s has no lease yet", name)
		case cp.Leases[i].Holder == "":
			return waiting("nobody holds the lease of %s", name)
		case !cp.Leases[i].Renewed.After(seen.first[name].Renewed):
			return waiting("%s (%s) has not renewed its lease yet; last at %s", name, cp.Leases[i].Holder, clock(cp.Leases[i].Renewed))
		}
	}
	if len(seen.still) > 0 {
		return waiting("endpoints do not follow yet: %s", some(seen.still))
	}
	return met("both leases are renewed, and endpoints follow the pods")
}
