package plan

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// findRoute settles the hops, or says why the declared version cannot be reached.
func (p *planner) findRoute() bool {
	target := p.target()
	if p.external() {
		return true // its version is whoever's who runs it
	}
	if target.IsZero() {
		p.find(lifecycle.Errorf(p.site.Name, "the k0s version is not pinned").
			Because("Without a version it would be left to chance what is installed.").
			Try("Set spec.k0s.version of the Cluster to an exact version, such as v1.36.3+k0s.2."))
		return false
	}
	have := map[string]lifecycle.Version{}
	for _, m := range p.members {
		switch {
		case m.broken && m.Role.IsController() && !m.seen.Former.IsZero():
			have[m.Name] = m.seen.Former
		case p.phase == phaseBack && m.Role.IsController() && !m.Reset && m.belongs():
			have[m.Name] = p.pin.Former // where it can go: twoSteps
		case !m.Reset && m.belongs():
			have[m.Name] = m.level
		case p.phase == phaseRoll && m.Role.IsController() && !m.Reset && m.joins():
			have[m.Name] = p.pin.Former // as what it joins
		}
	}
	hops, problem := route(have, target, p.site.Policy.Path)
	if problem != nil {
		problem.Subject = p.site.Name
		if newer := p.newerWorkers(target); len(newer) > 0 && p.onlyWorkersAhead(target) {
			problem.Hint = "Declare that version or a newer one. Or, if the control plane was restored at " + target.String() + ": " +
				resetNewer(newer, target)
		}
		p.found = append(p.found, *problem)
		return false
	}
	if p.hops = hops; p.phase == phaseSoak {
		p.waiting, p.hops = p.dueAt(p.workers(), p.target()), nil // they follow when it is over
		return true
	}
	if len(hops) == 0 && slices.ContainsFunc(p.workers(), func(m *member) bool { return p.startable(m) && p.finishedByUpgrade(m) }) {
		p.hops = []lifecycle.Version{target} // an upgrade that was cut off behind the exchange of the binary
	}
	return true
}

// onlyWorkersAhead reports whether there is a control plane and no controller is newer than a version, as after a restore that was
// interrupted before it came to the workers.
func (p *planner) onlyWorkersAhead(v lifecycle.Version) bool {
	cs := p.which(func(m *member) bool { return m.Role.IsController() && !m.Reset && m.belongs() })
	return len(cs) > 0 && !slices.ContainsFunc(cs, func(m *member) bool { return v.Less(m.level) })
}

// route is the versions on the way from those that the members have to the target, which is the last one. One minor release a hop.
// Intermediate versions are those of path, where a whole minor release lies between.
func route(have map[string]lifecycle.Version, target lifecycle.Version, path []lifecycle.Version) ([]lifecycle.Version,
	*lifecycle.Diagnostic) {
	var low lifecycle.Version
	for _, v := range have {
		if low.IsZero() || v.Less(low) {
			low = v
		}
	}
	if newer, _ := lifecycle.Ahead(have, target); len(newer) > 0 {
		return nil, new(lifecycle.Errorf("", "%s would be a downgrade", target).
			Because(newer...).
			Try("Declare that version or a newer one. The way back to an older one is to restore a backup that was taken with it."))
	}
	if low.IsZero() || low == target {
		return nil, nil
	}
	if low.Major != target.Major {
		return nil, new(lifecycle.Errorf("", "%s is another major release than %s", target, low).
			Try("There is no upgrade between major releases that kiban knows."))
	}
	return hopsBetween(low, target, path)
}

// hopsBetween are the hops from one version up to another of the same major release.
func hopsBetween(low, target lifecycle.Version, path []lifecycle.Version) ([]lifecycle.Version, *lifecycle.Diagnostic) {
	var hops []lifecycle.Version
	var missing, names []string
	names = append(names, low.String())
	for minor := low.Minor + 1; minor < target.Minor; minor++ {
		between := declared(path, low.Major, minor)
		if len(between) == 0 {
			missing = append(missing, lifecycle.Version{Major: low.Major, Minor: minor}.MinorString())
			names = append(names, missing[len(missing)-1]+" (no version declared)")
			continue
		}
		for _, v := range between {
			hops, names = append(hops, v), append(names, v.String())
		}
	}
	if len(missing) > 0 {
		return nil, new(lifecycle.Errorf("", "the way to %s leaves out %s", target, strings.Join(missing, ", ")).
			Because(strings.Join(append(names, target.String()), " -> ")).
			Try("One minor release a hop. Write the exact version of each hop in spec.upgrade.path of the Site, or declare a nearer version first."))
	}
	return append(hops, target), nil
}

// declared are the path's versions of one minor release, oldest first.
func declared(path []lifecycle.Version, major, minor int) []lifecycle.Version {
	vs := slices.DeleteFunc(slices.Clone(path), func(v lifecycle.Version) bool { return v.Major != major || v.Minor != minor })
	slices.SortFunc(vs, lifecycle.Version.Compare)
	return slices.Compact(vs)
}

// nextHop is the hop that a member's next upgrade goes to.
func (p *planner) nextHop(m *member) lifecycle.Version {
	for _, hop := range p.hops {
		if !hop.Less(m.level) {
			return hop
		}
	}
	return p.target()
}

// inspectVersions warns of versions that are amiss but that the plan mends, or that are known to be bad.
func (p *planner) inspectVersions() {
	var cp lifecycle.Version // the lowest version of a controller before the plan
	for _, m := range p.controllers() {
		if v := m.seen.Level(); !v.IsZero() && (cp.IsZero() || v.Less(cp)) {
			cp = v
		}
	}
	for _, m := range p.workers() {
		v := m.seen.Running
		switch {
		case v.IsZero() || cp.IsZero():
		case newerKubernetes(v, cp):
			p.find(lifecycle.Warnf(m.Name, "its kubelet is newer than the control plane").
				Because(fmt.Sprintf("The worker has %s, a controller %s. No kubelet may be newer than its API server.", v, cp)).
				Try("This plan upgrades the controllers, which puts it right. Until then leave the worker alone."))
		case cp.MinorsAhead(v) > 1:
			p.find(lifecycle.Warnf(m.Name, "it is more than one minor release behind the control plane").
				Because(fmt.Sprintf("The worker has %s, the controllers %s.", v, cp)).
				Try("This plan brings it nearer, hop by hop."))
		}
	}
	for _, v := range append(slices.Clone(p.hops), p.target()) {
		if v == (lifecycle.Version{Major: 1, Minor: 35, Patch: 1}) {
			p.find(lifecycle.Warnf(p.site.Name, "%s is known to be bad", v.String()).
				Because("It cannot parse join tokens reliably (k0s issue 7202).").
				Try("Declare a later patch release of v1.35."))
			return
		}
	}
}

// newerKubernetes compares without k0s's build: it does not change the kubelet.
func newerKubernetes(a, b lifecycle.Version) bool {
	a.Build, b.Build = 0, 0
	return b.Less(a)
}
