package plan

import (
	"fmt"
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
	p.inspectDisruption()
	p.inspectUnits()
	p.inspectSystem()
	p.inspectBackup()
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
		p.find(lifecycle.Findingf(sev, m.Name, "the host cannot be reached").
			Because(strings.TrimSuffix(m.seen.Why, ".") + ". " + detail).
			Try("Bring it back, or take it out of the overlay if it is gone for good."))
	case lifecycle.HostKeyUnknown:
		p.find(lifecycle.Errorf(m.Name, "the host's key is not the known one").
			Because(m.seen.Why).
			Try("Compare the key with the machine's own; if it is right, add it to the site's known_hosts file."))
	case lifecycle.HostAuth:
		p.find(lifecycle.Errorf(m.Name, "the host refuses the login").
			Because(m.seen.Why).
			Try(fmt.Sprintf("Let user %s in with the site's key, or correct spec.ssh of the Site.", m.User)))
	case lifecycle.HostSudo:
		p.find(lifecycle.Errorf(m.Name, "the user may not become root").
			Because(m.seen.Why).
			Try(fmt.Sprintf("Allow user %s sudo without a password on the host.", m.User)))
	default:
		p.find(lifecycle.Errorf(m.Name, "the host did not say what it is like").
			Because(m.seen.Why).
			Try("Log in and look; then run the same command again."))
	}
}

// unreachable says how bad it is that a host is not there: a controller, when the control plane is to change; a worker, when it would be
// left behind; any host, when it is the one to be removed.
func (p *planner) unreachable(m *member) (lifecycle.Severity, string) {
	switch {
	case m.Reset:
		return lifecycle.SeverityBlocked, "It is to be removed, which cannot be done without it."
	case m.Role.IsController() && (p.changesControlPlane() || p.state.API.NotYet):
		return lifecycle.SeverityBlocked, "The control plane does not change while one of its controllers is away."
	case !m.Role.IsController() && len(p.hops) > 0:
		return lifecycle.SeverityBlocked, "An upgrade would leave it behind: all workers follow before a hop is complete."
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
	if s.ClockOffset > maxClockOffset || s.ClockOffset < -maxClockOffset {
		p.find(lifecycle.Errorf(m.Name, "its clock is off by %d s", s.ClockOffset).
			Because("Certificates, leases and heartbeats are judged by the clock; 30 s is the most that is safe.").
			Try("Let it synchronise its clock (chrony, systemd-timesyncd)."))
	}
	if s.CgroupV1 && !m.Reset && m.RefusesCgroupV1(p.target()) && !s.Level().NeedsCgroupV2() {
		p.find(lifecycle.Errorf(m.Name, "it runs cgroup v1, which k0s 1.35 and later refuse").
			Because("Its kubelet would not start with " + p.target().String() + ".").
			Try("Boot it with cgroup v2 (systemd.unified_cgroup_hierarchy=1) before the upgrade."))
	}
}

const maxClockOffset = 30 // seconds; k0sctl's own limit

// inspectMember finds what is odd about a host as a member of this cluster.
func (p *planner) inspectMember(m *member) {
	s := m.seen
	if other := otherRole(m); other != "" {
		p.find(lifecycle.Errorf(m.Name, "declared as %s, but it runs a %s", m.Role, other).
			Because("A member cannot change between controller and worker in place.").
			Try("Correct the role in the Cluster, or remove the host (reset: true) and add it again."))
	}
	if s.Workloads && !m.Role.RunsWorkloads() && m.Role.IsController() {
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
				Because("There is data under " + or(argumentValue(m.Arguments, "--data-dir"),
					"/var/lib/k0s") + ", but no k0s service, and this cluster does not know the host.").
				Try("If nothing there is needed, run `k0s reset` on the host; if it is, install the service again by hand."))
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
				Try("k0s runs at the declared version, so kiban leaves it alone. Look at `journalctl -u k0scontroller`."))
		}
	case NotReady:
		if !m.Reset {
			why := m.node.Why
			if !m.registered {
				why = "The cluster has no node of that name."
			}
			p.find(lifecycle.Warnf(m.Name, "its node is not Ready").
				Because(why).
				Try("k0s runs at the declared version, so kiban does not install it again. Look at the node's conditions and `journalctl -u " +
					m.seen.ServiceName + "`. A rollout waits for it; cordon it to have it left out."))
		}
	}
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
