package plan

import "kiban.dev/kiban/lifecycle"

// bootstrap makes the first controller, where no controller was ever installed.
func bootstrap(p *planner) {
	cs := p.controllers()
	if !p.state.API.NotYet || len(cs) == 0 || cs[0].condition != Fresh || p.lostCluster() {
		return // a first controller that was not reached, or has data, is for inspect to name
	}
	m := cs[0]
	first := p.do(lifecycle.ActionInitialize, m, "no controller was ever installed: the first one begins the cluster")
	first.Version = p.target()
	first.After = p.controlPlaneWhole(m, p.target())
	p.install(p.stage("bootstrap", "first controller", 1), m, first)
}

// install adds a controller's first start: its k0s.yaml, then k0s itself.
func (p *planner) install(s *stage, m *member, start *step) {
	var steps []*step
	if ds := p.configChanges(m); len(ds) > 0 {
		steps = append(steps, p.configure(m, start.Version, ds))
	}
	s.add(append(steps, start)...)
	p.joined(m, start.Version)
}

// joined notes that the host is a member from here on, with its declared arguments, configuration and files.
func (p *planner) joined(m *member, v lifecycle.Version) {
	m.level, m.down, m.renewed, m.configured = v, false, true, true
	m.fileAll()
	m.registered, m.node.Ready = m.Role.RunsWorkloads(), true
}
