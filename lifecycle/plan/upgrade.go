package plan

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// upgrade goes hop by hop: a backup, the controllers one by one, then the workers through the window. A hop is complete before the next
// begins, so no kubelet is newer than its API or more than one minor release older.
func upgrade(p *planner) {
	for _, hop := range p.hops {
		upgradeControllers(p, hop)
		if p.rolls() {
			p.beginSoak()
			return // workers follow when it is over
		}
		upgradeWorkers(p, hop)
	}
}

func upgradeControllers(p *planner, hop lifecycle.Version) {
	due := p.dueAt(p.controllers(), hop)
	if len(due) == 0 {
		return
	}
	slices.SortStableFunc(due, downFirst)
	var first []*step
	if !p.resumes(hop) {
		backup := p.backupBefore(hop, fmt.Sprintf("before controllers change to %s: %s", hop, p.backupFor()), p.proven())
		first = append(first, backup)
	}

	id, title := "controllers", "control plane to "+hop.String()
	if p.rolls() {
		id, title = lifecycle.StageRoll, fmt.Sprintf("roll the control plane to %s, acting as %s", hop, p.pin.Former.MinorString())
	}
	s := p.stage(id+"@"+hop.String(), title, 1)
	for _, m := range due {
		s.add(p.aheadOf(m, hop)...)
		if changes := p.configChanges(m); hop == p.target() && len(changes) > 0 {
			config := p.configure(m, hop, changes)
			config.Stopped = m.onlyStarts(hop)
			s.add(config)
		}
		kept := m.level.Less(hop) && !m.broken
		st := p.upgradeTo(m, hop)
		st.Before, st.After = p.others(m), p.controlPlaneWhole(m, hop)
		if m.Role.RunsWorkloads() {
			st.After = append(st.After, p.gate(lifecycle.GateDaemonSets, m.Name))
		}
		st.Before, st.After = append(st.Before, p.unitsHealthy()...), append(st.After, p.othersWell()...)
		st.after = append(st.after, first...)
		if p.rolls() {
			st.After = append(st.After, p.asFormer(m)...)
		}
		p.turn(s, m, hop, st)
		if !p.rolls() {
			p.keptUntilWell(s, m, st, kept)
		}
	}
}

// backupFor says what the backup before an upgrade is for.
func (p *planner) backupFor() string {
	if p.rolls() {
		return "the control plane can go back without it; it is for what nobody foresaw"
	}
	return "the only way back from an upgrade"
}

// downFirst puts members that do not run before those that do: while one is down, no other may go.
func downFirst(a, b *member) int {
	switch {
	case a.down == b.down:
		return 0
	case a.down:
		return -1
	}
	return 1
}

func upgradeWorkers(p *planner, hop lifecycle.Version) {
	due := inOrder(p.dueAt(p.workers(), hop), p.site.Policy.Workers.FailureDomain)
	s := p.rollout("workers@"+hop.String(), "workers to "+hop.String(), due, p.canariesLeft(hop))
	for _, m := range due {
		former := p.former(m, hop)
		changed := former.IsZero() && m.level == hop && p.awaitsChange(m) // it was cut off in a change, and not in an upgrade
		ahead := p.aheadOf(m, hop)
		s.add(ahead...)
		st := p.upgradeTo(m, hop)
		st.After = p.nodeBack(m, hop)
		turn := p.settingsTurn(s, m, st)
		p.turn(s, m, hop, st)
		if p.wayBack(s, m, st, former); changed {
			p.settingsBack(s, m, turn, st, ahead...)
		}
	}
}

// upgradeTo is the step that brings a member to a hop's version, with its declared arguments and the files that are for the version. It
// also finishes one that was cut off.
func (p *planner) upgradeTo(m *member, hop lifecycle.Version) *step {
	st := p.do(lifecycle.ActionUpgrade, m, p.upgradeWhy(m, hop))
	st.From, st.Version, st.Changes = m.level, hop, append(argumentChanges(m), m.withVersion(hop)...)
	m.level, m.renewed = hop, true
	return st
}

func (p *planner) upgradeWhy(m *member, hop lifecycle.Version) string {
	var why string
	switch s := m.seen; {
	case m.broken:
		return m.brokenWhy(hop)
	case m.stranded && hop == p.nextHop(m):
		return fmt.Sprintf("%s; k0s %s is installed in its place", m.strandedWhy(), hop)
	case m.level == hop && m.waits:
		why = fmt.Sprintf("k0s %s is in place, but its service is %s: %s", hop, s.Service, m.cutOff())
	case s.Running == m.level && s.Running.Less(s.Binary):
		why = fmt.Sprintf("k0s %s is in place, but %s still runs: an upgrade was cut off", s.Binary, s.Running)
	default:
		why = fmt.Sprintf("k0s %s is installed", m.level)
	}
	if hop == p.target() {
		if m.level == hop {
			return why
		}
		return fmt.Sprintf("%s, %s is declared", why, hop)
	}
	return fmt.Sprintf("%s, %s is a hop on the way to %s", why, hop, p.target())
}

// cutOff says what left a member behind that is where the hop leads and does not run: not every run that closes a node is an upgrade.
func (m *member) cutOff() string {
	if r := m.node.Mark.Reason; r != "" {
		return "its node is closed by a run that was cut off (" + r + ")"
	}
	return "an upgrade was cut off"
}

// dueAt are the members that the hop is to change: those at an older version, and those at the hop's own that do not run.
func (p *planner) dueAt(ms []*member, hop lifecycle.Version) []*member {
	var due []*member
	for _, m := range ms {
		if m.upgradable() && (m.level.Less(hop) || (m.waits && m.level == hop)) {
			due = append(due, m)
		}
	}
	return due
}

// upgradable reports whether the member is one that an upgrade can work with: inspect names the others.
func (m *member) upgradable() bool {
	return m.belongs() && m.seen.Reached() && (m.seen.BinaryProblem == "" || m.broken)
}

// upgrades reports whether a hop still to come changes the member.
func (p *planner) upgrades(m *member) bool {
	return m.upgradable() && len(p.hops) > 0 && m.level.Less(p.target())
}

// canariesLeft is how many canaries the hop still needs: a worker that has it already and is in service has been one.
func (p *planner) canariesLeft(hop lifecycle.Version) int {
	left := p.site.Policy.Workers.Canary
	for _, m := range p.workers() {
		if left > 0 && m.seen.Running == hop && m.registered && m.node.Ready && !m.held {
			left--
		}
	}
	return left
}
