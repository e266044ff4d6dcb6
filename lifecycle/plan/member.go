package plan

import (
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Condition is what a host is like, seen from what is declared of it. Every state that an interrupted run can leave is one of them.
type Condition string

const (
	Unreachable Condition = "unreachable" // nothing is known of it
	Fresh       Condition = "fresh"       // never a member: no unit, no data
	Remains     Condition = "remains"     // data, but no unit: a re-install or a removal was cut off, or it belongs elsewhere
	Unjoined    Condition = "unjoined"    // a unit, but the cluster does not know it: a join was cut off
	Stopped     Condition = "stopped"     // a unit that does not run, with a binary older than declared
	Replaced    Condition = "replaced"    // the new binary is in place, but the service has not been started with it
	Silent      Condition = "silent"      // the service is up, `k0s status` does not answer
	Behind      Condition = "behind"      // runs, older than declared
	NotServing  Condition = "not serving" // runs and is in etcd, but its API server is not ready
	NotReady    Condition = "not ready"   // runs what is declared, its node is not Ready
	Held        Condition = "held"        // well, but still cordoned by kiban
	Well        Condition = "well"        // as declared
)

// member is a declared host and what was seen of it, and how far the plan has brought it.
type member struct {
	lifecycle.Host
	seen       lifecycle.HostState
	node       lifecycle.NodeState
	registered bool // the cluster has a node of its name
	etcd       lifecycle.EtcdMember
	inEtcd     bool // etcd's member list has it
	apiKnown   bool
	condition  Condition

	// How it stands at this point of the plan.
	level lifecycle.Version // the version it is at; zero: not a member
	down  bool              // k0s does not run
	held  bool              // cordoned by kiban, so kiban must uncordon it
	waits bool              // stalled, and left to its turn in the upgrade
	// broken: its k0s service is down and its binary does not run, so that nothing there can be started before it is replaced.
	broken bool
	// stranded: a controller whose version does not come up, and which another version takes the place of; level is where it was before.
	stranded bool
	// pinned: its k0s.yaml has its programs act as a release, by no declaration.
	pinned bool
	// emulates is the version that its k0s.yaml is to have its programs act as, where it does not yet; zero: as it is declared.
	emulates lifecycle.Version
	// renewed: a step of this plan installs its service with the declared arguments. configured: one writes its k0s.yaml.
	renewed, configured bool
	filed               []string // paths of declared files that steps of this plan put
	// removed: a step of this plan takes it out.
	removed bool
}

func newMember(h lifecycle.Host, state lifecycle.State, target lifecycle.Version) *member {
	m := &member{Host: h, apiKnown: state.API.Unknown == "" && !state.API.NotYet}
	var ok bool
	if m.seen, ok = state.Host(h.Name); !ok {
		m.seen = lifecycle.HostState{Name: h.Name, Problem: lifecycle.HostFacts, Why: "it was not asked"}
	}
	m.node, m.registered = state.Node(h.Name)
	m.held = !m.node.Mark.IsZero() && !m.node.Mark.Maintenance()
	m.etcd, m.inEtcd = state.Etcd.MemberOf(h)
	m.condition = condition(h, m.seen, facts{
		api: m.apiKnown, node: m.node, registered: m.registered,
		etcd: m.apiKnown && state.Etcd.Unknown == "" && len(state.Etcd.Members) > 0, inEtcd: m.inEtcd,
		serving: serving(state.API, h.Name),
	}, target)
	m.down = isDown(m.seen)
	m.broken = m.isBroken()
	m.pinned = lifecycle.Emulated(m.seen.Config) != "" && lifecycle.Emulated(h.Config) == ""
	elsewhere := state.API.NotYet && h.Role == lifecycle.RoleWorker // whose member it is, inspect asks
	if !m.joins() && !elsewhere {
		m.level = m.seen.Level()
	}
	return m
}

// facts is what the cluster says of a host. What is false because it is not known is said so by api and etcd.
type facts struct {
	api        bool // the API answered
	node       lifecycle.NodeState
	registered bool
	etcd       bool // the cluster runs an etcd of its own and its member list is known
	inEtcd     bool
	serving    bool
}

// condition classifies a host.
func condition(h lifecycle.Host, s lifecycle.HostState, f facts, target lifecycle.Version) Condition {
	have := s.Level()
	switch {
	case !s.Reached():
		return Unreachable
	case !s.Installed() && !s.Data:
		return Fresh
	case !s.Installed():
		return Remains
	case f.api && h.Role == lifecycle.RoleWorker && !f.registered, h.Role.IsController() && f.etcd && !f.inEtcd && !f.serving:
		return Unjoined
	case h.Role == lifecycle.RoleWorker && s.Spent && s.Running.IsZero():
		return Unjoined // the cluster may know its node, as after a restore, but it can't start without credentials
	case isDown(s) && have.Less(target):
		return Stopped
	case isDown(s):
		return Replaced
	case s.Running.IsZero():
		return Silent
	case s.Running.Less(target) && s.Running.Less(s.Binary):
		return Replaced
	case have.Less(target):
		return Behind
	case h.Role.IsController() && f.api && !f.serving:
		return NotServing
	case h.Role.RunsWorkloads() && f.api && !(f.registered && f.node.Ready):
		return NotReady
	case !f.node.Mark.IsZero() && !f.node.Mark.Maintenance():
		return Held
	}
	return Well
}

// isDown reports whether k0s is a member's but does not run. A service that restarts again and again is not down: it is silent.
func isDown(s lifecycle.HostState) bool {
	member := s.Reached() && (s.Installed() || s.Data)
	return member && s.Running.IsZero() && s.Service != lifecycle.ServiceRunning && s.Service != lifecycle.ServiceStarting
}

// deaf reports whether nothing on the machine would end pods: its k0s does not run, or its kubelet tells nothing any more.
func (m *member) deaf() bool { return m.down || m.registered && m.node.Silent() }

// deafWhy says so in words.
func (m *member) deafWhy() string {
	if m.node.Silent() && !isDown(m.seen) {
		return "its kubelet does not answer, so nothing there would end its pods"
	}
	return "k0s does not run, so there is nothing to drain"
}

// isBroken reports whether what is left of a member is its service, with a binary that is damaged or gone.
func (m *member) isBroken() bool {
	s := m.seen
	return s.Reached() && s.Installed() && !m.Reset && !m.joins() && s.Running.IsZero() && s.Binary.IsZero() &&
		s.Service != lifecycle.ServiceRunning // then it does run, and its status could only not be asked
}

// stalled reports whether k0s does not run, or not well enough to answer.
func (m *member) stalled() bool {
	return m.down || m.condition == Silent
}

// wasController reports whether a host without a service was a controller of this site, where the cluster cannot be asked: it has data,
// and just the configuration that is declared. A `k0s install --force` that was cut off leaves that.
func (m *member) wasController() bool {
	return m.condition == Remains && m.Role.IsController() && !m.apiKnown && m.ConfigDigest != "" && m.ConfigDigest == m.seen.ConfigDigest
}

// joins reports whether the host is to become a member, or to become one again: a join also sets up the service of a member that has
// lost it, and leaves its data as it is.
func (m *member) joins() bool {
	return m.condition == Fresh || m.condition == Unjoined || m.condition == Remains && (m.inEtcd || m.registered)
}

// belongs reports whether the host is a member at this point of the plan, as far as is known.
func (m *member) belongs() bool { return !m.level.IsZero() }

// cordonedByOthers reports whether an administrator closed the node, with kubectl or with `kiban node`; then no plan for the site
// cordons or uncordons it.
func (m *member) cordonedByOthers() bool { return m.node.Unschedulable && !m.held }

// evacuates reports whether the host has pods that may be moved away. A machine that is its whole cluster has nowhere to move them to.
func (m *member) evacuates() bool {
	return m.registered && m.Role.RunsWorkloads() && m.Role != lifecycle.RoleSingle
}

// serving reports whether the host's own API server is ready.
func serving(api lifecycle.APIState, host string) bool {
	return slices.ContainsFunc(api.Servers, func(s lifecycle.APIServer) bool { return s.Host == host && s.Ready })
}
