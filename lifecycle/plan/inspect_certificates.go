package plan

// inspectCertificates says which certificates end soon. A restart that the plan has anyway makes those of k0s anew.
func (p *planner) inspectCertificates() {
	starts := map[string]bool{}
	for _, s := range p.work {
		for _, st := range s.steps {
			starts[st.Target] = starts[st.Target] || st.Action.StartsK0s()
		}
	}
	for _, m := range p.members {
		if !m.Reset && m.seen.Reached() {
			renewed := starts[m.Name]
			p.found = append(p.found, m.seen.EndingCertificates(p.site.Name, p.state.ObservedAt, renewed)...)
		}
	}
}
