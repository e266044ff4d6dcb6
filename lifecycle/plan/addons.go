package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// applyUnits brings addons, tenants and objects to what is declared, in the order in which they were observed: after machines have joined
// and left, before the versions of k0s change. One after the other: what one brings may be what the next stands on.
func applyUnits(p *planner) {
	steps := map[string]*step{}
	var s *stage
	for _, u := range p.state.Units {
		if !u.Declared || u.Unknown != "" || !isDue(u) {
			continue
		}
		if id := stageOf(u.Name); s == nil || s.ID != id {
			s = p.stage(id, id, 1)
		}
		st := unitStep(u, lifecycle.ActionApply, unitWhy(u))
		st.Digest, st.Chart, st.Hooks, st.Ignored, st.Unchanged = u.Digest, chartChange(u), u.Hooks, u.Ignored, u.Unchanged
		st.Timeout, st.Brings = applyLimit(u), brings(u)
		if st.Disrupts {
			st.Before = p.window() // its pods are restarted, which is what a window is for
		}
		for _, need := range u.DependsOn {
			if other := steps[need]; other != nil {
				st.after = append(st.after, other)
			}
		}
		steps[u.Name] = st
		s.add(st)
	}
}

// pruneUnits removes what has left the repository, after what is declared is applied: an object may have moved from one unit to another.
// A tenant's data goes with it, so it leaves only when that was asked for.
func pruneUnits(p *planner) {
	s := p.stage("prune", "what has left the repository", 1)
	for _, u := range p.state.Units {
		switch {
		case u.Declared || u.Unknown != "":
		case isTenant(u) && !p.options.PruneTenants:
			p.find(lifecycle.Warnf(u.Name, "the tenant has left the repository, and is still in the cluster").
				Because("It has " + strings.Join(namespacesOf(u), ", ") + ". Nothing of it is changed.").
				Try(fmt.Sprintf("To delete it with all its data: kiban apply %s --prune-tenants. To keep it, declare it again.", p.site.Name)))
		default:
			why := "it has left the repository"
			if isTenant(u) {
				why += ", and --prune-tenants says that its data may go"
			}
			st := unitStep(u, lifecycle.ActionPrune, why)
			st.Chart, st.Hooks, st.Timeout, st.Before = u.Release.Version, u.Hooks, pruneLimit, p.window()
			s.add(st)
		}
	}
}

// pruneLimit bounds a removal: a namespace goes when all that is in it has gone.
const pruneLimit = 30 * time.Minute

// applyLimit bounds a unit's application: its health is waited for behind the chart and behind what is tied to it, and once more when the
// former release comes back.
func applyLimit(u lifecycle.UnitState) time.Duration { return 4*u.Timeout + 10*time.Minute }

func unitStep(u lifecycle.UnitState, a lifecycle.Action, why string) *step {
	return &step{Step: lifecycle.Step{Action: a, Target: u.Name, Reason: why, Objects: u.Changes, Disrupts: disturbs(u.Changes)}}
}

// stageOf is the stage that a unit belongs to, and its title.
func stageOf(unit string) string {
	switch {
	case strings.HasPrefix(unit, lifecycle.UnitAddon):
		return "addons"
	case strings.HasPrefix(unit, lifecycle.UnitTenant):
		return "tenants"
	}
	return "objects"
}

func isTenant(u lifecycle.UnitState) bool { return strings.HasPrefix(u.Name, lifecycle.UnitTenant) }

// isDue reports whether the unit is to be applied.
func isDue(u lifecycle.UnitState) bool {
	if u.Diagnostics.Err() != nil && len(u.Changes) == 0 {
		return false // it could not be compared, and that stops the plan
	}
	return len(u.Changes) > 0 || u.Changed != "" || u.Adopts || (!u.Installed && u.Chart != "")
}

// unitWhy says why a unit is applied.
func unitWhy(u lifecycle.UnitState) string {
	var why []string
	switch {
	case u.NotYet:
		return "it is declared, and comes as soon as the cluster is there"
	case !u.Installed:
		return "it is declared and not installed"
	case u.Adopts && u.Release.Status != "":
		why = append(why, fmt.Sprintf("Helm release %s is there, and kiban did not make it: it is taken over", u.Release.Name))
	case u.Adopts:
		why = append(why, "objects of it are there, and kiban did not make them: they are taken over")
	}
	if u.Changed != "" && !strings.Contains(u.Changed, " -> ") {
		why = append(why, u.Changed)
	}
	switch drift, others, left := countChanges(u.Changes); {
	case u.Release.Version != "" && u.Version != "" && u.Release.Version != u.Version:
		why = append(why, fmt.Sprintf("chart %s is declared, %s is installed", u.Version, u.Release.Version))
	case drift > 0 && others == 0 && left == 0:
		why = append(why, changedBy(u.Changes, drift))
	case drift > 0:
		why = append(why, "its declaration has changed, and "+changedBy(u.Changes, drift))
	case others > 0 && !u.Adopts:
		why = append(why, "its declaration has changed")
	case left > 0:
		why = append(why, lifecycle.Count(left, "object")+" left its declaration")
	}
	if len(why) == 0 {
		return "it differs from what is declared"
	}
	return strings.Join(why, "; ")
}

// countChanges tells apart objects that someone changed in the cluster, those whose declaration differs, and those that have left it.
func countChanges(changes []lifecycle.ObjectChange) (drift, others, left int) {
	for _, c := range changes {
		switch {
		case c.Drift:
			drift++
		case c.Change == lifecycle.ChangeDelete || c.Change == lifecycle.ChangeKeep:
			left++
		default:
			others++
		}
	}
	return drift, others, left
}

// changedBy says how many objects were changed in the cluster, and by whom as far as that is known.
func changedBy(changes []lifecycle.ObjectChange, n int) string {
	var who []string
	for _, c := range changes {
		for _, f := range c.Fields {
			if c.Drift && f.By != "" {
				who = append(who, f.By)
			}
		}
	}
	slices.Sort(who)
	who = slices.Compact(who)
	verb := " was"
	if n > 1 {
		verb = " were"
	}
	text := lifecycle.Count(n, "object") + verb + " changed in the cluster"
	if len(who) > 0 {
		text += " by " + strings.Join(who, ", ")
	}
	return text
}

// chartChange is from which version to which a chart goes; "" without a chart.
func chartChange(u lifecycle.UnitState) string {
	if u.Release.Version == "" || u.Release.Version == u.Version || u.Version == "" {
		return u.Version
	}
	return u.Release.Version + " -> " + u.Version
}

// brings is the chart's version where the cluster does not have it yet.
func brings(u lifecycle.UnitState) lifecycle.ChartVersion {
	if u.Chart == "" || u.Release.Chart == u.Chart && u.Release.Version == u.Version {
		return lifecycle.ChartVersion{}
	}
	return lifecycle.ChartVersion{Name: u.Chart, Version: u.Version}
}

// disturbs reports whether pods go away: a workload's template changes, or a workload goes.
func disturbs(changes []lifecycle.ObjectChange) bool {
	return slices.ContainsFunc(changes, func(c lifecycle.ObjectChange) bool {
		switch c.Kind {
		case "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "Pod":
		default:
			return false
		}
		return c.Change == lifecycle.ChangeDelete || c.Change == lifecycle.ChangeReplace ||
			slices.ContainsFunc(c.Fields, func(f lifecycle.FieldChange) bool { return strings.HasPrefix(f.Field, "spec.template") })
	})
}

// namespacesOf are the namespaces that would go with a tenant, as people read them.
func namespacesOf(u lifecycle.UnitState) []string {
	var out []string
	for _, c := range u.Changes {
		if c.Kind == "Namespace" && c.Group() == "" {
			out = append(out, "namespace "+c.Name)
		}
	}
	if len(out) == 0 {
		return []string{lifecycle.Count(len(u.Changes), "object")}
	}
	return out
}
