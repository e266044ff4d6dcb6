package plan

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// tidy removes join tokens that lie on disk, binaries that nothing will install, and those that were kept for the way back. A join
// overwrites its own token.
func tidy(p *planner) {
	s := p.stage("tidy", "remove what interrupted runs left", 0)
	installs := p.installs()
	for _, m := range p.members {
		if !m.seen.Reached() {
			continue
		}
		var why []string
		if m.seen.Token && !p.has(m, lifecycle.ActionJoinController, lifecycle.ActionJoinWorker) {
			why = append(why, "a join token lies on its disk")
		}
		for _, v := range m.seen.Staged {
			if !installs[install{m.Name, v}] {
				why = append(why, "k0s "+v.String()+" lies there and is not to be installed")
			}
		}
		if len(why) > 0 {
			s.add(p.do(lifecycle.ActionTidy, m, strings.Join(why, "; ")))
		}
	}
	forget(p, s)
	forgetChanges(p, s)
}

// has reports whether the plan has one of these actions for the member.
func (p *planner) has(m *member, actions ...lifecycle.Action) bool {
	return p.hasAny(m, func(a lifecycle.Action) bool { return slices.Contains(actions, a) })
}

// hasAny reports whether the plan has an action of a kind for the member.
func (p *planner) hasAny(m *member, kind func(lifecycle.Action) bool) bool {
	return slices.ContainsFunc(p.work, func(s *stage) bool {
		return slices.ContainsFunc(s.steps, func(st *step) bool { return st.Target == m.Name && kind(st.Action) })
	})
}
