package promotion

import (
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Brought are the versions that a plan brings to a site: k0s where machines change to it or a cluster is set up with it, and charts that
// are new or get another version. Values, objects and machines that join at the version of the others are none.
func Brought(plan lifecycle.Plan) []lifecycle.SoakVersion {
	var out list
	setsUp := slices.ContainsFunc(plan.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionInitialize })
	if (len(plan.Hops) > 0 || setsUp) && !plan.Target.IsZero() {
		out.add(K0s, plan.Target.String())
	}
	for _, s := range plan.Steps {
		if s.Brings.Version != "" {
			out.add(chart+s.Brings.Name, s.Brings.Version)
		}
	}
	return out
}

// Unseen are the versions that a site declares and that a plan made a minute later may bring, whatever this one does: those of what could
// not be seen, and k0s as long as a machine has another version. A plan that only brings the API back, or that is blocked, is followed by
// one that upgrades.
func Unseen(site lifecycle.Site, state lifecycle.State) []lifecycle.SoakVersion {
	var out list
	if declared := site.Cluster.Version; !declared.IsZero() && (!knowsEveryHost(site, state) || hasOther(site, state, declared)) {
		out.add(K0s, site.Cluster.Version.String())
	}
	for _, a := range site.Addons {
		if u, there := state.Unit(a.Unit()); a.Chart != nil && (!there || u.Unknown != "") {
			out.add(chart+a.Chart.Name, a.Chart.Version)
		}
	}
	return out
}

// hasOther reports whether a machine that stays has another version of k0s than the declared one.
func hasOther(site lifecycle.Site, state lifecycle.State, declared lifecycle.Version) bool {
	return slices.ContainsFunc(site.Cluster.Hosts, func(h lifecycle.Host) bool {
		hs, _ := state.Host(h.Name)
		is := hs.Level()
		return !h.Reset && hs.Installed() && !is.IsZero() && is != declared
	})
}
