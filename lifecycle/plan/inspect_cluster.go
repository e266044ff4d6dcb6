package plan

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// inspectCluster finds what is wrong with the API, or with the lack of one.
func (p *planner) inspectCluster() {
	switch {
	case p.dark() && p.external():
		p.find(lifecycle.Blockedf(p.site.Name, "the API does not answer").
			Because(p.state.API.Unknown).
			Try("Look at the kubeconfig that spec.api.kubeconfig of the Site names, at its context and at the way to its server."))
	case p.dark() && p.askedAtAnotherPort() != "":
		p.find(lifecycle.Blockedf(p.site.Name, "the API was asked at a port where it does not listen").
			Because(p.askedAtAnotherPort() + "\n" + p.state.API.Unknown).
			Try("Declare the port that the cluster has: a living cluster keeps it."))
	case p.dark() && p.quorumLost():
		p.inspectQuorum()
	case p.dark() && p.onlyWaits:
		p.find(lifecycle.Warnf(p.site.Name, "the API does not answer yet, so this plan only waits for it").
			Because(p.state.API.Unknown).
			Try("Run the same command again after it: nodes, cordons and budgets are known then. If the API stays away:\n" +
				p.lookAtControllers()))
	case p.dark() && len(p.work) > 0 && hasSteps(p.work):
		p.find(lifecycle.Warnf(p.site.Name, "the API does not answer, so this plan only brings it back").
			Because(p.state.API.Unknown).
			Try("Run the same command again after it: nodes, cordons and budgets are known then."))
	case p.dark() && slices.ContainsFunc(p.members, func(m *member) bool { return m.stranded }): // inspectStranded says why it stays so
	case p.dark() && p.state.ShutOut(p.site): // inspectReach says of each controller what keeps kiban out; how the API is, is not known
	case p.dark() && !slices.ContainsFunc(p.controllers(), func(m *member) bool { return m.seen.Reached() }):
		p.find(lifecycle.Blockedf(p.site.Name, "the API does not answer, and no controller could be asked").
			Because(p.state.API.Unknown).
			Try("Look at the network from here to the controllers, and whether they run." + p.ifLost()))
	case p.dark():
		p.find(lifecycle.Blockedf(p.site.Name, "the API does not answer, though nothing that kiban could start is stopped").
			Because(p.state.API.Unknown).
			Because(p.logsOfOthers()...).
			Try(p.lookAtControllers() + p.ifLost()))
	case p.state.API.NotYet:
		p.inspectBeginning()
	}
}

// quorumLost reports whether the API is away for want of etcd's quorum, also when the plan has started what it starts.
func (p *planner) quorumLost() bool {
	q, lost := lifecycle.LostQuorum(p.site, p.state)
	started := slices.DeleteFunc(slices.Concat(q.Stopped, q.Silent), func(name string) bool {
		return !p.hasAny(p.member(name), lifecycle.Action.StartsK0s)
	})
	return lost && len(q.Up)+len(started) < q.Need()
}

// inspectQuorum finds that etcd has no quorum and gets none by the plan. It stops a plan that has nothing to do meanwhile.
func (p *planner) inspectQuorum() {
	q, _ := lifecycle.LostQuorum(p.site, p.state)
	d := q.Finding(p.site, p.state)
	switch {
	case p.onlyWaits:
		d.Severity = lifecycle.SeverityWarning
		d = d.Because("This plan only waits for the API: others may be on their way, as when all machines start.")
	case hasSteps(p.work):
		d.Severity = lifecycle.SeverityWarning
		d = d.Because("This plan starts what can be started, which are too few.")
	default:
		d.Severity = lifecycle.SeverityBlocked
	}
	p.find(d)
}

// lookAtControllers is the way on where k0s runs and the API is silent: a controller's own words, and the way to the API.
func (p *planner) lookAtControllers() string {
	way := "Look at the way to the API (spec.api of the Site)"
	for _, m := range p.controllers() {
		if m.seen.Reached() {
			return fmt.Sprintf("Look at what the controllers say (kiban node logs %s %s), and at the way to the API (spec.api of the Site).",
				p.site.Name, m.Name)
		}
	}
	return way + "."
}

// logsOfOthers are the last words of controllers that are not told of by themselves.
func (p *planner) logsOfOthers() (said []string) {
	for _, m := range p.controllers() {
		if !p.ails(m) {
			for _, text := range logOf(m) {
				said = append(said, m.Name+": "+text)
			}
		}
	}
	return said
}

// askedAtAnotherPort says that an API which does not answer was asked where the site declares it, and that a controller has another port in
// its k0s.yaml. "": the ports are the same, or not known.
func (p *planner) askedAtAnotherPort() string {
	for _, m := range p.controllers() {
		for _, c := range p.configDiff(m) {
			if from, to := or(c.from, apiPort), or(c.to, apiPort); c.path == "spec.api.port" && m.lives() && from != to {
				return fmt.Sprintf("kiban asked at port %s, as declared; %s listens on %s.", to, m.Name, from)
			}
		}
	}
	return ""
}

// apiPort is where API servers listen unless their configuration says otherwise.
const apiPort = "6443"

func hasSteps(work []*stage) bool {
	return slices.ContainsFunc(work, func(s *stage) bool { return len(s.steps) > 0 })
}

// inspectEtcd finds members that no declared host accounts for, and an etcd that must be known and is not.
func (p *planner) inspectEtcd() {
	if p.state.Etcd.Unknown != "" && !p.dark() && !p.state.API.NotYet && p.changesControlPlane() {
		p.find(lifecycle.Blockedf(p.site.Name, "etcd's members are not known").
			Because(p.state.Etcd.Unknown).
			Try("The control plane does not change before they are. Look at `k0s etcd member-list` on a controller."))
	}
	p.inspectEtcdItself()
	if n := p.etcdSize(); n == 2 && p.restartsController() && !p.inspectTooFew() {
		p.find(lifecycle.Blockedf(p.site.Name, "no controller can be restarted: etcd has two members and needs both").
			Because("While one of them restarts the cluster has no API.").
			Try("Declare a third controller and let it join first, or remove one by hand."))
	}
	for _, e := range p.state.Etcd.Members {
		known := slices.ContainsFunc(p.members, func(m *member) bool { return m.Owns(e) })
		if !known {
			sev := lifecycle.SeverityWarning
			if p.changesControlPlane() {
				sev = lifecycle.SeverityBlocked // the gates count it, and it cannot be asked whether it serves
			}
			p.find(lifecycle.Findingf(sev, p.site.Name, "etcd has a member that no declared controller accounts for: %s at %s", e.Name,
				e.PeerAddress).
				Because("It counts for the quorum, whether it lives or not.").
				Try("If it is gone for good, on a controller: k0s etcd leave --peer-address " + e.PeerAddress))
		}
	}
}

// inspectEtcdItself says what etcd's members say is wrong with them, where the plan changes the control plane: an alarm stops it. What
// stands in the way of another version is told by its readiness.
func (p *planner) inspectEtcdItself() {
	if len(p.hops) > 0 || !p.changesControlPlane() {
		return
	}
	for _, f := range p.state.EtcdFindings(p.site) {
		severity := lifecycle.SeverityWarning
		if f.Rank == lifecycle.RankBlocks {
			severity = lifecycle.SeverityBlocked
		}
		p.find(f.Diagnostic(severity))
	}
}

// etcdSize is how many members etcd has once the plan's joins and removals are done, which is before any restart. Zero: not known, or
// no etcd of its own.
func (p *planner) etcdSize() int {
	n := len(p.state.Etcd.Members)
	if n == 0 {
		return 0
	}
	for _, s := range p.work {
		for _, st := range s.steps {
			n += st.Action.EtcdGrowth()
		}
	}
	return n
}

// restartsController reports whether a step restarts a controller that serves.
func (p *planner) restartsController() bool {
	for _, s := range p.work {
		for _, st := range s.steps {
			if s.ID != repairStage && p.takesServerDown(st) {
				return true
			}
		}
	}
	return false
}

// takesServerDown reports whether the step restarts a controller's k0s, and its API server and etcd with it.
func (p *planner) takesServerDown(st *step) bool {
	return st.Disrupts && st.Action.StartsK0s() && p.member(st.Target).Role.IsController()
}

// inspectNodes names nodes that the site does not declare. kiban leaves them alone.
func (p *planner) inspectNodes() {
	if p.external() {
		return // whose nodes they are is not for the site to say
	}
	for _, n := range p.undeclared {
		p.find(lifecycle.Warnf(n.Name, "the cluster has a node that the site does not declare").
			Because("kiban neither upgrades nor removes it.").
			Try("Declare it, or remove it: kubectl drain, k0s reset on the machine, kubectl delete node " + n.Name + "."))
	}
}

// inspectRemovals refuses removals that etcd would not survive: never one of two, never the last.
func (p *planner) inspectRemovals() {
	if p.mayShrink() || p.dark() {
		return
	}
	for _, m := range p.leaving() {
		if m.Role.IsController() && m.removable() {
			p.tooFew(m, len(p.controllers()))
		}
	}
}

func (p *planner) tooFew(m *member, stay int) {
	p.find(lifecycle.Errorf(m.Name, "it cannot be removed: too few controllers would stay").
		Because(fmt.Sprintf("%d would. With two, etcd needs both; the removal of one of two stops it when anything goes wrong.", stay)).
		Try("Add controllers first, then remove this one."))
}

// inspectAddress refuses another cluster address for a living controller. Its etcd keeps the address that it joined with: k0s would listen
// where the other members do not look, and the gate behind the controller's restart would not find it.
func (p *planner) inspectAddress(m *member) {
	there := p.peerAddress(m)
	if there == "" || m.condition == Fresh || m.condition == Unjoined || !m.Moved(lifecycle.EtcdMember{Name: m.Name, PeerAddress: there}) {
		return
	}
	sev := lifecycle.SeverityError
	if m.PrivateAddress == "" && !p.looksForMember(m) {
		sev = lifecycle.SeverityWarning // k0s is not told of the address
	}
	p.find(lifecycle.Findingf(sev, m.Name, "its etcd member is at %s, and %s is declared", there, m.ClusterAddress()).
		Because("A member keeps the address that it joined with: the others would no longer find it, and a rollout would stop behind it.").
		Try(fmt.Sprintf("Keep the address (privateAddress: %s). To move it, and one controller at a time while two others stay: "+
			"kiban node remove %s %s, then apply with its new address.",
			there, p.site.Name, m.Name)))
}

// looksForMember reports whether a gate of the plan looks for the controller's etcd member at its address.
func (p *planner) looksForMember(m *member) bool {
	return slices.ContainsFunc(p.work, func(s *stage) bool {
		return slices.ContainsFunc(s.steps, func(st *step) bool {
			return slices.ContainsFunc(st.After, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateEtcdMember && g.Target == m.Name })
		})
	})
}

// peerAddress is where the controller's etcd member is: as etcd says, or as its k0s.yaml does while etcd cannot be asked. "" where neither
// is known, and where there is no etcd.
func (p *planner) peerAddress(m *member) string {
	switch {
	case m.inEtcd:
		return m.etcd.PeerAddress
	case !p.dark() && p.state.Etcd.Unknown == "":
		return ""
	case or(setting(m.seen.Config, "spec.storage.type"), "etcd") != "etcd":
		return ""
	}
	return setting(m.seen.Config, "spec.storage.etcd.peerAddress")
}
