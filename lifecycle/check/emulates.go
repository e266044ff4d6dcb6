package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Storage tells how an API server stores Kubernetes' own resources.
type Storage interface {
	// Storage is a hash of the stored version of each, now and as the cluster's record of its pin has it.
	Storage(ctx context.Context, host string) (now, kept map[string]string, err error)
}

// WatchStorage has gates ask how resources are stored.
func (c *Checker) WatchStorage(s Storage) { c.storage = s }

func (c *Checker) emulates(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	host, err := c.machines.HostFacts(ctx, g.Target)
	if err != nil {
		return unknown(g.Target+" does not tell how it is", err)
	}
	if !host.Reached() {
		return unreached(host, "%s is not reached: %s", g.Target, host.Why)
	}
	return decideEmulates(c.control.Servers(ctx), host.Acts, g)
}

// decideEmulates: each of the three says that it acts as the gate's minor release. An API server that is ready and says another one has
// been started so: waiting does not change it.
func decideEmulates(servers []lifecycle.APIServer, acts map[string]string, g lifecycle.Gate) lifecycle.GateResult {
	want := lifecycle.EmulatedMinor(g.Version)
	i := slices.IndexFunc(servers, func(s lifecycle.APIServer) bool { return s.Host == g.Target })
	switch {
	case i < 0:
		return failed("%s has no API server that could be asked", g.Target)
	case servers[i].Emulates == "":
		return waiting("the API server of %s does not say which release it acts as", g.Target)
	case servers[i].Emulates != want:
		return failed("the API server of %s acts as %s, not as %s", g.Target, servers[i].Emulates, want)
	}
	for _, program := range leaderLeases() {
		switch said := acts[program]; said {
		case "":
			return waiting("%s on %s does not say yet which release it acts as", program, g.Target)
		case want:
		default:
			return failed("%s on %s acts as %s, not as %s", program, g.Target, said, want)
		}
	}
	return met("API server, controller manager and scheduler of %s act as %s", g.Target, want)
}

func (c *Checker) storedAlike(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	if c.storage == nil {
		return waiting("how resources are stored can't be asked here")
	}
	now, kept, err := c.storage.Storage(ctx, g.Target)
	if err != nil {
		return unknown("the API server of "+g.Target+" does not tell how it stores resources", err)
	}
	return decideStored(now, kept, g.Target)
}

// decideStored: each resource is stored as it was when the control plane was pinned, and there is none more and none less.
func decideStored(now, kept map[string]string, target string) lifecycle.GateResult {
	if len(kept) == 0 {
		return failed("the cluster has no record of how resources were stored before")
	}
	var differ []string
	all := maps.Clone(kept)
	maps.Copy(all, now)
	for _, resource := range slices.Sorted(maps.Keys(all)) {
		if now[resource] != kept[resource] {
			differ = append(differ, resource)
		}
	}
	if len(differ) > 0 {
		return failed("%s would store otherwise than the former version: %s", target, some(differ))
	}
	return met("%s stores %s", target, fmt.Sprintf("%s as the former version does", lifecycle.Count(len(now), "resource")))
}
