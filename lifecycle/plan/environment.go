package plan

import (
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// inspectEnvironment tells of machines whose k0s is not given the declared variables. They are put in place when the service is installed
// anew; that takes a restart of k0s, which a variable alone is not taken for.
func (p *planner) inspectEnvironment() {
	var differ []string
	for _, m := range p.members {
		if m.belongs() && !m.down && m.seen.Reached() && m.seen.Installed() && m.Environment != m.seen.Environment && m.Environment != "" {
			differ = append(differ, m.Name)
		}
	}
	if len(differ) > 0 {
		p.find(lifecycle.Warnf(strings.Join(differ, ", "), "k0s is not given the declared environment there").
			Because("What `environment` of the Cluster document says is put in place when a machine joins, " +
				"and when its k0s service is installed anew: with other arguments or with another version. Nothing of it is changed now.").
			Try("Wait for the next version of k0s, or take the machine out and let it join again: kiban node replace " + p.site.Name + " NODE"))
	}
}
