package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// Here reports whether the cause is on the computer that asks: nothing is known of the machine then, and nothing is wrong with it.
func (p HostProblem) Here() bool { return p == HostNoKeys || p == HostNoLogin }

// keepsOut reports whether the problem stands between kiban and a machine that may be well: a file that is missing here, or a login that is
// refused. Where nothing answers, the machine itself may be gone.
func (p HostProblem) keepsOut() bool {
	return p.Here() || p == HostKeyUnknown || p == HostAuth || p == HostSudo
}

// ShutOut reports whether kiban was let in to no controller of the site although none is known to be away. The way to the API leads through
// them, so the API was not asked either, and the findings of the machines say why: that it is silent, or lost, is not known.
func (s State) ShutOut(site Site) bool {
	if s.API.Unknown == "" {
		return false
	}
	controllers := site.Cluster.Controllers()
	return len(controllers) > 0 && !slices.ContainsFunc(controllers, func(h Host) bool {
		seen, ok := s.Host(h.Name)
		return !ok || !seen.Problem.keepsOut()
	})
}

// WayIn is what there is to do about a machine that kiban was not let in to; "" where that is no matter of letting in.
func (p HostProblem) WayIn(site, host, user string) string {
	switch p {
	case HostNoKeys:
		return "kiban hosts trust " + site
	case HostKeyUnknown:
		return fmt.Sprintf("Compare the key with the machine's console. If it is right: kiban hosts trust %s (with --all for one that has "+
			"changed)", site)
	case HostNoLogin:
		return fmt.Sprintf("Name the key of user %s (keyPath under spec.ssh of the Site) and put it there, or start an ssh-agent that "+
			"has it.", user)
	case HostAuth:
		return fmt.Sprintf("Let user %s in with the site's key, or correct spec.ssh of the Site.", user)
	case HostSudo:
		return fmt.Sprintf("Allow user %s sudo without a password on the host.", user)
	case HostFacts:
		return fmt.Sprintf("Look at what keeps it from answering: kiban ssh %s %s -- true prints nothing where all is well.", site, host)
	}
	return ""
}

// Words are the problem in a column of a table.
func (p HostProblem) Words() string {
	switch p {
	case HostUnreachable:
		return "unreachable"
	case HostKeyUnknown:
		return "host key not known"
	case HostNoKeys:
		return "no known_hosts here"
	case HostNoLogin:
		return "no SSH key here"
	case HostAuth:
		return "login refused"
	case HostSudo:
		return "no sudo"
	case HostFacts:
		return "no facts"
	}
	return string(p)
}

// Reasons joins what keeps hosts from answering, each reason once, with whose it is.
func Reasons(hosts []HostState) []string {
	var names, whys []string
	for _, h := range hosts {
		if !h.Reached() {
			names, whys = append(names, h.Name), append(whys, h.Why)
		}
	}
	return Once(names, whys)
}

// Once joins what is said of several, each text once, behind the names of those that it is said of.
func Once(names, texts []string) (out []string) {
	of := map[string][]string{}
	for i, text := range texts {
		if of[text] == nil {
			out = append(out, text)
		}
		of[text] = append(of[text], names[i])
	}
	for i, text := range out {
		out[i] = strings.Join(of[text], ", ") + ": " + text
	}
	return out
}

// Unseen says that nothing could be asked: no machine answered, nor did the API. Whatever is shown of such a state is the declaration
// alone.
func (s State) Unseen() (d Diagnostic, unseen bool) {
	if s.API.Unknown == "" || slices.ContainsFunc(s.Hosts, HostState.Reached) {
		return d, false
	}
	if len(s.Hosts) == 0 {
		return Errorf(s.Site, "nothing is known of the site: its API did not answer").Because(s.API.Unknown), true
	}
	d = Errorf(s.Site, "nothing is known of the site: 0 of %s answered", Count(len(s.Hosts), "machine"))
	first := s.Hosts[0].Problem
	same := !slices.ContainsFunc(s.Hosts, func(h HostState) bool { return h.Problem != first })
	switch {
	case same && first == HostNoKeys:
		return d.Because("This computer has no known_hosts file of the site.").Try("kiban hosts trust " + s.Site), true
	case same && first == HostNoLogin:
		return d.Because("This computer has nothing to log in with: " + s.Hosts[0].Why + ".").
			Try("The key is named by keyPath under spec.ssh of the Site, or is in an ssh-agent."), true
	case slices.ContainsFunc(s.Hosts, func(h HostState) bool { return h.Problem == HostUnreachable }):
		return d.Try("Look at the network from here to the site, and at spec.ssh of the Site."), true
	}
	return d.Try("kiban status " + s.Site + " says why for each machine."), true
}
