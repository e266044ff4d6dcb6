package site

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkKnownHostsFile reads the file that the site names, which is of the fleet, also where it is only about to be written.
func (l *loader) checkKnownHostsFile(c clusterDocument) []finding {
	file := l.site.SSH.KnownHosts
	if _, err := l.local(file); overlay.LeadsOut(err) && !l.site.Fleet.AllowsLocal(file) {
		return []finding{l.notLocal(sitePlace("spec", "ssh", "knownHosts"), "the known_hosts file", file, err)}
	}
	if l.opts.UnknownHosts {
		return nil
	}
	return checkKnownHosts(c, l.site.SSH, l.tree.Rel(file))
}

// checkKnownHosts holds that the key of every host is known before anything connects: an unknown key is refused later anyway, and
// here there is time to ask where it should come from. shown is the file as people at the top of
// the fleet name it.
func checkKnownHosts(c clusterDocument, ssh lifecycle.SSH, shown string) []finding {
	at := sitePlace("spec", "ssh", "knownHosts")
	b, err := overlay.ReadPlain(ssh.KnownHosts)
	if errors.Is(err, fs.ErrNotExist) {
		// No error yet: the file of a site that is still being set up, or of a lab that is not up, need not be there to check the rest.
		// Without it nothing connects.
		return []finding{doubtful(at, fmt.Sprintf("there is no known_hosts file %s", shown),
			"No machine of the site is talked to before its host key is known.",
			"Create it from inside the site's network, and compare the fingerprints with the machines' consoles: "+keyscan(c.Spec.Hosts, ssh,
				shown))}
	}
	if err != nil {
		return []finding{wrong(at, fmt.Sprintf("the known_hosts file %s can't be read", shown), err.Error(),
			"Let the user that runs kiban read it.")}
	}
	known := parseKnownHosts(string(b))
	var missing []hostDocument
	for _, h := range c.Spec.Hosts {
		if h.address() != "" && !strings.Contains(h.address(), "$") && !known.has(h.address(), h.port(ssh)) {
			missing = append(missing, h)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	names := make([]string, len(missing))
	for i, h := range missing {
		names[i] = h.Hostname
	}
	return []finding{wrong(at, fmt.Sprintf("%s has no key of %s", shown, lifecycle.Count(len(missing), "host")), lifecycle.Few(names)+".",
		"Add the keys, and compare the fingerprints with the machines' consoles: "+keyscan(missing, ssh, shown))}
}

// keyscan is the command that fetches the hosts' keys.
func keyscan(hosts []hostDocument, ssh lifecycle.SSH, file string) string {
	byPort := map[int][]string{}
	var ports []int
	for _, h := range hosts {
		if h.address() == "" {
			continue
		}
		port := h.port(ssh)
		if _, seen := byPort[port]; !seen {
			ports = append(ports, port)
		}
		byPort[port] = append(byPort[port], h.address())
	}
	slices.Sort(ports)
	var commands []string
	for _, p := range ports {
		flag := ""
		if p != 22 {
			flag = fmt.Sprintf("-p %d ", p)
		}
		commands = append(commands, fmt.Sprintf("`ssh-keyscan %s%s >> %s`", flag, strings.Join(byPort[p], " "), file))
	}
	return strings.Join(commands, " and ") + "."
}

// sshDefaults is what the Site says for hosts that name neither user nor port.
func sshDefaults(d siteDocument) lifecycle.SSH {
	return lifecycle.SSH{User: d.Spec.SSH.User, Port: d.Spec.SSH.Port}
}
