package check

import (
	"context"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func (c *Checker) etcdQuorum(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	etcd, err := c.machines.EtcdMembers(ctx)
	if err != nil {
		return unknown("etcd's members are not known", err)
	}
	return decideQuorum(c.site.Cluster, etcd, c.control.Servers(ctx), g.Target)
}

// decideQuorum: every member but the target's serves, and those are a majority of all members. A member serves when the API
// server beside it is ready, for that asks its own etcd.
func decideQuorum(cluster lifecycle.Cluster, etcd lifecycle.EtcdState, servers []lifecycle.APIServer, target string) lifecycle.GateResult {
	switch {
	case etcd.Unknown != "":
		return waiting("etcd's members are not known: %s", etcd.Unknown)
	case len(etcd.Members) == 0:
		return skipped("the cluster does not run etcd of its own")
	}
	ready := map[string]lifecycle.APIServer{}
	for _, s := range servers {
		ready[s.Host] = s
	}
	var others int
	var bad []string
	for _, m := range etcd.Members {
		owner, known := cluster.EtcdOwner(m)
		host := owner.Name
		if known && host == target {
			continue
		}
		others++
		switch s, ok := ready[host]; {
		case !known:
			bad = append(bad, "member "+m.Name+" at "+m.PeerAddress+" is no declared controller")
		case !ok:
			bad = append(bad, host+" was not asked")
		case !s.Ready:
			bad = append(bad, host+" is not ready ("+s.Why+")")
		}
	}
	members, majority := len(etcd.Members), len(etcd.Members)/2+1
	switch {
	case members == 1 && others == 0:
		return skipped("%s is the only member: the cluster's API is away while it restarts", target)
	case len(bad) > 0:
		return waiting("%s", some(bad))
	case others < majority:
		return failed("etcd has %d members and needs %d: without %s only %d serve; a cluster of two controllers cannot lose one", members,
			majority, target, others)
	case target == "":
		return met("all of %s serve", lifecycle.Count(members, "member"))
	}
	return met("%d of %s serve without %s, %d are needed", others, lifecycle.Count(members, "member"), target, majority)
}

func (c *Checker) etcdMember(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	etcd, err := c.machines.EtcdMembers(ctx)
	if err != nil {
		return unknown("etcd's members are not known", err)
	}
	host, ok := c.site.Cluster.Host(g.Target)
	if !ok {
		return failed("%s is no declared host", g.Target)
	}
	return decideMember(host, etcd)
}

func decideMember(host lifecycle.Host, etcd lifecycle.EtcdState) lifecycle.GateResult {
	switch {
	case etcd.Unknown != "":
		return waiting("etcd's members are not known: %s", etcd.Unknown)
	case len(etcd.Members) == 0:
		return skipped("the cluster does not run etcd of its own")
	}
	m, ok := etcd.MemberOf(host)
	switch {
	case ok && host.Moved(m):
		return failed("member %s is at %s, but the host's address is %s", m.Name, m.PeerAddress, host.ClusterAddress())
	case ok:
		return met("member %s at %s", m.Name, m.PeerAddress)
	}
	return waiting("not among etcd's members: %s", names(etcd))
}

func (c *Checker) etcdLeft(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	etcd, err := c.machines.EtcdMembers(ctx)
	if err != nil {
		return unknown("etcd's members are not known", err)
	}
	return decideLeft(c.site.Cluster, etcd, g.Target)
}

func decideLeft(cluster lifecycle.Cluster, etcd lifecycle.EtcdState, target string) lifecycle.GateResult {
	switch {
	case etcd.Unknown != "":
		return waiting("etcd's members are not known: %s", etcd.Unknown)
	case len(etcd.Members) == 0:
		return skipped("the cluster does not run etcd of its own")
	}
	host, _ := cluster.Host(target)
	host.Name = target // whose declaration may be gone
	if m, ok := etcd.MemberOf(host); ok {
		return waiting("member %s at %s is still in etcd", m.Name, m.PeerAddress)
	}
	return met("etcd's members are %s", names(etcd))
}

func names(etcd lifecycle.EtcdState) string {
	var out []string
	for _, m := range etcd.Members {
		out = append(out, m.Name)
	}
	return strings.Join(out, ", ")
}
