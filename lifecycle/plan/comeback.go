package plan

import (
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// A controller whose upgrade was begun and that does not come up is stranded. Its way on is another version: a fixed one, installed in the
// place of the one that fails, or its former one, where that can read all that was written since. The one that fails is started again only
// while it is the declared one.

// strand finds the stranded controllers, and puts them where they were before their upgrades.
func (p *planner) strand() {
	for _, m := range p.controllers() {
		if m.stalls(p) && m.wayOn(p.site) {
			m.stranded, m.level, m.down = true, m.before(), true
			m.node.Ready = false
		}
	}
}

// stalls reports whether a controller with a version that has not proved itself does not come up. One that runs without an API server that
// answers is one where the others' answer, or where there is no other controller: else the API may be well and only out of reach.
func (m *member) stalls(p *planner) bool {
	s := m.seen
	if !s.Reached() || !s.Installed() || m.broken || s.Binary.IsZero() || s.BinaryProblem != "" || m.joins() {
		return false
	}
	if s.Running.IsZero() {
		return m.unproven() || s.CrashLoops()
	}
	reached := !p.dark() || len(p.controllers()) == 1
	return m.unproven() && s.Running == s.Binary && reached && !serving(p.state.API, m.Name)
}

// unproven reports whether the installed k0s has taken the place of another, and is not known to be well.
func (m *member) unproven() bool {
	s := m.seen
	return !s.Former.IsZero() && s.Former != s.Binary
}

// before is the version that the controller had before the one that fails: its former one, where that is kept.
func (m *member) before() lifecycle.Version {
	if m.unproven() {
		return m.seen.Former
	}
	return m.seen.Binary
}

// wayOn reports whether another version than the one that fails is declared. Where no upgrade of the controller is under way, that is a
// newer patch release: no backup can be taken of a control plane that does not run, so its data stay what they are.
func (m *member) wayOn(site lifecycle.Site) bool {
	fails, target := m.seen.Binary, site.Cluster.Version
	if target.IsZero() || target == fails || slices.Contains(site.Policy.Path, fails) {
		return false
	}
	if m.unproven() {
		return true
	}
	return fails.Less(target) && target.MinorsAhead(fails) == 0
}

// comeBack brings a stranded controller back while nothing answers: at its former version, or at the next one of the way.
func (p *planner) comeBack(s *stage, m *member) {
	v, ahead := p.hopAfter(m.level)
	switch {
	case !p.mayComeBack(m, v):
	case !ahead && m.level == m.seen.Former:
		p.goBack(s, m)
	default:
		st := p.do(lifecycle.ActionUpgrade, m, m.strandedWhy()+fmt.Sprintf("; k0s %s is installed in its place", v))
		steps := append(p.beforeStart(m), st)
		st.From, st.Version, st.Changes, st.After = m.level, v, append(argumentChanges(m), m.withVersion(v)...), p.controllerBack(m, v)
		s.add(steps...)
		m.level, m.down, m.renewed, m.node.Ready = v, false, true, true
	}
}

// goBack puts the former k0s in the place of the one that fails.
func (p *planner) goBack(s *stage, m *member) {
	_, why := m.seen.MayGoBack()
	if p.phase == phaseBack && len(p.noReturn()) == 0 {
		why = "the newer one has only acted as " + p.pin.Former.MinorString()
	}
	st := p.do(lifecycle.ActionRestoreFormer, m, fmt.Sprintf("%s; %s is declared, and it may run again: %s", m.strandedWhy(), m.level, why))
	st.From, st.Version, st.After = m.seen.Binary, m.level, p.controllerBack(m, m.level)
	s.add(st)
	m.down, m.node.Ready = false, true
}

// mayComeBack reports whether the controller may be started at a version with the data that it has. Where it may not, inspect says so.
func (p *planner) mayComeBack(m *member, v lifecycle.Version) bool {
	if v.MinorsAhead(m.seen.Binary) >= 0 {
		return true // it reads all that the one which fails has written
	}
	if p.phase == phaseBack && v == p.pin.Former && len(p.noReturn()) == 0 {
		return true
	}
	ok, _ := m.seen.MayGoBack()
	return ok
}

// staysDown reports whether systemd has given k0s up or starts it again and again. Of a version that is not known to be well, one more
// start is one too many.
func (m *member) staysDown() bool {
	again := m.seen.Service == lifecycle.ServiceStarting && m.seen.Restarts > 0 && m.seen.Running.IsZero()
	return m.seen.CrashLoops() || (m.unproven() && again)
}

// strandedWhy says in words what is the matter with a controller that does not come up.
func (m *member) strandedWhy() string {
	s := m.seen
	switch {
	case s.CrashLoops() && s.Service == lifecycle.ServiceFailed:
		return fmt.Sprintf("k0s %s does not stay up: systemd has given it up", s.Binary)
	case m.staysDown():
		return fmt.Sprintf("k0s %s does not stay up: systemd restarts it again and again", s.Binary)
	case !s.Running.IsZero():
		return fmt.Sprintf("k0s %s runs, but its API server does not answer", s.Binary)
	}
	return fmt.Sprintf("k0s %s is in place and its service is %s: its upgrade did not come to an end", s.Binary, s.Service)
}

// othersHave are the versions that were seen of the other members, which the next declared one is held against. One that does not come up
// either counts as what it was before.
func (p *planner) othersHave(but *member) map[string]lifecycle.Version {
	have := map[string]lifecycle.Version{}
	for _, m := range p.members {
		switch {
		case m == but || m.Reset || m.joins() || m.seen.Level().IsZero():
		case m.Role.IsController() && m.stalls(p):
			have[m.Name] = m.before()
		default:
			have[m.Name] = m.seen.Level()
		}
	}
	return have
}

// restoreHint names the newest backup from before a version, and how it is restored.
func (p *planner) restoreHint(v lifecycle.Version) string {
	b, ok := p.state.Past.BackupBefore(v)
	if !ok {
		return fmt.Sprintf("No backup from before %s is known here: `kiban backup list %s`.", v, p.site.Name)
	}
	return fmt.Sprintf("The newest backup from before %s was taken at %s, in %s. "+
		"To go back to it, with what was stored since lost: declare %s, stop and reset the controllers, then: %s", v, b.Taken, b.Place,
		b.Version, lifecycle.RestoreCommand(p.site.Name, b))
}

// resumes reports whether the controllers' upgrade to a hop is under way and has left a backup behind: then another one would lead back to
// the hop's own version only.
func (p *planner) resumes(hop lifecycle.Version) bool {
	begun := slices.ContainsFunc(p.controllers(), func(m *member) bool { return m.seen.Running == hop })
	b, kept := p.state.Past.BackupBefore(hop)
	if !begun || !kept || b.Verified == "" {
		return false
	}
	taken, err := time.Parse(time.RFC3339, b.Taken)
	return err == nil && b.Version == p.lowest(hop) && p.state.ObservedAt.Sub(taken) < backupCounts
}

// backupCounts is how old the backup of an upgrade that is under way may be.
const backupCounts = 7 * 24 * time.Hour

// lowest is the version that controllers had before the hop; zero when none has another.
func (p *planner) lowest(hop lifecycle.Version) lifecycle.Version {
	var low lifecycle.Version
	for _, m := range p.controllers() {
		for _, v := range []lifecycle.Version{m.seen.Running, m.seen.Binary, m.seen.Former} {
			if !v.IsZero() && v.Less(hop) && (low.IsZero() || v.Less(low)) {
				low = v
			}
		}
	}
	return low
}
