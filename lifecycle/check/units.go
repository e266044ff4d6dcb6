package check

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Units tells how the addons in the cluster are.
type Units interface {
	Health(ctx context.Context) ([]lifecycle.UnitHealth, error)
}

// Watch makes the checker look at addons, too. Without it their gate is skipped.
func (c *Checker) Watch(u Units) { c.addons = u }

func (c *Checker) units(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	if c.addons == nil {
		return skipped("nobody tells how the addons are")
	}
	health, err := c.addons.Health(ctx)
	if err != nil {
		return unknown("the addons' health is not known", err)
	}
	nodes, err := c.workloads.Nodes(ctx)
	if err != nil {
		return unknown("the nodes are not known", err)
	}
	c.healed(health)
	return decideUnits(health, nodes, c.wasUnwell)
}

// decideUnits: every addon's objects are current, but for addons that were not healthy when the run began. While kiban has nodes out of
// service, daemon sets are left out: they can't be whole, and each node's own pods are looked at as it returns (GateDaemonSets).
func decideUnits(health []lifecycle.UnitHealth, nodes []lifecycle.NodeState, was func(unit string) bool) lifecycle.GateResult {
	away := slices.ContainsFunc(nodes, func(n lifecycle.NodeState) bool { return n.Unschedulable && !n.Mark.IsZero() })
	var bad, excused []string
	partly := false
	for _, u := range health {
		objects := u.Bad
		if away {
			objects = slices.DeleteFunc(slices.Clone(objects), func(o lifecycle.ObjectHealth) bool { return o.Kind == "DaemonSet" })
			partly = partly || len(objects) < len(u.Bad)
		}
		switch {
		case len(objects) == 0:
		case was(u.Unit):
			excused = append(excused, u.Unit)
		default:
			first := objects[0]
			bad = append(bad, u.Unit+": "+first.String()+": "+strings.TrimPrefix(cmp.Or(first.Why, string(first.Status)), first.String()+": "))
		}
	}
	switch {
	case len(bad) > 0:
		return waiting("%s", some(bad))
	case len(excused) > 0:
		return met("%s healthy, but for those that were not when the run began: %s", lifecycle.Count(len(health)-len(excused), "addon"),
			some(excused))
	case partly:
		return met("%s healthy, daemon sets left out while nodes are out of service", lifecycle.Count(len(health), "addon"))
	}
	return met("%s healthy", lifecycle.Count(len(health), "addon"))
}

// healed takes addons off the baseline that have been healthy since: from then on they count.
func (c *Checker) healed(health []lifecycle.UnitHealth) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.baseline == nil {
		return
	}
	for _, u := range health {
		if len(u.Bad) == 0 {
			delete(c.baseline.unwell, u.Unit)
		}
	}
}

func (c *Checker) wasUnwell(unit string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.baseline != nil && c.baseline.unwell[unit]
}
