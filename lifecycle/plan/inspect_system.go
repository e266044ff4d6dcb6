package plan

import (
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// inspectSystem tells what k0s's own workloads lack before anything is done: the rollout does not wait for it, and would go on beside it.
func (p *planner) inspectSystem() {
	waits := slices.ContainsFunc(p.work, func(s *stage) bool {
		return slices.ContainsFunc(s.steps, func(st *step) bool {
			return slices.ContainsFunc(slices.Concat(st.Before, st.After), func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateSystem })
		})
	})
	if !waits {
		return
	}
	for _, w := range p.state.System {
		for _, l := range w.Lacks {
			if l.Node != "" && p.isOut(l.Node) {
				continue // that is told of the node
			}
			p.find(lifecycle.Warnf(w.At(l), "it is not well before anything is done, so no node waits for it").
				Because(l.Why).
				Try("See to it first, to have the rollout wait for it: pods that move to a node without it may not work there."))
		}
	}
}

// isOut reports whether a node is not in service now.
func (p *planner) isOut(name string) bool {
	n, ok := p.state.Node(name)
	return !ok || !n.Ready || n.Unschedulable && !n.Mark.IsZero()
}
