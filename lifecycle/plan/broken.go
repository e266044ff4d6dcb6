package plan

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// mendBroken gives members whose k0s binary does not run another one, by the same steps as an upgrade: it is staged, checked and installed.
// Which version it had, the machine cannot tell; nothing is installed where that would be a guess. What it installs, it also starts: a
// controller that an upgrade is ahead of has its turn in that, behind the backup.
func (p *planner) mendBroken(s *stage) {
	for _, m := range p.controllers() {
		base := p.levelBefore(m)
		if !m.broken || base.IsZero() {
			continue
		}
		m.down = true
		m.level = base
		switch v, ahead := p.hopAfter(base); {
		case !ahead:
			p.replaceBinary(s, m, base)
		case !p.dark():
			m.waits = true
		case !m.seen.Former.IsZero(): // the upgrade that broke off has taken its backup
			p.replaceBinary(s, m, v)
		default:
			m.level = lifecycle.Version{} // it may have been at either
		}
	}
	if p.dark() {
		return
	}
	for _, m := range p.workers() {
		if v := p.controlPlane(); m.broken && m.registered && !v.IsZero() {
			m.level = v
			p.replaceBinary(s, m, v)
		}
	}
}

// levelBefore is the version that a broken controller had before anything began to change: the one that its upgrade has kept, or the one
// that the rest of the cluster has. Zero: nothing tells.
func (p *planner) levelBefore(m *member) lifecycle.Version {
	if !m.seen.Former.IsZero() {
		return m.seen.Former
	}
	for _, others := range [][]*member{p.controllers(), p.workers()} {
		var low lifecycle.Version
		for _, o := range others {
			if v := o.seen.Level(); o != m && !o.joins() && !v.IsZero() && (low.IsZero() || v.Less(low)) {
				low = v
			}
		}
		if !low.IsZero() {
			return low
		}
	}
	return lifecycle.Version{}
}

// hopAfter is the first version of the way that is newer than v.
func (p *planner) hopAfter(v lifecycle.Version) (hop lifecycle.Version, ahead bool) {
	for _, hop := range p.hops {
		if v.Less(hop) {
			return hop, true
		}
	}
	return v, false
}

func (p *planner) replaceBinary(s *stage, m *member, v lifecycle.Version) {
	st := p.do(lifecycle.ActionUpgrade, m, m.brokenWhy(v))
	m.level = v
	before := p.beforeStart(m)
	st.Version, st.Changes = v, append(argumentChanges(m), m.withVersion(v)...)
	st.After = p.controllerBack(m, v)
	if !m.Role.IsController() {
		st.After = []lifecycle.Gate{p.runs(m, v), p.nodeReady(m, v)}
	}
	s.add(append(before, st)...)
	m.down, m.renewed, m.node.Ready = false, true, true
}

func (m *member) brokenWhy(v lifecycle.Version) string {
	return fmt.Sprintf("its k0s binary does not run (%s): k0s %s is installed in its place", or(m.seen.BinaryProblem, "it is gone"), v)
}

// mends reports whether the plan gives the member a binary that runs.
func (p *planner) mends(m *member) bool { return m.broken && p.has(m, lifecycle.ActionUpgrade) }
