package plan

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// MaintainEtcd makes the plan that gives back what the files of etcd's members hold nothing in: member by member, the leader last, each
// behind the gates of a controller that is away for a while, since it answers nobody meanwhile. Where etcd is out of space, old revisions
// go before, for the API server can't have them forgotten then, and the alarm is taken back behind. A member that has little to give back
// is left alone, so a plan after one that was cut off has the rest. It is pure, as Make is.
func MaintainEtcd(site lifecycle.Site, state lifecycle.State) lifecycle.Plan {
	p := survey(site, state)
	if !p.isRightCluster() || !p.answers() {
		return p.finish()
	}
	members := p.etcdMembers()
	full := state.Raised(lifecycle.EtcdNoSpace) && len(members) > 0
	if p.inspectMaintenance(); full {
		p.stage("compact", "old revisions", 1).add(
			p.do(lifecycle.ActionCompactEtcd, members[0], "the API server can't have etcd forget them while it takes no writes"))
	}
	s := p.stage("defragment", "etcd's files", 1)
	for _, m := range members {
		if e := m.seen.Etcd; !e.Wasteful() && !(full && e.NearlyFull()) {
			continue
		}
		st := p.do(lifecycle.ActionDefragment, m, "its file has "+m.seen.Etcd.Room())
		if m.seen.Etcd.Leads {
			st.Reason += "; it leads, so it comes last"
		}
		st.Before, st.After = p.mayPause(m, full), []lifecycle.Gate{p.gate(lifecycle.GateAPIReady, m.Name), p.gate(lifecycle.GateEtcdMember,
			m.Name)}
		s.add(st)
	}
	if full {
		p.stage("disarm", "etcd takes writes again", 1).add(
			p.do(lifecycle.ActionDisarmEtcd, members[0], "the alarm NOSPACE stays until somebody takes it back"))
	}
	if len(s.steps) > 0 {
		p.inspectPause()
	}
	return p.finish()
}

// etcdMembers are the controllers whose etcd says how it is and has a vote, the leader last. An alarm that is raised was told by one of
// them.
func (p *planner) etcdMembers() []*member {
	var out []*member
	for _, m := range p.controllers() {
		if m.seen.Etcd.Known() && !m.seen.Etcd.Learner {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b *member) int {
		switch {
		case a.seen.Etcd.Leads == b.seen.Etcd.Leads:
			return 0
		case a.seen.Etcd.Leads:
			return 1
		}
		return -1
	})
	return out
}

// mayPause are the gates before a member of etcd answers nobody for a while. Of one or two members none is to spare: the others are well,
// and no more can be asked. An etcd that takes no writes does not wait for a window.
func (p *planner) mayPause(m *member, full bool) []lifecycle.Gate {
	gates := p.others(m)
	if len(p.state.Etcd.Members) == 2 {
		gates[0] = p.gate(lifecycle.GateEtcdQuorum, "")
	}
	if full {
		return gates
	}
	return append(p.window(), gates...)
}

// inspectMaintenance finds what keeps etcd from being maintained, or a member from being looked at.
func (p *planner) inspectMaintenance() {
	for _, m := range p.controllers() {
		switch e := m.seen.Etcd; {
		case !m.seen.Reached():
			p.find(lifecycle.Blockedf(m.Name, "the controller is not reached, so how its etcd is is not known").Because(m.seen.Why).
				Try("No member answers nobody on purpose while another is away. kiban status " + p.site.Name))
		case e == nil && m.inEtcd:
			p.find(lifecycle.Blockedf(m.Name, "k0s does not run there, so how its etcd is is not known").
				Because(fmt.Sprintf("Its service is %s.", m.seen.Service)).Try("kiban apply " + p.site.Name))
		case e != nil && !e.Known():
			p.find(lifecycle.Blockedf(m.Name, "how its etcd is is not known").Because(e.Unknown).
				Try("kiban asks etcd on the machine itself, with curl: install it where it is missing, and run the same command again."))
		}
	}
	for _, f := range p.state.EtcdFindings(p.site) {
		if f.Rank == lifecycle.RankBlocks && f.Rule != lifecycle.RuleEtcdSpace {
			p.find(f.Diagnostic(lifecycle.SeverityBlocked))
		}
	}
}

// inspectPause says what the pause of a member means for the API where no other takes its place.
func (p *planner) inspectPause() {
	if n := len(p.state.Etcd.Members); n == 1 || n == 2 {
		p.find(lifecycle.Warnf(p.site.Name, "the API is away while etcd writes a file anew").
			Because(fmt.Sprintf("etcd has %s, and needs each. It takes about as long as the disk needs to write what is in use.",
				lifecycle.Count(n, "member"))).
			Try("Workloads go on; nothing is scheduled or healed meanwhile."))
	}
}
