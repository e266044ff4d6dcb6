package plan

import (
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// renewedLately is how old certificates may be at most that are not made anew once more, though all are to be: a renewal that was cut off
// carries on where it was.
const renewedLately = 24 * time.Hour

// Renew makes the plan by which k0s makes its certificates anew, which it does whenever it starts as a controller, and only then: one
// controller after another restarts, behind the gates of any restart. Due are those whose certificates end soon; all: every one whose are
// older than a day. It is pure, as Make is. What stands in the way is among the plan's Diagnostics.
func Renew(site lifecycle.Site, state lifecycle.State, all bool) lifecycle.Plan {
	p := survey(site, state)
	if !p.isRightCluster() || !p.answers() {
		return p.finish()
	}
	s := p.stage("renew", "new certificates", 1)
	for _, m := range p.controllers() {
		why := p.renewal(m, all)
		if why == "" {
			continue
		}
		st := p.do(lifecycle.ActionRestart, m, why)
		st.Version = m.level
		st.Before, st.After = p.others(m), p.controlPlaneWhole(m, m.level)
		p.turn(s, m, lifecycle.Version{}, st)
	}
	if len(s.steps) > 0 {
		p.inspectOutage()
		p.inspectDisruption()
	}
	p.inspectCertificates()
	return p.finish()
}

// renewal says why a controller is to be restarted for its certificates; "" where it is not, and what keeps it from that is found.
func (p *planner) renewal(m *member, all bool) string {
	now := p.state.ObservedAt
	first, known := m.seen.FirstToEnd()
	switch {
	case !m.seen.Reached():
		p.inspectReach(m)
	case !m.belongs(): // it joins, and gets its first ones then
	case m.stalled():
		p.find(lifecycle.Blockedf(m.Name, "k0s does not run there, so its certificates are not renewed by a restart").
			Because(fmt.Sprintf("Its service is %s.", m.seen.Service)).
			Try(fmt.Sprintf("kiban apply %s starts it, and it makes new ones then.", p.site.Name)))
	case !known && !all:
		p.find(lifecycle.Blockedf(m.Name, "when its certificates end is not known").
			Because("None could be read below k0s's folder of certificates.").
			Try(fmt.Sprintf("kiban renew %s --all restarts it all the same.", p.site.Name)))
	case !known:
		return "all certificates are to be new, and when its own end is not known; k0s makes them when it starts"
	case first.Urgency(now) != lifecycle.NotDue:
		return fmt.Sprintf("the first of its certificates %s; k0s makes new ones when it starts", first.Ends(now))
	case all && now.Sub(first.NotBefore) > renewedLately:
		return fmt.Sprintf("all certificates are to be new, its first %s; k0s makes them when it starts", first.Ends(now))
	}
	return ""
}

// inspectOutage says what a controller's restart means for the API where no other serves it meanwhile.
func (p *planner) inspectOutage() {
	if members := len(p.state.Etcd.Members); members == 1 || members == 2 {
		p.find(lifecycle.Warnf(p.site.Name, "the API is away while k0s restarts on a controller").
			Because(fmt.Sprintf("etcd has %s, and needs each.", lifecycle.Count(members, "member"))).
			Try("Workloads go on; nothing is scheduled or healed meanwhile."))
	}
}
