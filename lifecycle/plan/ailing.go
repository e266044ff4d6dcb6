package plan

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// A controller that does not come up is told of with what there is to see, and with the ways on, in the order in which they cost: to
// start it again, its former version, a fixed one, a backup.

// inspectStranded tells of controllers that do not come up: what the plan does, or why it can't, and the ways that there are.
func (p *planner) inspectStranded() {
	for _, m := range p.controllers() {
		switch {
		case !p.ails(m):
		case m.stranded && !p.mayComeBack(m, p.comesBackAt(m)):
			p.refuseComeback(m)
		case m.stranded:
			p.find(p.doesNotComeUp(m).Try("This plan does not start it again: it installs another version in its place, which is declared."))
		default:
			p.find(p.doesNotComeUp(m).Try(strings.Join(p.waysOn(m), "\n")))
		}
	}
}

// ails reports whether a controller does not come up, by what is seen of it or by what is remembered of its last start. One that is only
// stopped is started, which says enough.
func (p *planner) ails(m *member) bool {
	s := m.seen
	switch {
	case m.stranded:
		return true
	case !s.Reached() || !s.Installed() || m.broken || m.joins() || s.Binary.IsZero() || s.BinaryProblem != "":
		return false // inspect says what is wrong with it
	case !s.Running.IsZero():
		silent := m.stalls(p) || p.dark() && !p.external() && len(p.controllers()) == 1
		return silent && (!p.justStarted(m) || s.Restarts > lifecycle.CrashLoop) // systemd may have restarted it just now, once more
	case m.stalls(p) && m.staysDown():
		return true
	}
	tried, _, known := p.state.Past.Tried(m.Name)
	return known && tried.Why != ""
}

// doesNotComeUp says what is seen of a controller that does not come up.
func (p *planner) doesNotComeUp(m *member) lifecycle.Diagnostic {
	d := lifecycle.Warnf(m.Name, "k0s %s does not come up on this controller", m.seen.Binary)
	if !m.seen.Running.IsZero() {
		d = lifecycle.Warnf(m.Name, "k0s %s runs on this controller, and its API server does not answer", m.seen.Running)
	}
	return d.Because(m.strandedWhy() + ".").Because(logOf(m)...).Because(p.triedBefore(m)...).Because(p.standing(m)...)
}

// logOf is what a controller's k0s said last, as far as it tells why it does not come up.
func logOf(m *member) []string {
	log := m.seen.Log
	switch {
	case log.Unknown != "":
		return []string{fmt.Sprintf("The log of k0s on %s cannot be read: %s", m.Name, log.Unknown)}
	case log.Value == nil:
		return nil
	case len(log.Value) == 0:
		return []string{"The log of k0s on " + m.Name + " has nothing."}
	}
	return []string{"Its log says:\n  " + strings.Join(log.Value, "\n  ")}
}

// triedBefore says what runs have tried to bring a controller up, when, and what came of it.
func (p *planner) triedBefore(m *member) []string {
	tried, run, known := p.state.Past.Tried(m.Name)
	switch {
	case !known && p.dark():
		return []string{"What was tried before is not known, but for what this computer has done: records of runs are kept in the cluster."}
	case !known:
		return nil
	}
	text := fmt.Sprintf("Tried before: %s (run %s).", strings.TrimSuffix(tried.String(), "."), run.ID)
	if tried.Why != "" && p.repeats(m, tried) {
		text += " This plan tries the same again."
	}
	return []string{text}
}

// repeats reports whether the plan starts the k0s that a try has started in vain.
func (p *planner) repeats(m *member, tried lifecycle.Try) bool {
	for _, s := range p.work {
		for _, st := range s.steps {
			v := st.Version
			if v.IsZero() {
				v = m.seen.Binary
			}
			if st.Target == m.Name && st.Action.StartsK0s() && v == tried.Version {
				return true
			}
		}
	}
	return false
}

// comesBackAt is the version that a stranded controller is to be started with.
func (p *planner) comesBackAt(m *member) lifecycle.Version {
	v, _ := p.hopAfter(m.before())
	return v
}

// refuseComeback refuses a declared version that a stranded controller may not be started with.
func (p *planner) refuseComeback(m *member) {
	want := p.comesBackAt(m)
	var why []string
	if p.pin.Open() { // else nobody asks of the others
		why = p.noReturn()
	}
	if may, one := m.seen.MayGoBack(); !may {
		why = append([]string{"It may not go back: " + one + "."}, why...)
	}
	p.find(lifecycle.Errorf(m.Name, "k0s %s may not be started here after %s", want, m.seen.Binary).
		Because(append([]string{m.strandedWhy() + "."}, why...)...).Because(logOf(m)...).Because(p.triedBefore(m)...).
		Try(fmt.Sprintf("Declare %s: the next plan installs it in place of %s. Or restore the control plane at %s. %s",
			lifecycle.FixedVersion(m.seen.Binary, p.othersHave(m)), m.seen.Binary, want, p.restoreHint(m.seen.Binary))))
}

// standing says which controllers answer.
func (p *planner) standing(m *member) []string {
	var up, away []string
	for _, c := range p.controllers() {
		if c.belongs() && serving(p.state.API, c.Name) {
			up = append(up, c.Name)
		} else if c.belongs() || c.stranded {
			away = append(away, c.Name)
		}
	}
	n := len(up) + len(away)
	switch {
	case n <= 1:
		return []string{m.Name + " is the only controller: the cluster has no API without it, and its pods go on running."}
	case len(up) == 0:
		return []string{fmt.Sprintf("No API server of %s answers.", lifecycle.Count(n, "controller"))}
	}
	return []string{fmt.Sprintf("The API servers of %s answer, of %s those of %s do not.", lifecycle.Enumerate(up),
		lifecycle.Count(n, "controller"), lifecycle.Enumerate(away))}
}

// waysOn are the ways out of a version that does not come up, each a line, in the order in which they are to be tried: what is lost by it
// grows from one to the next.
func (p *planner) waysOn(m *member) []string {
	ways := []string{p.wayToStart(m), p.wayToFormer(m)}
	if m.stalls(p) {
		ways = append(ways, p.wayForward(m))
	}
	if m.unproven() {
		return append(ways, "- "+p.restoreHint(m.seen.Binary))
	}
	return append(ways, "- "+p.restoreNewest())
}

// wayForward says how a fixed version comes in the place of one that does not come up. A control plane that can go back does that first:
// the former k0s is kept for it, and a second newer one would take its place.
func (p *planner) wayForward(m *member) string {
	fixed := lifecycle.FixedVersion(m.seen.Binary, p.othersHave(m))
	switch pin := p.pinOf(m); {
	case !pin.Open():
		return fmt.Sprintf("- If the version is at fault, declare %s, and the next plan installs it in its place.", fixed)
	case len(p.noReturnOf(pin)) == 0:
		return fmt.Sprintf("- If the version is at fault, go back first, then declare %s.", fixed)
	}
	return fmt.Sprintf("- If the version is at fault, take spec.upgrade.controlPlane out of the Site, and declare %s: the next plan "+
		"installs it in its place. There is no way back then.", fixed)
}

// pinOf is the pin by which a controller could have its former k0s again; none that is open where it is of no such.
func (p *planner) pinOf(m *member) lifecycle.Pinned {
	pin := p.pin
	if !pin.Open() {
		pin = p.keptByMachines()
	}
	if pin.Open() && pin.Former == m.seen.Former {
		return pin
	}
	return lifecycle.Pinned{}
}

// noReturnOf is noReturn for a pin that is not the plan's.
func (p *planner) noReturnOf(pin lifecycle.Pinned) []string {
	why, _ := pin.NoReturn(p.site, p.state)
	return why
}

// wayToStart says what may be done on the machine.
func (p *planner) wayToStart(m *member) string {
	more := fmt.Sprintf("- To see why: kiban node logs %s %s. If the cause is on the machine, mend it", p.site.Name, m.Name)
	if p.hasAny(m, lifecycle.Action.StartsK0s) {
		return more + fmt.Sprintf(": this plan starts %s again.", m.seen.Binary)
	}
	return more + ", and restart k0s there: it runs, so this plan does not start it."
}

// wayToFormer says whether the controller can have its former k0s again, and by which command.
func (p *planner) wayToFormer(m *member) string {
	f := m.seen.Former
	if !m.unproven() {
		return "- There is no former k0s on the machine to go back to."
	}
	if pin := p.pinOf(m); pin.Open() {
		why := p.noReturnOf(pin)
		if len(why) == 0 {
			return fmt.Sprintf("- Back to %s, with nothing lost: kiban back %s. The newer one has only acted as %s.", f, p.site.Name,
				f.MinorString())
		}
		return fmt.Sprintf("- It can't go back to %s: %s", f, strings.Join(why, " "))
	}
	if ok, why := m.seen.MayDeclareFormer(p.othersHave(m)); !ok {
		return fmt.Sprintf("- It may not go back to %s by itself: %s.", f, why)
	} else {
		return fmt.Sprintf("- Or declare %s, its former version, which may run again: %s.", f, why)
	}
}

// restoreNewest names the newest backup, and how it is restored.
func (p *planner) restoreNewest() string {
	if len(p.state.Past.Backups) == 0 {
		return fmt.Sprintf("What is left then is a restore; no backup is known here: kiban backup list %s", p.site.Name)
	}
	b := p.state.Past.Backups[0]
	return fmt.Sprintf("What is left then is the newest backup, of %s, in %s. To go back to it, with what was stored since lost: "+
		"declare %s, stop and reset the controllers, then: %s", b.Taken, b.Place, b.Version, lifecycle.RestoreCommand(p.site.Name, b))
}
