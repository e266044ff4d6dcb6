package plan

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// mayRestore finds what speaks against this backup on these controllers. Above all: a control plane that lives, or may live where nobody
// answers, is not replaced. Two of them would both claim the workers.
func (p *planner) mayRestore(from lifecycle.Backup) {
	p.mayUse(from)
	if len(p.controllers()) == 0 {
		p.find(lifecycle.Errorf(p.site.Name, "no controller is declared").Try("Declare one; it takes the data."))
	}
	first := ""
	if cs := p.controllers(); len(cs) > 0 {
		first = cs[0].Name
	}
	for _, m := range p.which(func(m *member) bool { return m.Role.IsController() || m.seen.ServiceName == "k0scontroller" }) {
		switch s := m.seen; {
		case s.Problem == lifecycle.HostUnreachable:
			p.find(lifecycle.Blockedf(m.Name, "a controller cannot be reached").
				Because(strings.TrimSuffix(s.Why, ".") + ". It may still run, and a second control plane would then fight it for the workers.").
				Try("Bring it back, or make sure that it is off for good and take it out of the overlay."))
		case !s.Reached(): // inspectReach names it
		case s.Service == lifecycle.ServiceRunning, s.Service == lifecycle.ServiceStarting, !s.Running.IsZero():
			p.find(lifecycle.Blockedf(m.Name, "a controller runs").
				Because(fmt.Sprintf("The service %s is %s. A restore replaces a control plane; it does not merge with one.", s.ServiceName, s.Service)).
				Try(p.resumeRestore() + " If it is to be replaced, on each controller: " + lifecycle.ResetByHand(lifecycle.RoleController) + "."))
		case m.Name == first && s.Restored != "" && s.Restored == from.Digest:
		case m.Name == first && s.Restored != "":
			p.find(lifecycle.Errorf(m.Name, "another backup was restored here, and not to its end").
				Try("Restore the same one again, or run `k0s reset` on the host first."))
		case s.Installed(), s.Data:
			p.find(lifecycle.Errorf(m.Name, "the controller still holds a former control plane").
				Because("Its data would be lost, or come to life beside the restored one.").
				Try("If nothing there is needed, on the host: k0s reset."))
		}
	}
}

// resumeRestore says how a restore goes on that was interrupted after its first step.
func (p *planner) resumeRestore() string {
	text := "If the cluster only needs repair, or a restore was interrupted after its first step: "
	if newer := p.newerWorkers(p.target()); len(newer) > 0 {
		text += resetNewer(newer, p.target()) + " Then: "
	}
	return text + "kiban apply " + p.site.Name + "; then restart k0s on the workers that it had not come to."
}

// newerWorkers are the workers whose k0s is newer than a version.
func (p *planner) newerWorkers(than lifecycle.Version) []string {
	var out []string
	for _, m := range p.workers() {
		if m.seen.Reached() && than.Less(m.seen.Level()) {
			out = append(out, m.Name)
		}
	}
	return out
}

// resetNewer says what becomes of workers that are newer than a restored control plane.
func resetNewer(workers []string, v lifecycle.Version) string {
	return fmt.Sprintf("on %s, whose k0s is newer than the control plane may be, %s: kiban apply joins it anew at %s. Its pods end.",
		lifecycle.Enumerate(workers), lifecycle.ResetByHand(lifecycle.RoleWorker), v)
}

// mayUse finds what speaks against the backup itself.
func (p *planner) mayUse(from lifecycle.Backup) {
	switch {
	case from.Site == "":
		p.find(lifecycle.Warnf(from.Name, "the file's name does not say what it is a backup of").
			Because("The site and the k0s version are taken to be the declared ones, which is not checked.").
			Try("Make sure of both: k0s does not start with the data of a newer version."))
	case from.Site != p.site.Name:
		p.find(lifecycle.Errorf(from.Name, "it is a backup of %s", from.Site).
			Because("Restored here, two clusters would have the same keys.").
			Try("Take one of " + p.site.Name + "."))
	case from.Version != p.target():
		p.find(lifecycle.Errorf(from.Name, "it was taken at k0s %s, and %s is declared", from.Version, p.target()).
			Because("A control plane starts again at the version that it was saved at.").
			Try(fmt.Sprintf("Declare spec.k0s.version: %s in the Cluster, restore, and upgrade from there as ever.", from.Version)))
	}
}

// inspectRestore finds what a reviewer must know of the machines.
func (p *planner) inspectRestore() {
	for _, m := range p.members {
		if m.seen.Problem == lifecycle.HostUnreachable && m.Role.IsController() {
			continue // said already
		}
		p.inspectReach(m)
		if !m.seen.Reached() {
			continue
		}
		p.inspectMachine(m)
		if other := otherRole(m); other != "" {
			p.find(lifecycle.Errorf(m.Name, "declared as %s, but it has the service of a %s", m.Role, other).
				Because("A member cannot change between controller and worker in place.").
				Try("Correct the role in the Cluster, or run `k0s reset` on the host."))
		}
	}
	p.inspectFiles()
	p.inspectContainerd()
	if len(p.away) > 0 {
		p.unfinished = "what " + strings.Join(p.away, ", ") + " may need is not known, because nothing answers there"
	}
}
