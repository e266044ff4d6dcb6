package plan

import (
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// What k0s runs with (its arguments and environment, k0s.yaml, files that it reads when it starts) has a way back as a worker's version
// has: the machine keeps what it was, and gets it again where k0s does not come up with the change.

// settingsTurn is what a turn that changes with what k0s runs was before its steps were planned.
type settingsTurn struct {
	can   bool // there is something to go back to
	gates []lifecycle.Gate
}

// settingsTurn begins one; work is its step that starts k0s. What the machine kept for a change that it came up with is no longer of use.
func (p *planner) settingsTurn(s *stage, m *member, work *step) settingsTurn {
	well := p.runsWell(m)
	if well && m.seen.KeptBefore {
		s.add(p.do(lifecycle.ActionForgetSettings, m, "it came up with an earlier change: what it had before that is no longer kept"))
	}
	return settingsTurn{can: well || !m.seen.Kept.IsZero(), gates: slices.Clone(work.After)}
}

// settingsBack gives a turn its way back, once its steps are planned, and has what is kept for it removed once the machine is well. ahead
// are the steps of the turn before work, which change something, too.
func (p *planner) settingsBack(s *stage, m *member, t settingsTurn, work *step, ahead ...*step) {
	all := append(slices.Clone(ahead), work)
	if !t.can || p.changesKeys(m, all) {
		return
	}
	back := p.do(lifecycle.ActionRestoreSettings, m, "k0s does not come up there with the change: what it ran with before is put back, and "+
		"the rollout stops")
	back.After = t.gates
	if m.Role.IsController() && len(p.state.Etcd.Members) > 1 { // another may have gone meanwhile
		back.Before = []lifecycle.Gate{p.gate(lifecycle.GateEtcdQuorum, m.Name)}
	}
	for _, st := range all {
		st.Keeps = true
		back.Changes = append(back.Changes, st.Changes...)
	}
	if len(back.Changes) > 0 {
		back.Change = m.runsWith()
	}
	work.OnFailure = []lifecycle.Step{back.Step}
	forget := p.do(lifecycle.ActionForgetSettings, m, "it is well with the change: what it ran with before is no longer kept")
	last := s.steps[len(s.steps)-1]
	if last == work { // that others are not well is no reason to take this one back
		work.After, forget.After = t.gates, work.After[len(t.gates):]
	}
	forget.after = []*step{last}
	s.add(forget)
}

// runsWell reports whether the member is well with what it runs with.
func (p *planner) runsWell(m *member) bool {
	if !m.seen.Reached() || !m.seen.Installed() || m.seen.Running.IsZero() || m.down {
		return false
	}
	if m.Role.IsController() {
		return serving(p.state.API, m.Name)
	}
	// What was Ready before k0s was started again says nothing of it, as the gate has it, too.
	beat := m.node.Heartbeat
	return m.registered && m.node.Ready && (beat.IsZero() || !beat.Before(m.seen.ServiceSince.Truncate(time.Second)))
}

// runsWith identifies what the member's k0s is to run with.
func (m *member) runsWith() string {
	words := append([]string{m.ConfigDigest, m.Environment}, m.Arguments...)
	for _, f := range m.Files {
		words = append(words, f.Path, f.Digest)
	}
	return lifecycle.Digest([]byte(strings.Join(words, "\x00")))
}

// changesKeys reports whether steps change the keys that the API server encrypts with: what it has written with new ones the former ones
// don't open, so there is no way back by itself.
func (p *planner) changesKeys(m *member, steps []*step) bool {
	const flag = "encryption-provider-config"
	had := *m
	had.Config = m.seen.Config
	file, before := apiArgument(m, flag), apiArgument(&had, flag)
	return slices.ContainsFunc(steps, func(st *step) bool {
		return slices.ContainsFunc(st.Changes, func(c string) bool {
			whole := strings.HasPrefix(c, "k0s.yaml: (") && file+before != ""
			return whole || strings.Contains(c, flag) || file != "" && strings.Contains(c, file) ||
				before != "" && strings.Contains(c, before)
		})
	})
}

// awaitsChange reports whether a run was cut off before the member was known to be well with a change.
func (p *planner) awaitsChange(m *member) bool {
	return !m.seen.Kept.IsZero() && m.belongs() && !p.runsWell(m) && m.seen.Installed()
}

// seeChangeThrough ends a change that was cut off: the member gets the time that a start has, and its way back after that.
func (p *planner) seeChangeThrough(s *stage, m *member, gates []lifecycle.Gate) *step {
	st := p.do(lifecycle.ActionStart, m, "what k0s runs with was changed, and it is not well: a run was cut off before it was known "+
		"whether it comes up")
	st.Version, st.After = m.level, gates
	turn := p.settingsTurn(s, m, st)
	s.add(st)
	p.settingsBack(s, m, turn, st)
	return st
}

// forgetChanges removes what is kept of changes with which machines are well, as an interrupted run left it.
func forgetChanges(p *planner, s *stage) {
	for _, m := range p.members {
		if m.seen.HalfKept && !p.has(m, lifecycle.ActionForgetSettings, lifecycle.ActionReset) {
			s.add(p.do(lifecycle.ActionForgetSettings, m, "a run was cut off while it kept what k0s runs with: what lies there is of no use"))
			continue
		}
		if m.seen.Kept.IsZero() || !p.runsWell(m) || p.has(m, lifecycle.ActionForgetSettings, lifecycle.ActionReset) {
			continue
		}
		s.add(p.do(lifecycle.ActionForgetSettings, m, "it is well with what was changed: what it ran with before is no longer kept"))
	}
}
