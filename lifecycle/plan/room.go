package plan

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// evacuates reports whether the host's pods are moved away before it is disturbed: they are where another node takes them. That is counted,
// not told by the word of a role.
func (p *planner) evacuates(m *member) bool {
	if !m.evacuates() {
		return false
	}
	return p.hasTaker(m)
}

// hasTaker reports whether another node takes pods of the member's. It is asked for each worker: most find one at once.
func (p *planner) hasTaker(m *member) bool {
	takes := func(o *member) bool { return o != m && o.registered && o.Role.RunsWorkloads() && o.repels(m) == "" }
	return slices.ContainsFunc(p.members, takes) ||
		slices.ContainsFunc(p.undeclared, func(n lifecycle.NodeState) bool { return n.Repels(m.node) == "" })
}

// takers are how many other nodes take pods of the member's, at this point of the plan, and why the others do not. A node that kiban itself
// has out of service counts: it comes back before another leaves. So does one that is not Ready: nobody leaves before it is.
func (p *planner) takers(m *member) (n int, others []string) {
	for _, o := range p.members {
		if o == m || !o.registered || !o.Role.RunsWorkloads() {
			continue
		}
		if why := o.repels(m); why != "" {
			others = append(others, o.Name+" "+why)
			continue
		}
		n++
	}
	for _, node := range p.undeclared {
		if why := node.Repels(m.node); why != "" {
			others = append(others, node.Name+" "+why)
			continue
		}
		n++
	}
	return n, others
}

// repels says why the member's node takes no pods of another's; "" if it does.
func (m *member) repels(other *member) string {
	switch {
	case m.Reset:
		return "is to be removed"
	case m.node.Unschedulable && m.held:
		open := m.node
		open.Unschedulable = false
		return open.Repels(other.node)
	}
	return m.node.Repels(other.node)
}

// width is how many workers may be out of service at once: as the policy says, less those that others have taken out, and those that an
// interrupted run did and that cannot be returned now. It is at least one.
func (p *planner) width() int {
	workers := p.workers()
	away := len(p.stranded())
	for _, m := range workers {
		if m.registered && m.cordonedByOthers() {
			away++
		}
	}
	return max(1, p.site.Policy.Workers.AtOnce(len(workers))-away)
}

// stranded are the workers that an interrupted run left out of service, and that are not reached.
func (p *planner) stranded() []*member {
	return p.which(func(m *member) bool {
		return !m.Role.IsController() && !m.Reset && m.registered && m.held && !m.seen.Reached()
	})
}

// oneTooMany reports whether the plan takes a worker out of service while as many as may be are stranded.
func (p *planner) oneTooMany() bool {
	if len(p.stranded()) < p.site.Policy.Workers.AtOnce(len(p.workers())) {
		return false
	}
	return slices.ContainsFunc(p.work, func(s *stage) bool {
		return s.ID != repairStage && slices.ContainsFunc(s.steps, func(st *step) bool {
			return st.Action == lifecycle.ActionCordon && p.member(st.Target).Role == lifecycle.RoleWorker
		})
	})
}

// tellRoom says, once for each node, that no other node takes its pods, where there are others that might. drains: it is drained all the
// same.
func (p *planner) tellRoom(m *member, drains bool) {
	takers, others := p.takers(m)
	if takers > 0 || len(others) == 0 {
		return
	}
	why := strings.Join(others, "; ") + "."
	d := lifecycle.Warnf(m.Name, "its pods stay on it: no other node takes them").
		Because(why + " So it is changed as the only node of a cluster is, without a cordon and a drain.").
		Try("To have it drained first, open another node (kubectl uncordon) or add one, then plan again.")
	if drains {
		d = lifecycle.Warnf(m.Name, "it is drained, and no other node takes its pods: they will be Pending").
			Because(why).
			Try("Open another node first (kubectl uncordon), or add one.")
	}
	if !slices.ContainsFunc(p.found, func(f lifecycle.Diagnostic) bool { return f.Subject == d.Subject && f.Summary == d.Summary }) {
		p.find(d)
	}
}
