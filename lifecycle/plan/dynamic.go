package plan

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// configureCluster brings the configuration that k0s keeps in the cluster to what is declared, where it is dynamic: k0s takes it up by
// itself. The parts that are local to a controller are in its file. Where controllers are upgraded it comes behind that, as it was
// declared for the declared version.
func configureCluster(p *planner) {
	changes := p.clusterChanges()
	if len(changes) == 0 {
		return
	}
	s := p.stage("cluster-config", "configuration in the cluster", 1)
	st := &step{Step: lifecycle.Step{Action: lifecycle.ActionClusterConfig,
		Reason:  "k0s's configuration in the cluster differs from what is declared",
		Timeout: lifecycle.ActionClusterConfig.Timeout(p.site.Policy),
		Before:  p.window(), After: p.takenUp()}}
	for _, c := range changes {
		st.Changes = append(st.Changes, c.String())
	}
	s.add(st)
}

// takenUp are the gates behind what k0s takes up by itself, and rolls out on every node at once: its network, its proxy, its DNS. No node
// is taken out of service for that, but their pods are restarted, so it is for a window, and nothing goes on beside it before it is well.
func (p *planner) takenUp() []lifecycle.Gate {
	g := p.gate(lifecycle.GateSystem, "")
	g.For = p.site.Policy.Settle.StableFor
	gs := []lifecycle.Gate{g}
	if len(p.site.Policy.Probes) > 0 {
		gs = append(gs, p.gate(lifecycle.GateProbes, ""))
	}
	return gs
}

// clusterChanges lists in what the configuration in the cluster differs from what is declared. None where it is not dynamic, or not known.
// What k0s does by default may be spelled out or not.
func (p *planner) clusterChanges() []change {
	m := p.clusterMember()
	if m == nil {
		return nil
	}
	want, errWant := flatten(m.Config)
	have, errHave := flatten(m.seen.Config)
	if errWant != nil || errHave != nil {
		return nil
	}
	var out []change
	for _, c := range compare(have, want) {
		declared := c.to != "" || slices.ContainsFunc(keysOf(want), func(path string) bool { return sameList(path, c.path) })
		if !declared || nodeLocal(c.path) || !strings.HasPrefix(c.path, "spec.") || saysNothing(c.from) && saysNothing(c.to) {
			continue
		}
		if p.effective(m, m.seen.Config, c.path, c.from) != p.effective(m, m.Config, c.path, c.to) {
			out = append(out, c)
		}
	}
	return out
}

// sameList reports whether two paths are below the same list: an item that is gone is a change of what is declared.
func sameList(a, b string) bool {
	list, _, found := strings.Cut(b, "[")
	return found && strings.HasPrefix(a, list+"[")
}

func keysOf(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// clusterMember stands for the cluster, where its configuration is dynamic: what is declared, and what k0s keeps in the cluster. Nil where
// there is nothing to compare.
func (p *planner) clusterMember() *member {
	if !p.site.Cluster.DynamicConfig || p.site.Cluster.Config == nil || p.state.API.ClusterConfig == nil || p.dark() || p.state.API.NotYet {
		return nil
	}
	for _, c := range p.controllers() {
		if c.lives() {
			m := *c
			m.Config, m.seen.Config = p.site.Cluster.Config, p.state.API.ClusterConfig
			return &m
		}
	}
	return nil
}

// inspectDynamic refuses what a living cluster cannot change of the configuration that is in it, and says when it cannot be seen.
func (p *planner) inspectDynamic(told tellings) {
	if !p.site.Cluster.DynamicConfig || p.dark() || p.state.API.NotYet || p.site.Cluster.Config == nil {
		return
	}
	if p.state.API.ClusterConfig == nil {
		p.find(lifecycle.Warnf(p.site.Name, "k0s's configuration in the cluster cannot be seen").
			Because("dynamicConfig is declared, and the cluster has no ClusterConfig, or does not let it be read. But for spec.api, " +
				"spec.storage and " +
				"spec.network.controlPlaneLoadBalancing, spec.k0s.config is not compared.").
			Try("Look at `k0s config status` on a controller. When controllers have been restarted with dynamicConfig, plan again."))
		return
	}
	m := p.clusterMember()
	p.inspectLeftOver(m)
	var never, ways []string
	for _, c := range p.clusterChanges() {
		row := p.classOf(m, c)
		why, way := row.Told(p.site.Name, "NODE")
		if row.Class == lifecycle.ChangesNever {
			never, ways = append(never, c.String()+". "+why), append(ways, way)
		} else if row.Why != "" {
			told.tell(p, m, row, "")
		}
	}
	if m != nil {
		p.inspectGates(m)
	}
	if len(never) > 0 {
		slices.Sort(ways)
		p.find(lifecycle.Errorf(p.site.Name, "the configuration changes what a living cluster cannot change").
			Because(strings.Join(never, "\n")).
			Try(strings.Join(slices.Compact(ways), "\n")))
	}
}

// inspectLeftOver names what the configuration in the cluster has, k0s has not written there by itself, and nobody declares: it was
// declared once, or somebody has put it there. It stays, for nobody can tell which.
func (p *planner) inspectLeftOver(m *member) {
	if m == nil {
		return
	}
	want, errWant := flatten(m.Config)
	have, errHave := flatten(m.seen.Config)
	if errWant != nil || errHave != nil {
		return
	}
	var lines []string
	for _, c := range compare(have, want) {
		declared := c.to != "" || slices.ContainsFunc(keysOf(want), func(path string) bool { return sameList(path, c.path) })
		usual := p.effective(m, nil, c.path, "")
		if declared || nodeLocal(c.path) || !strings.HasPrefix(c.path, "spec.") || filledIn(c.path) || usual == c.from ||
			usual == "" && zero(c.from) {
			continue
		}
		lines = append(lines, strings.Replace(change{c.path, "", c.from}.String(), ": (none) -> ", ": ", 1))
	}
	if len(lines) > 0 {
		p.find(lifecycle.Warnf(p.site.Name, "k0s is configured in the cluster as the site does not declare").
			Because(strings.Join(lines, "\n") + "\nkiban leaves it as it is.").
			Try("Declare it in spec.k0s.config of the Cluster; or take it out: kubectl edit clusterconfig k0s -n kube-system."))
	}
}

// zero reports whether a value is what k0s writes for a field that nobody has set.
func zero(v string) bool {
	return saysNothing(v) || slices.Contains([]string{`""`, "0", "false", "[]", `"0s"`}, v)
}

// filledIn reports whether k0s writes that part of the configuration in the cluster, as its version has it.
func filledIn(path string) bool {
	for _, p := range []string{"spec.images", "spec.installConfig", "spec.extensions.storage", "spec.extensions.helm.concurrencyLevel",
		"spec.network.nodeLocalLoadBalancing.envoyProxy", "spec.network.nodeLocalLoadBalancing.traefik", "spec.podSecurityPolicy"} {
		if path == p || strings.HasPrefix(path, p+".") {
			return true
		}
	}
	return false
}
