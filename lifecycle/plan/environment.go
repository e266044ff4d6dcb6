package plan

import "kiban.dev/kiban/lifecycle"

// environmentChange stands among the changes of a service whose k0s is not given the declared variables. Their values are not shown.
const environmentChange = "~ environment"

// environmentDiffers reports whether a machine's k0s is given other variables than those that are declared. Where none are declared it may
// have some: inspectEnvironment tells of them.
func (m *member) environmentDiffers() bool {
	return m.Environment != "" && m.seen.Installed() && m.Environment != m.seen.Environment
}

// inspectEnvironment tells of machines whose k0s is given variables that nobody declares: somebody else may have put them there, so they
// stay.
func (p *planner) inspectEnvironment() {
	for _, m := range p.members {
		if !m.Reset && m.seen.Reached() && m.seen.Installed() && m.Environment == "" && m.seen.Environment != "" {
			p.find(lifecycle.Warnf(m.Name, "k0s is given variables there that the site does not declare").
				Because("They stand in env.conf beside the unit of k0s. kiban leaves them, for it cannot tell who put them there.").
				Try("Declare them in environment of the host; or remove the file and restart k0s."))
		}
	}
}
