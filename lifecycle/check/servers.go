package check

import (
	"context"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func (c *Checker) apiServers(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	servers := c.control.Servers(ctx)
	r := decideServers(servers, g.Target, nil)
	if r.State == lifecycle.GateMet {
		return r
	}
	// Only now is it worth a machine's time to ask who has joined at all.
	etcd, err := c.machines.EtcdMembers(ctx)
	if err != nil || etcd.Unknown != "" {
		return r
	}
	return decideServers(servers, g.Target, absent(c.site.Cluster, etcd))
}

// absent are the declared controllers that are not in etcd (yet): no API server can be expected of them. None when etcd's
// members say nothing, because the cluster does not run etcd.
func absent(cluster lifecycle.Cluster, etcd lifecycle.EtcdState) []string {
	if len(etcd.Members) == 0 {
		return nil
	}
	var hosts []string
	for _, h := range cluster.Hosts {
		in := slices.ContainsFunc(etcd.Members, h.Owns)
		if h.Role.IsController() && !in {
			hosts = append(hosts, h.Name)
		}
	}
	return hosts
}

// decideServers: all are ready but the target and those that are absent.
func decideServers(servers []lifecycle.APIServer, target string, absent []string) lifecycle.GateResult {
	var bad []string
	ready := 0
	for _, s := range servers {
		switch {
		case s.Host == target && target != "", slices.Contains(absent, s.Host):
		case s.Ready:
			ready++
		default:
			bad = append(bad, s.Host+" is not ready ("+s.Why+")")
		}
	}
	switch {
	case len(bad) > 0:
		return waiting("%s", some(bad))
	case ready == 0 && target != "":
		return skipped("%s has the only API server", target)
	case ready == 0:
		return waiting("no API server is known yet")
	case len(absent) > 0:
		return met("%s ready; not joined yet: %s", lifecycle.Count(ready, "API server"), some(absent))
	}
	return met("%s ready", lifecycle.Count(ready, "API server"))
}

func (c *Checker) apiReady(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	return decideAPIReady(c.control.Servers(ctx), g)
}

// decideAPIReady also asks for the version where the gate names one.
func decideAPIReady(servers []lifecycle.APIServer, g lifecycle.Gate) lifecycle.GateResult {
	for _, s := range servers {
		if s.Host != g.Target {
			continue
		}
		switch {
		case !s.Ready:
			return waiting("the API server of %s is not ready (%s)", s.Host, s.Why)
		case !g.Version.IsZero() && s.Version != g.Version.Kubernetes() && s.Version != g.Version.Kubelet():
			return waiting("the API server of %s says it is %s, want %s", s.Host, s.Version, g.Version.Kubernetes())
		}
		return met("the API server of %s answers /readyz, %s", s.Host, s.Version)
	}
	return failed("%s has no API server that could be asked", g.Target)
}
