package plan

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// lostCluster reports whether the site had a cluster that is lost, and nobody has said to begin another.
func (p *planner) lostCluster() bool {
	_, lost := lifecycle.Lost(p.site, p.state)
	return lost && !p.options.NewCluster
}

// anew reports whether the plan begins a cluster in the place of one that is lost.
func (p *planner) anew() bool {
	_, lost := lifecycle.Lost(p.site, p.state)
	return lost && p.options.NewCluster
}

// inspectBeginning finds what speaks against beginning a cluster where no controller ever was: that one is lost, and workers that belong to
// one.
func (p *planner) inspectBeginning() {
	lost, there := lifecycle.Lost(p.site, p.state)
	switch {
	case there && !p.options.NewCluster:
		p.find(lost.Finding(p.site, p.state.Past))
	case there:
		p.find(lifecycle.Warnf(p.site.Name, "this begins a new cluster, and the one that the site had stays lost").
			Because(lost.Evidence...).
			Try(fmt.Sprintf("To have it back instead: kiban backup list %s, then kiban restore.", p.site.Name)))
	case len(p.state.Past.Unread) > 0:
		p.find(lifecycle.Warnf(p.site.Name, "whether the site had a cluster before is not known").
			Because(p.state.Past.Unread...).
			Try("If it had one, do not begin another: see to what the detail names, and plan again."))
	}
	for _, m := range p.workers() {
		if !m.seen.Installed() {
			continue
		}
		if p.site.ServerOf(m.seen.Server) == lifecycle.ServerOther {
			p.find(lifecycle.Errorf(m.Name, "it is a member of another cluster").
				Because(fmt.Sprintf("Its kubelet looks for the API at %s, which is no declared controller.", m.seen.Server)).
				Try("Take it out of this overlay, or remove it from that cluster first: drain it there, delete its node, and reset it."))
		} else if p.options.NewCluster {
			p.find(lifecycle.Errorf(m.Name, "it still runs the pods of the cluster that is lost").
				Because("A worker belongs to one cluster. It would not join the new one, and its pods end when it is reset.").
				Try("When nothing that runs there is needed any more: k0s stop && k0s reset, on the machine; " +
					"then run the same command again. " +
					"Or leave it out of the overlay for now."))
		}
	}
}

// ifLost is what to do where controllers that nobody can reach are gone for good.
func (p *planner) ifLost() string {
	var away []string
	for _, m := range p.controllers() {
		if m.seen.Problem == lifecycle.HostUnreachable { // one that only keeps kiban out is there
			away = append(away, m.Name)
		}
	}
	if len(away) == 0 || len(away) < len(p.controllers()) {
		return ""
	}
	text := " If " + strings.Join(away, ", ") + " are gone for good, declare machines in their place"
	if len(away) == 1 {
		text = " If " + away[0] + " is gone for good, declare a machine in its place"
	}
	if len(p.state.Past.Backups) == 0 {
		return text + fmt.Sprintf(" and restore a backup; none is known here (kiban backup list %s).", p.site.Name)
	}
	b := p.state.Past.Backups[0]
	return text + fmt.Sprintf(" and restore the newest backup, of %s, in %s: %s.", b.Taken, b.Place, lifecycle.RestoreCommand(p.site.Name,
		b))
}
