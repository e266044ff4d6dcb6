package plan

import (
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// inspectProgram finds a k0s that lies elsewhere than it is declared to be, and one that can't lie where it is declared to be. k0sctl
// goes by the distribution; kiban by what is declared, so that the overlay says where it is.
func (p *planner) inspectProgram(m *member) (misplaced bool) {
	s := m.seen
	switch {
	case m.Reset || m.Program == "":
		return false
	case s.Installed() && s.Program != "" && s.Program != m.Program:
		p.find(lifecycle.Errorf(m.Name, "k0s lies in %s, and is declared to be %s", s.Program, m.Program).
			Because("The service starts the one; kiban would ask and replace the other.").
			Try("Say where it is, at the host in the Cluster: k0sInstallPath: " + s.Program))
		return true
	case !s.Installed() && s.ReadOnlyUsr() && strings.HasPrefix(m.Program, "/usr/"):
		p.find(lifecycle.Errorf(m.Name, "k0s can't be put into %s", m.Program).
			Because("The machine runs " + s.OS + ", which keeps /usr read-only.").
			Try("Say where it goes, at the host in the Cluster: k0sInstallPath: " + lifecycle.FlatcarProgram))
		return true
	}
	return false
}
