package addons

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// Glance observes the addons in the cluster by their inventories alone: which there are, and how they are. Nothing is rendered or compared,
// so it is for tasks that are about something else and only wait for them.
type Glance struct{ *Engine }

// Observe tells of installed addons. What they would change is not among it.
func (g Glance) Observe(ctx context.Context, api lifecycle.APIState) []lifecycle.UnitState {
	if api.NotYet || api.Unknown != "" {
		return nil
	}
	units, err := g.Health(ctx)
	if err != nil {
		return g.unknown("kiban's inventories, or the objects in them, can't be read: " + err.Error())
	}
	var states []lifecycle.UnitState
	for _, u := range units {
		states = append(states, lifecycle.UnitState{Name: u.Unit, Declared: true, Installed: true, Health: sum(u.Bad), Release: glimpse(u)})
	}
	return states
}

// glimpse is the release as the inventory has it.
func glimpse(u lifecycle.UnitHealth) lifecycle.Release {
	r := lifecycle.Release{Chart: u.Chart, Version: u.Version, Status: "deployed"}
	switch {
	case u.Chart == "":
		return lifecycle.Release{}
	case u.Unfinished:
		r.Status = "pending-upgrade"
	}
	return r
}
