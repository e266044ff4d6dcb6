package plan

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// isRightCluster refuses a cluster that is not this site's. Nothing else is worth saying then.
func (p *planner) isRightCluster() bool {
	d, other := p.site.OtherCluster(p.state.API.ClusterUID, p.state.API.Site)
	if other {
		p.found = append(p.found, d)
	}
	return !other
}

// inspectUnits finds what stands in the way of addons, tenants and objects.
func (p *planner) inspectUnits() {
	for _, a := range p.site.Addons {
		if a.Chart != nil && slices.Contains(p.state.API.ForeignCharts, a.Namespace+"/"+a.Chart.Release) {
			p.find(lifecycle.Errorf(a.Unit(), "k0s's own Helm controller looks after release %s/%s", a.Namespace, a.Chart.Release).
				Because("Each would undo what the other does.").
				Try("To hand it over to kiban, take the chart out of spec.extensions.helm of the k0s configuration after removing the finalizers of " +
					"its Chart resource in kube-system, " +
					"without which k0s uninstalls the release; then delete that Chart resource. Or take the addon out of the overlay."))
		}
	}
	if p.dark() {
		return // that is said of the API already
	}
	for _, u := range p.state.Units {
		p.found = append(p.found, u.Diagnostics...)
		switch {
		case u.Unknown != "" && u.Declared:
			p.find(lifecycle.Blockedf(u.Name, "what it would change is not known").
				Because(u.Unknown).
				Try("Run the same command again; kiban status " + p.site.Name + " says how the API is."))
		case u.Unknown != "":
			p.find(lifecycle.Warnf(u.Name, "it has left the repository, and is not known well enough to be removed").
				Because(u.Unknown).
				Try("Run the same command again."))
		case p.waitsForUnits() && u.Installed && !u.Health.IsWell() && !isDue(u) && strings.HasPrefix(u.Name, lifecycle.UnitAddon):
			p.find(lifecycle.Warnf(u.Name, "it is not healthy before anything is done, so no node waits for it").
				Because(u.Health.Why).
				Try("To have the rollout wait for it, see to it first."))
		}
	}
}

// waitsForUnits reports whether a step's gates look at the addons' health.
func (p *planner) waitsForUnits() bool {
	return slices.ContainsFunc(p.work, func(s *stage) bool {
		return slices.ContainsFunc(s.steps, func(st *step) bool {
			return slices.ContainsFunc(slices.Concat(st.Before, st.After),
				func(g lifecycle.Gate) bool { return g.Kind.Watches() == lifecycle.WatchedUnits })
		})
	})
}

// units are the gate that every addon is healthy, where the site has any.
func (p *planner) unitsHealthy() []lifecycle.Gate {
	has := slices.ContainsFunc(p.state.Units, func(u lifecycle.UnitState) bool {
		return strings.HasPrefix(u.Name, lifecycle.UnitAddon) && (u.Installed || u.Declared) && !u.NotYet
	})
	if !has {
		return nil
	}
	return []lifecycle.Gate{p.gate(lifecycle.GateUnits, "")}
}

// rerender ends the plan where a chart makes something else for the version that an upgrade leads to: what, the API says when it runs.
func rerender(p *planner) {
	if len(p.hops) == 0 {
		return
	}
	var names []string
	for _, u := range p.state.Units {
		if u.Declared && u.Rerenders {
			names = append(names, u.Name)
		}
	}
	if len(names) > 0 {
		p.coming = names
		p.unfinished = fmt.Sprintf("what Kubernetes %s changes of %s is known once its API runs", p.target().Kubernetes(),
			strings.Join(names, ", "))
	}
}
