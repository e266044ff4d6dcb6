package plan

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// firstEmulating is the first minor release whose API server, controller manager and scheduler all take the flag that pins them.
const firstEmulating = 34

// noWayBack says why the control plane could not go back from the target to what it has; none when it could.
func (p *planner) noWayBack() (why []string) {
	from, to := p.pin.Former, p.pin.To
	no := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	if to.MinorsAhead(from) > 1 {
		no("It is more than one minor release from %s to %s: declare one of the next minor first.", from, to)
	}
	if from.Major != 1 || from.Minor < firstEmulating {
		no("The programs of %s do not all know how to act as a release: those of v1.%d and later do.", from, firstEmulating)
	}
	if !lifecycle.SameEtcd(from, to) {
		no("%s brings another minor release of etcd than %s, whose data the former one does not read.", to, from)
	}
	if p.site.Cluster.DynamicConfig {
		no("The configuration is dynamic: controller manager and scheduler get theirs from the cluster, all at once.")
	}
	said := map[string]bool{}
	for _, m := range p.controllers() {
		once := func(format string, args ...any) {
			if text := fmt.Sprintf(format, args...); !said[text] {
				said[text] = true
				why = append(why, text)
			}
		}
		switch {
		case !m.belongs():
			once("%s is to join: let it join at %s first.", m.Name, from)
			continue
		case m.level != from:
			once("%s has %s and another controller %s: bring them to one version first.", m.Name, m.level, from)
		}
		if m.Role.RunsWorkloads() {
			once("%s is a worker too: its kubelet would be the newer one at once.", m.Name)
		}
		if m.Config == nil {
			once("The Cluster leaves k0s.yaml to k0s: declare spec.k0s.config, so that kiban writes it.")
			continue
		}
		p.configStands(m, once)
	}
	return why
}

// configStands says what in a controller's declared k0s.yaml stands in the way.
func (p *planner) configStands(m *member, no func(format string, args ...any)) {
	flat, err := flatten(m.Config)
	if err != nil {
		return // configChanges says so
	}
	is := func(path string) string { return strings.Trim(flat[path], `"`) }
	if is("spec.storage.type") == "kine" {
		no("The data are kept by kine, with which going back was never tried.")
	}
	if is("spec.network.provider") == "calico" {
		no("Calico's definitions come with k0s, and its leader brings the newer ones at once.")
	}
	for path, value := range flat {
		part, ok := strings.CutPrefix(path, "spec.")
		program, flag, found := strings.Cut(part, ".extraArgs.")
		if !ok || !found || !slices.Contains(lifecycle.EmulatingPrograms(), program) {
			continue
		}
		switch {
		case flag == "emulated-version", flag == "min-compatibility-version", flag == "emulation-forward-compatible":
			no("%s is declared: kiban says itself what the programs act as.", path)
		case flag == "runtime-config" && (strings.Contains(value, "alpha") || strings.Contains(value, "beta") ||
			strings.Contains(value, "api/all")):
			no("%s switches on APIs that are not for good, which the newer version may not have, or not as they are.", path)
		case flag == "feature-gates" && (strings.Contains(value, "AllAlpha=true") || strings.Contains(value, "AllBeta=true")):
			no("%s switches on whatever a version has of gates.", path)
		}
	}
	for _, part := range lifecycle.EmulatingPrograms() {
		if raw := flat["spec."+part+".rawArgs"]; strings.Contains(raw, "emulated-version") || strings.Contains(raw, "runtime-config") {
			no("spec.%s.rawArgs says what the programs act as, or which APIs there are.", part)
		}
	}
	if changes := p.configChanges(m); len(changes) > 0 {
		no("k0s.yaml is to change, too, and both versions must know what it says. Apply that first, at %s: %s", p.pin.Former,
			strings.Join(changes, "; "))
	}
}

// noReturn says why a control plane that is pinned can't go back; none when it can.
func (p *planner) noReturn() []string {
	return p.noReturnOf(p.pin)
}

// inspectReturn finds that the control plane can't go back, and says what is left.
func (p *planner) inspectReturn() bool {
	why := p.noReturn()
	if len(why) == 0 {
		return true
	}
	way := p.restoreHint(p.pin.To)
	if !p.pin.Gone(p.site, p.state) { // a backup, which loses what was stored since, is the last thing to try
		way = p.pin.PutRight(p.site, p.state, way)
	}
	if p.phase == phaseRoll {
		way = p.withoutReturn(way)
	}
	p.find(lifecycle.Errorf(p.site.Name, "the control plane can't go back to %s", p.pin.Former).Because(why...).Try(way))
	return false
}

// withoutReturn are the ways on of a roll that has no way back, before or behind those to have it again.
func (p *planner) withoutReturn(way string) string {
	on := "To go on without a way back: kiban commit " + p.site.Name + " where all controllers have their version, else declare no " +
		"spec.upgrade.controlPlane.soak."
	if len(silentOf(p)) > 0 {
		return way + "\n" + on // neither is possible before that one is put right
	}
	return on + " " + way
}

// silentOf are the controllers that do not answer.
func silentOf(p *planner) []*member {
	return slices.DeleteFunc(p.controllers(), func(m *member) bool { return m.seen.Reached() })
}

// inspectJoining refuses a controller that would join while the others go back, and one whose k0s.yaml kiban does not write.
func (p *planner) inspectJoining() {
	for _, m := range p.controllers() {
		if m.joins() && !m.belongs() && (p.phase == phaseBack || m.Config == nil) {
			p.find(lifecycle.Blockedf(m.Name, "a controller joins when the control plane is committed, or back").
				Because("It can't be made to act as " + p.pin.Former.MinorString() + " now.").
				Try(fmt.Sprintf("kiban commit %s, or kiban back %[1]s; then apply again.", p.site.Name)))
		}
	}
}
