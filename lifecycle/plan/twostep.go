package plan

import (
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// A control plane goes to another minor release in two steps where the site asks for it: it is pinned, so that its programs act as the
// release that they are; its binaries change, and go on acting as the former release; it soaks; and it is committed. Before that it can
// go
// back, for nothing was stored that the former release does not read.

// phase is where a control plane stands on that way.
type phase string

const (
	phaseNone   phase = ""       // it upgrades in one step, or has nothing to upgrade
	phasePin    phase = "pin"    // it is to be pinned, and rolled behind that
	phaseRoll   phase = "roll"   // it is pinned, and not all binaries have changed
	phaseSoak   phase = "soak"   // all have changed, and act as the former release
	phaseCommit phase = "commit" // that is to end
	phaseBack   phase = "back"   // it is to be what it was
)

// standing is what decides on the phase.
type standing struct {
	site   string
	policy lifecycle.TwoStep
	record lifecycle.Pinned
	target lifecycle.Version
	// levels are the versions of the controllers.
	levels []lifecycle.Version
	// pinned: one of them is configured to act as a release, by no declaration.
	pinned bool
	// lost: it can't go back any more, for good.
	lost bool
	// joins: a controller is to join, as one that takes the place of a dead one.
	joins bool
	now   time.Time
}

// phase decides. The problem is why what is declared can't be done from where the control plane is.
func (s standing) phase() (phase, *lifecycle.Diagnostic) {
	if len(s.levels) == 0 {
		return phaseNone, nil
	}
	low, high := slices.MinFunc(s.levels, lifecycle.Version.Compare), slices.MaxFunc(s.levels, lifecycle.Version.Compare)
	r := s.record
	switch {
	case !r.Open() && s.pinned && !r.Ended.IsZero():
		return phaseCommit, nil // its configuration is what is left of it
	case !r.Open() && s.policy.On() && s.target.MinorsAhead(low) > 0 && s.target.MinorsAhead(high) > 0:
		return phasePin, nil
	case !r.Open():
		return phaseNone, nil
	case s.target == r.Former:
		return phaseBack, nil
	case s.target != r.To && (s.policy.On() || !patches(r.To, s.target)):
		return phaseNone, s.elsewhere()
	case !s.policy.On() && (s.target != r.To || s.lost):
		return phaseCommit, nil // nobody asks for a way back any more, or there is none
	case low != r.To || high != r.To || r.Soaks.IsZero():
		return phaseRoll, nil
	case !s.policy.On():
		return phaseCommit, nil
	case s.policy.Commit == lifecycle.CommitManual || s.now.Before(r.Soaks.Add(s.policy.Soak)):
		if s.joins {
			return phaseRoll, nil // it goes the way that the others went
		}
		return phaseSoak, nil
	}
	return phaseCommit, nil
}

// patches reports whether a version is a later patch release of another one's minor.
func patches(v, later lifecycle.Version) bool { return v.Less(later) && later.MinorsAhead(v) == 0 }

// elsewhere is why a control plane goes nowhere else while it can go back: its former k0s is kept on the machines for that, and the next
// one would take its place.
func (s standing) elsewhere() *lifecycle.Diagnostic {
	r := s.record
	way := fmt.Sprintf("Wait with %s until %s. Meanwhile declare %s, or %s to go back.", s.target, s.committed(), r.To, r.Former)
	if patches(r.To, s.target) {
		way += fmt.Sprintf("\nWhere %s is at fault: kiban back %s, then declare %s anew. Where it can't go back: take spec.upgrade.controlPlane "+
			"out of the Site, with %[3]s declared; that gives up the way back.", r.To, s.site, s.target)
	}
	return new(lifecycle.Errorf("", "the control plane is between %s and %s, and %s is declared", r.Former, r.To, s.target).
		Because(fmt.Sprintf("It was pinned on %s, to go to %s. While it can go back, it goes nowhere else.", lifecycle.Stamp(r.Since), r.To)).
		Try(way))
}

// committed says when, and by whom, a control plane is committed for which another version has to wait.
func (s standing) committed() string {
	by := "the control plane is committed, by kiban commit " + s.site
	if s.record.Soaks.IsZero() || !s.policy.On() || s.policy.Commit == lifecycle.CommitManual {
		return by
	}
	over := lifecycle.Stamp(s.record.Soaks.Add(s.policy.Soak))
	return fmt.Sprintf("%s or by the first apply after %s with %s declared", by, over, s.record.To)
}

// settlePhase finds where the control plane stands, and says whether what is declared can be planned from there.
func (p *planner) settlePhase() bool {
	if p.external() || p.target().IsZero() {
		return true
	}
	s := standing{site: p.site.Name, policy: p.site.Policy.ControlPlane,
		record: p.state.Past.Pinned.Value, target: p.target(), now: p.state.ObservedAt}
	for _, m := range p.controllers() {
		if m.belongs() {
			s.levels = append(s.levels, m.level)
			s.pinned = s.pinned || m.pinned
		}
		s.joins = s.joins || m.joins()
	}
	if p.dark() {
		return p.settleInTheDark(s)
	}
	s.lost = s.record.Gone(p.site, p.state)
	if why := p.state.Past.Pinned.Unknown; why != "" {
		p.keepConfiguration()
		p.find(lifecycle.Blockedf(p.site.Name, "whether the control plane acts as its former version is not known").Because(why).
			Try("kiban status " + p.site.Name))
		return true
	}
	is, problem := s.phase()
	if problem != nil {
		problem.Subject = p.site.Name
		p.find(*problem)
		return false
	}
	p.enter(is)
	return true
}

// settleInTheDark is settlePhase where no API answers: the record can't be read, and what the machines keep counts.
func (p *planner) settleInTheDark(s standing) bool {
	p.keepConfiguration() // what is there stays
	s.record = p.keptByMachines()
	p.pin = s.record
	switch {
	case !p.pin.Open() || p.target() == p.pin.To:
	case p.target() == p.pin.Former:
		p.phase = phaseBack // revive brings those back that do not come up
	case len(p.noReturn()) == 0:
		problem := s.elsewhere()
		problem.Subject = p.site.Name
		p.find(*problem)
		return false
	}
	return true
}

// enter begins a phase.
func (p *planner) enter(is phase) {
	p.phase, p.pin = is, p.state.Past.Pinned.Value
	switch is {
	case phasePin:
		p.pin = lifecycle.Pinned{Former: p.controlPlane(), To: p.target()}
		if why := p.noWayBack(); len(why) > 0 {
			p.phase = phaseNone
			p.find(lifecycle.Errorf(p.site.Name, "there would be no way back from %s, which spec.upgrade.controlPlane.soak asks for", p.target()).
				Because(why...).
				Try("Do what the reasons say, and apply that first. Or remove spec.upgrade.controlPlane for this upgrade: " +
					"then only a backup leads back."))
			return
		}
		p.holdBack()
	case phaseRoll:
		if p.pin.AllBack(p.site, p.state) && !p.pin.Soaks.IsZero() {
			p.pin.Soaks, p.rerolls = time.Time{}, true
		}
		p.keepConfiguration()
		p.holdBack()
		if p.inspectReturn() && p.pin.Rolled(p.site, p.state) {
			p.find(p.pin.Soaking(p.site, p.state, p.restoreHint(p.pin.To)))
		}
	case phaseCommit:
		p.keepConfiguration()
		p.tellCommit()
	case phaseSoak, phaseBack:
		p.keepConfiguration()
		if is == phaseBack {
			p.inspectReturn()
		} else {
			p.tellSoak()
		}
	}
	if p.heldBack() {
		p.inspectJoining()
	}
}

// heldBack reports whether the control plane acts as its former version at the end of this plan's first stages, or may be about to.
func (p *planner) heldBack() bool {
	return p.phase == phasePin || p.phase == phaseRoll || p.phase == phaseSoak || p.phase == phaseBack
}

// keepConfiguration leaves the k0s.yaml of controllers that are pinned as it is: both versions are to find what they know. What differs
// from it follows when the pin is gone.
func (p *planner) keepConfiguration() {
	for _, m := range p.controllers() {
		if !m.pinned || m.Config == nil {
			continue
		}
		declared := m.Config
		if v, _, err := lifecycle.ParseTarget("v" + lifecycle.Emulated(m.seen.Config)); err == nil {
			if held, err := lifecycle.Emulating(declared, v); err == nil {
				m.Config, m.ConfigDigest = held, lifecycle.Digest(held)
			}
		}
		if changes := p.configChanges(m); len(changes) > 0 && p.heldBack() {
			p.find(lifecycle.Warnf(m.Name, "k0s.yaml stays as it is until the control plane is committed, or back").
				Because(append(changes, "Both versions must know what it says, and what was tried with it.")...).
				Try("Apply it after that. If it can't wait: kiban commit " + p.site.Name))
		}
		m.Config, m.ConfigDigest = m.seen.Config, m.seen.ConfigDigest
	}
}

// holdBack has the controllers that are not pinned get a k0s.yaml that does.
func (p *planner) holdBack() {
	for _, m := range p.controllers() {
		if m.pinned || m.Config == nil {
			continue
		}
		held, err := lifecycle.Emulating(m.Config, p.pin.Former)
		if err != nil {
			continue // configChanges says that it can't be read
		}
		m.emulates, m.Config, m.ConfigDigest = p.pin.Former, held, lifecycle.Digest(held)
	}
}

// twoSteps plans what a phase does to the configuration of the control plane, and the way back.
func twoSteps(p *planner) {
	switch p.phase {
	case phasePin, phaseRoll:
		p.pinAll()
	case phaseBack:
		p.goBackAll()
		p.unpinAll(lifecycle.StageUnpin, "the control plane is what it was", p.record(lifecycle.ActionUnpin, "the control plane is back at "+
			p.pin.Former.String()))
	case phaseCommit:
		p.commitAll()
	}
}

// record is a step that changes what the cluster keeps of the pin.
func (p *planner) record(a lifecycle.Action, reason string) *step {
	return &step{Step: lifecycle.Step{Action: a, Reason: reason, Timeout: a.Timeout(p.site.Policy), From: p.pin.Former, Version: p.pin.To}}
}

// pinAll has the control plane act as the release that it is, one controller at a time: so far that has no effect.
func (p *planner) pinAll() {
	s := p.stage(lifecycle.StagePin, "pin the control plane at "+p.pin.Former.MinorString(), 1)
	var first []*step
	if p.phase == phasePin || p.rerolls {
		reason := fmt.Sprintf("how %s stores resources is kept, to be compared with", p.pin.Former)
		if p.rerolls {
			reason = "the control plane went back: its next soak begins anew"
		}
		note := p.record(lifecycle.ActionPin, reason)
		note.hop = p.pin.To // so that machines are asked about it before the first restart
		s.add(note)
		first = append(first, note)
	}
	for _, m := range ailingFirst(p.controllers()) {
		changes := p.configChanges(m)
		if m.emulates.IsZero() || !m.belongs() || len(changes) == 0 {
			continue
		}
		st := p.restarting(m, p.configure(m, lifecycle.Version{}, changes))
		st.Reason = fmt.Sprintf("its programs are to act as %s, which they are, whatever version they have from here on",
			p.pin.Former.MinorString())
		st.After = append(st.After, p.asFormer(m)...)
		st.after = append(st.after, first...)
		s.add(st)
	}
}

// asFormer are the gates that a controller's control plane acts as the former version, and stores what that reads.
func (p *planner) asFormer(m *member) []lifecycle.Gate {
	acts := p.gate(lifecycle.GateEmulates, m.Name)
	acts.Version = p.pin.Former
	return []lifecycle.Gate{acts, p.gate(lifecycle.GateStored, m.Name)}
}

// rolls reports whether controllers change to a version that acts as their former one.
func (p *planner) rolls() bool { return p.phase == phasePin || p.phase == phaseRoll }

// beginSoak notes that all controllers have changed.
func (p *planner) beginSoak() {
	if !p.pin.Soaks.IsZero() {
		return // it soaks since then, whatever joined meanwhile
	}
	st := p.record(lifecycle.ActionSoak, fmt.Sprintf(
		"from here on the control plane runs %s and acts as %s; workers follow when it is committed", p.pin.To, p.pin.Former.MinorString()))
	st.Before = append([]lifecycle.Gate{p.gate(lifecycle.GateAPIServers, ""), p.gate(lifecycle.GateEtcdQuorum, "")}, p.othersWell()...)
	p.stage(lifecycle.StageSoak, "the soak begins", 1).add(st)
}

// goBackAll puts the former k0s in the place of the newer one, one controller at a time. Its data are what the former one would have
// written. Where no API answers, the controllers whose k0s does not run go side by side: nobody is disturbed, and of several none is ready
// before etcd has its quorum again. Those that run wait for them, and for each other.
func (p *planner) goBackAll() {
	s := p.stage(lifecycle.StageBack, "control plane back to "+p.pin.Former.String(), 1)
	down := func(m *member) bool { return p.dark() && m.seen.Running.IsZero() }
	controllers := ailingFirst(p.controllers())
	whole := len(p.noReturn()) == 0
	if p.dark() {
		s.Width = 0
		runs := slices.DeleteFunc(slices.Clone(controllers), down)
		controllers = append(slices.DeleteFunc(controllers, func(m *member) bool { return !down(m) }), runs...)
	}
	for _, m := range controllers {
		if !m.belongs() || !p.pin.Former.Less(m.level) || !whole && !m.neverServed() {
			continue
		}
		st := p.do(lifecycle.ActionRestoreFormer, m, fmt.Sprintf("k0s %s has only acted as %s there: %s reads all that was written", m.level,
			p.pin.Former.MinorString(), p.pin.Former))
		st.From, st.Version = m.level, p.pin.Former
		if p.dark() {
			st.After = p.controllerBack(m, p.pin.Former)
		} else {
			st.Before, st.After = append(p.window(), p.others(m)...), append(p.controlPlaneWhole(m, p.pin.Former), p.asFormer(m)...)
		}
		if serving(p.state.API, m.Name) {
			st.Before = append(st.Before, p.gate(lifecycle.GateStored, m.Name))
		}
		if p.dark() && !down(m) {
			st.after = slices.Clone(s.steps)
		}
		s.add(st)
		m.level, m.down = p.pin.Former, false
	}
}

// unpinAll takes the pin out of the configuration of the controllers, one at a time, behind a note in the cluster's record.
func (p *planner) unpinAll(id, title string, note *step) {
	s := p.stage(id, title, 1)
	if note != nil {
		note.after = p.lastSteps()
		s.add(note)
	}
	for _, m := range ailingFirst(p.controllers()) {
		if !m.pinned && m.emulates.IsZero() {
			continue
		}
		if declared, ok := p.site.Cluster.Host(m.Name); ok {
			m.emulates, m.Config, m.ConfigDigest = lifecycle.Version{}, declared.Config, declared.ConfigDigest
		}
		changes := p.configChanges(m)
		if !m.belongs() || len(changes) == 0 {
			continue
		}
		st := p.restarting(m, p.configure(m, lifecycle.Version{}, changes))
		st.Reason = "its programs are to act as the version that they are"
		if note != nil {
			st.after = append(st.after, note)
		}
		s.add(st)
	}
}

// lastSteps are the steps of the stage before the one that was opened last.
func (p *planner) lastSteps() []*step {
	if len(p.work) < 2 {
		return nil
	}
	return slices.Clone(p.work[len(p.work)-2].steps)
}

// tellSoak says that the control plane soaks, and until when it can go back.
func (p *planner) tellSoak() {
	p.find(p.pin.Soaking(p.site, p.state, p.restoreHint(p.pin.To)))
}

// Back makes the plan by which a control plane that acts as its former version goes back to that. It is pure, as Make is. Why it can't is
// among the plan's Diagnostics, with what is left.
func Back(site lifecycle.Site, state lifecycle.State) lifecycle.Plan {
	p := survey(site, state)
	if !p.isRightCluster() || !p.pinFound(lifecycle.EndBack) {
		return p.finish()
	}
	if newer := func(m *member) bool { return p.pin.Former.Less(m.level) }; !p.pin.Open() && !slices.ContainsFunc(p.controllers(), newer) {
		if d, cutOff := p.pin.CutOff(site, state); cutOff {
			p.find(d)
		}
		return p.finishAt(p.pin.Former) // it was given a second time, after it had come to its end
	}
	if p.pin.Open() && p.pin.AllBack(site, state) {
		p.find(p.pin.AtFormer(site))
		return p.finishAt(p.pin.Former)
	}
	p.phase = phaseBack
	p.keepConfiguration()
	if p.tellFirstBack() || p.inspectReturn() && !p.inspectTooFew() {
		p.goBackAll()
		p.inspectDisruption()
	}
	return p.finishAt(p.pin.Former)
}

// neverServed reports whether a controller does not run, and its newer k0s has never had an API server there: its former one reads all that
// was written, whatever the others are.
func (m *member) neverServed() bool {
	may, _ := m.seen.MayGoBack()
	return may && m.unproven() && m.seen.Running.IsZero()
}

// tellFirstBack reports whether some controllers go back though not all can: no API answers, and those that never served as the newer
// version lose nothing by it. With them etcd may have its quorum again, and then the rest can be seen to.
func (p *planner) tellFirstBack() bool {
	why := p.noReturn()
	if !p.dark() || len(why) == 0 {
		return false
	}
	var first []string
	for _, m := range p.controllers() {
		if m.belongs() && p.pin.Former.Less(m.level) && m.neverServed() {
			first = append(first, m.Name)
		}
	}
	if len(first) == 0 {
		return false
	}
	p.find(lifecycle.Warnf(p.site.Name, "not all of the control plane can go back now").
		Because(fmt.Sprintf("Of %s k0s has never served as %s: it goes back first, for no API answers.", lifecycle.Enumerate(first), p.pin.To)).
		Because(why...).
		Try(fmt.Sprintf("When the API answers again: kiban status %s", p.site.Name)))
	return true
}

// finishAt is the plan that leads to a version, whatever is declared.
func (p *planner) finishAt(v lifecycle.Version) lifecycle.Plan {
	out := p.finish()
	out.Target = v
	return out
}

// pinFound finds what the control plane is pinned to: by the cluster's record, or where no API answers by what the machines keep. A pin
// that
// ended as what is asked for ends it is found, too: the run that ended it may have been cut off before the machines were through.
func (p *planner) pinFound(ending string) bool {
	p.pin = p.state.Past.Pinned.Value
	switch why := p.state.Past.Pinned.Unknown; {
	case p.dark():
		if p.pin = p.keptByMachines(); p.pin.Open() {
			return true
		}
		p.find(lifecycle.Errorf(p.site.Name, "no API answers, and no machine has a control plane that acts as its former version").
			Try("kiban plan " + p.site.Name))
		return false
	case why != "":
		p.find(lifecycle.Blockedf(p.site.Name, "whether the control plane acts as its former version is not known").Because(why).
			Try("kiban status " + p.site.Name))
		return false
	case p.pin.Open(), p.pin.End == ending:
		return true
	}
	if left := p.pin.Left(p.site, p.state); p.pin.End == lifecycle.EndCommit && len(left) > 0 {
		d, _ := p.pin.CutOff(p.site, p.state)
		d.Severity = lifecycle.SeverityError
		p.find(d.Try(d.Hint + " " + p.restoreHint(p.pin.To)))
		return false
	}
	why := "It was never pinned: spec.upgrade.controlPlane.soak of the Site has an upgrade do that."
	switch p.pin.End {
	case lifecycle.EndCommit:
		why = fmt.Sprintf("It was committed to %s on %s.", p.pin.To, lifecycle.Stamp(p.pin.Ended))
	case lifecycle.EndBack:
		why = fmt.Sprintf("It went back to %s on %s.", p.pin.Former, lifecycle.Stamp(p.pin.Ended))
	}
	p.find(lifecycle.Errorf(p.site.Name, "the control plane is not between two versions: there is nothing to take back, or to commit").
		Because(why).Try("What is left to go back is a backup. " + p.restoreHint(p.controlPlane())))
	return false
}

// keptByMachines is what the machines tell of a pin where the cluster's record can't be read: one of them keeps a former k0s, and is
// configured to act as that.
func (p *planner) keptByMachines() lifecycle.Pinned {
	for _, m := range p.controllers() {
		if m.pinned && m.unproven() && lifecycle.Emulated(m.seen.Config) == lifecycle.EmulatedMinor(m.seen.Former) {
			return lifecycle.Pinned{Former: m.seen.Former, To: m.seen.Binary, Since: p.state.ObservedAt}
		}
	}
	return lifecycle.Pinned{}
}
