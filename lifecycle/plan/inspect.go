package plan

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// inspect finds what a reviewer must know before these steps run: what stops them, and what is odd but stops nothing.
func (p *planner) inspect() {
	for _, m := range p.members {
		p.inspectReach(m)
		if m.seen.Reached() {
			p.inspectMachine(m)
			p.inspectMember(m)
		}
	}
	if len(p.away) > 0 && p.unfinished == "" {
		p.unfinished = "what " + strings.Join(p.away, ", ") + " may need is not known, because nothing answers there"
	}
	p.inspectCluster()
	p.inspectEtcd()
	p.inspectNodes()
	p.inspectRemovals()
	p.inspectLiving()
	p.inspectUndeclared()
	p.inspectUnseen()
	for _, m := range p.controllers() {
		p.inspectAddress(m)
	}
	p.inspectVersions()
	p.inspectStranded()
	p.inspectFailedBefore()
	p.inspectContainerd()
	p.inspectImages()
	p.inspectCertificates()
	p.inspectDisruption()
	p.inspectUnits()
	p.inspectSystem()
	p.inspectBackup()
	p.inspectProven()
}

// inspectReach says what a host that told nothing, or only half, stands in the way of.
func (p *planner) inspectReach(m *member) {
	switch m.seen.Problem {
	case lifecycle.HostOK:
	case lifecycle.HostUnreachable:
		sev, detail := p.unreachable(m)
		if sev == lifecycle.SeverityWarning {
			p.away = append(p.away, m.Name)
		}
		d := lifecycle.Findingf(sev, m.Name, "the host cannot be reached").
			Because(strings.TrimSuffix(m.seen.Why, ".") + ". " + detail)
		if a, is := p.state.Absence(m.Name); is {
			d = d.Because(a.String())
		}
		p.find(d.Try(lifecycle.WayBack(p.site, p.state, m.Name)))
	case lifecycle.HostKeyUnknown:
		p.shutOutOf(m, "the host's key is not the known one")
	case lifecycle.HostNoKeys:
		p.shutOutOf(m, "this computer has no known_hosts file of the site")
	case lifecycle.HostNoLogin:
		p.shutOutOf(m, "this computer has nothing to log in with")
	case lifecycle.HostAuth:
		p.shutOutOf(m, "the host refuses the login")
	case lifecycle.HostSudo:
		p.shutOutOf(m, "the user may not become root")
	default:
		p.shutOutOf(m, "the host did not say what it is like")
	}
}

// shutOutOf finds that kiban was not let in to a machine, and the way in.
func (p *planner) shutOutOf(m *member, summary string) {
	p.find(lifecycle.Errorf(m.Name, "%s", summary).Because(m.seen.Why).Try(m.seen.Problem.WayIn(p.site.Name, m.Name, m.User)))
}

// unreachable says how bad it is that a host is not there: a controller, when the control plane is to change; a worker, when it would be
// left behind; any host, when it is the one to be removed.
func (p *planner) unreachable(m *member) (lifecycle.Severity, string) {
	switch {
	case m.Reset:
		return lifecycle.SeverityBlocked, "It is to be removed, which cannot be done without it."
	case m.Role.IsController() && (p.changesControlPlane() || p.state.API.NotYet):
		return lifecycle.SeverityBlocked, "The control plane does not change while one of its controllers is away."
	case m.Role.IsController() && p.raisesKubelets(m):
		return lifecycle.SeverityBlocked, "Workers do not go on to a newer minor release while a controller is away: which one its API server " +
			"has is not known, and no kubelet may be newer."
	case !m.Role.IsController() && len(p.hops) > 0:
		return lifecycle.SeverityBlocked, "An upgrade would leave it behind: all workers follow before a hop is complete."
	case slices.Contains(p.stranded(), m) && p.oneTooMany():
		return lifecycle.SeverityBlocked,
			"An interrupted run left it out of service, and with it as many workers are out as may be at once: no " +
				"other leaves before it is back."
	}
	return lifecycle.SeverityWarning, "This plan does without it."
}

// changesControlPlane reports whether a step changes a controller or etcd. To start what is stopped is no change.
func (p *planner) changesControlPlane() bool {
	for _, s := range p.work {
		for _, st := range s.steps {
			if s.ID != repairStage && (st.Action.OnlyControllers() || p.takesServerDown(st)) {
				return true
			}
		}
	}
	return false
}

// raisesKubelets reports whether a step has a worker run a minor release that no worker has yet, while it is not known whether that
// controller, a member of the cluster, has it. A release that a worker has every controller had before it.
func (p *planner) raisesKubelets(away *member) bool {
	if p.state.Etcd.Unknown == "" && len(p.state.Etcd.Members) > 0 && !away.inEtcd {
		return false // it was never a member: it joins at what the others have
	}
	var had lifecycle.Version // the newest that a worker has
	for _, m := range p.workers() {
		if v := m.seen.Level(); had.Less(v) {
			had = v
		}
	}
	return slices.ContainsFunc(p.work, func(s *stage) bool {
		return slices.ContainsFunc(s.steps, func(st *step) bool {
			return st.Action.Installs() && !p.member(st.Target).Role.IsController() && st.Version.MinorsAhead(had) > 0
		})
	})
}

// inspectMachine finds what makes a machine unfit, whatever its part in the plan.
func (p *planner) inspectMachine(m *member) {
	s := m.seen
	for _, doubt := range s.Doubts {
		p.find(doubt)
	}
	if s.Hostname != "" && s.Hostname != m.Name {
		p.find(lifecycle.Errorf(m.Name, "the machine calls itself %s", s.Hostname).
			Because("Node, etcd member and declaration must have one name; with two, cordon and drain would miss the node.").
			Try("Set the machine's hostname to " + m.Name + ", or declare it as " + s.Hostname + "."))
	}
	p.inspectClock(m, lifecycle.SeverityError)
	if s.CgroupV1 && !m.Reset && m.RefusesCgroupV1(p.target()) && !s.Level().NeedsCgroupV2() {
		p.find(lifecycle.Errorf(m.Name, "it runs cgroup v1, which k0s 1.35 and later refuse").
			Because("Its kubelet would not start with " + p.target().String() + ".").
			Try("Boot it with cgroup v2 (systemd.unified_cgroup_hierarchy=1) before the upgrade.").OfRule(lifecycle.RuleCgroupV1))
	}
}

// inspectClock finds a clock that is off by more than is safe.
func (p *planner) inspectClock(m *member, severity lifecycle.Severity) {
	if m.seen.ClockOff() {
		why := "Certificates, leases and heartbeats are judged by the clock; 30 s is the most that is safe."
		if severity == lifecycle.SeverityWarning {
			why += " This goes on, to let you mend it; kiban apply changes nothing before."
		}
		p.find(lifecycle.Findingf(severity, m.Name, "its clock is off by %d s", m.seen.ClockOffset).
			Because(why).
			Try("Let it synchronise its clock (chrony, systemd-timesyncd).").OfRule(lifecycle.RuleClock))
	}
}

// inspectMember finds what is odd about a host as a member of this cluster.
func (p *planner) inspectMember(m *member) {
	s := m.seen
	if other := otherRole(m); other != "" {
		p.find(lifecycle.Errorf(m.Name, "declared as %s, but it runs a %s", m.Role, other).
			Because("A member cannot change between controller and worker in place.").
			Try("Correct the role in the Cluster, or remove the host (reset: true) and add it again."))
	}
	if s.Workloads && !m.Role.RunsWorkloads() && m.Role.IsController() && otherRole(m) == "" {
		p.find(lifecycle.Errorf(m.Name, "declared as %s, but it runs workloads too", m.Role).
			Because("Its pods would be left without a kubelet.").
			Try("Declare it as controller+worker, or remove the host (reset: true) and add it again."))
	}
	misplaced := p.inspectProgram(m)
	nameless := s.BinaryProblem != "" || (s.Binary.IsZero() && s.Running.IsZero())
	if !m.Reset && (s.Installed() || m.wasController()) && !m.joins() && !p.mends(m) && nameless && !misplaced {
		p.find(lifecycle.Errorf(m.Name, "its k0s binary does not say what version it is").
			Because(or(s.BinaryProblem, "There is none at "+or(m.Program, "/usr/local/bin/k0s")+".")).
			Try("Put back the binary of the version that it had, then run the same command again."))
	}
	if !m.Reset && s.Installed() && p.target().Less(s.Binary) && !s.Running.IsZero() && !p.target().Less(s.Running) {
		p.find(lifecycle.Warnf(m.Name, "the binary in place (%s) is newer than declared", s.Binary).
			Because(fmt.Sprintf("k0s %s runs; a restart would start the newer one.", s.Running)).
			Try("Put the declared version in place."))
	}
	p.inspectCondition(m)
}

func (p *planner) inspectCondition(m *member) {
	switch m.condition {
	case Remains:
		if !m.Reset && !m.inEtcd && !m.registered && !m.wasController() && (!p.dark() || m.Role.IsController()) {
			p.find(lifecycle.Errorf(m.Name, "k0s data of another membership lies on the host").
				Because("There is data under " + m.dataFolder() + ", but no k0s service, and this cluster does not know the host.").
				Try(m.clearWay()))
		}
	case Unjoined:
		if !m.Reset && m.Role.IsController() && m.seen.Data {
			p.inspectReturned(m)
		}
	case Fresh:
		if !m.Reset && m.inEtcd && m.Role.IsController() {
			p.find(lifecycle.Blockedf(m.Name, "its address is still an etcd member's, but the host is fresh").
				Because("A controller that joins under an old member's address does not get in.").
				Try("On another controller: k0s etcd leave --peer-address " + m.etcd.PeerAddress + ", then run the same command again."))
		}
	case NotServing:
		if !m.Reset {
			p.find(lifecycle.Warnf(m.Name, "its API server is not ready").
				Because(p.serverWhy(m)).
				Try(p.leftAlone(m, "leaves it alone")))
		}
	case NotReady:
		if !m.Reset && !m.gainsKubelet() {
			why := m.node.Why
			if !m.registered {
				why = "The cluster has no node of that name."
			}
			p.find(lifecycle.Warnf(m.Name, "its node is not Ready").
				Because(why).
				Try(p.leftAlone(m, "does not install it again") + ". A rollout waits for it; cordon it to have it left out."))
		}
	}
}

// leftAlone says what becomes of a member that is not well at the declared version: nothing, unless the plan has other reasons to restart
// k0s there, which may be what mends it.
func (p *planner) leftAlone(m *member, how string) string {
	why := "k0s runs at the declared version, so kiban " + how + "."
	for _, s := range p.work {
		for _, st := range s.steps {
			if st.Target == m.Name && st.Action.StartsK0s() {
				why = fmt.Sprintf("This plan restarts k0s there (%s), which may mend it.", st.Action)
			}
		}
	}
	return why + " To see why: kiban node logs " + p.site.Name + " " + m.Name
}

// gainsKubelet reports whether the machine has no node yet because its service runs none: a step installs it with one.
func (m *member) gainsKubelet() bool {
	return m.renewed && !m.registered && m.apiKnown && !m.seen.Workloads
}

// inspectReturned tells of a controller with data of which etcd has no member: one that came back after it had been taken out would have
// its join waited for in vain.
func (p *planner) inspectReturned(m *member) {
	why := []string{"Either its join was cut off, and this plan carries it on. Or it was taken out, and is back with the data of then: " +
		"etcd has no place for those, and the join does not come to its end."}
	for _, r := range p.state.Past.Runs { // the newest first
		verb := strings.HasPrefix(r.Doing, "node replace ") || strings.HasPrefix(r.Doing, "node remove ")
		if verb && strings.HasSuffix(r.Doing, " "+m.Name) {
			why = append(why, fmt.Sprintf("It was taken out on %s: `kiban %s`, run %s.", r.Ended.UTC().Format("2006-01-02 15:04 UTC"),
				r.Doing, r.ID))
			break
		}
	}
	p.find(lifecycle.Warnf(m.Name, "k0s and its data are on this controller, and etcd has no member of it").
		Because(why...).
		Try(fmt.Sprintf("If it was taken out: kiban node remove %s %s resets it, and kiban apply %[1]s then joins it anew.",
			p.site.Name, m.Name)))
}

// clearWay is how a machine with data of nobody's becomes a fresh one. Without a binary nothing there could run `k0s reset`.
func (m *member) clearWay() string {
	if m.seen.Binary.IsZero() {
		return "If nothing there is needed, empty " + m.dataFolder() + ": no k0s is installed that could reset the host. " +
			"If it is, install the service again by hand."
	}
	return "If nothing there is needed, run `k0s reset` on the host; if it is, install the service again by hand."
}

func (m *member) dataFolder() string {
	return or(argumentValue(m.Arguments, "--data-dir"), "/var/lib/k0s")
}

func (p *planner) serverWhy(m *member) string {
	for _, s := range p.state.API.Servers {
		if s.Host == m.Name {
			return s.Why
		}
	}
	return "It did not answer."
}

// otherRole names what the host runs where that is not what is declared. A controller that gains or loses its kubelet is a change of
// arguments, not of role.
func otherRole(m *member) string {
	switch {
	case m.seen.ServiceName == "k0scontroller" && !m.Role.IsController():
		return "controller"
	case m.seen.ServiceName == "k0sworker" && m.Role.IsController():
		return "worker"
	}
	return ""
}
