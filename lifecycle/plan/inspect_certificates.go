package plan

import "kiban.dev/kiban/lifecycle"

// inspectCertificates says which certificates end soon. A restart that the plan has anyway makes those of k0s anew.
func (p *planner) inspectCertificates() {
	for _, m := range p.members {
		if !m.Reset && m.seen.Reached() {
			renewed := p.hasAny(m, lifecycle.Action.StartsK0s)
			p.found = append(p.found, m.seen.EndingCertificates(p.site.Name, p.state.ObservedAt, renewed)...)
		}
	}
}
