package site

import (
	"cmp"
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
			"Create it from inside the site's network, and compare the fingerprints with the machines' consoles: "+everyScan(c, ssh, shown))}
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
	var found []finding
	if jumps := unknownBastions(c, known); len(jumps) > 0 {
		found = append(found, wrong(at, fmt.Sprintf("%s has no key of %s", shown, lifecycle.Count(len(jumps), "bastion")),
			lifecycle.Few(jumps)+".",
			"Add the keys, and compare the fingerprints with the machines' consoles: "+bastionScan(c.Spec.Hosts, jumps, shown)))
	}
	if len(missing) == 0 {
		return found
	}
	names := make([]string, len(missing))
	for i, h := range missing {
		names[i] = h.Hostname
	}
	return append(found, wrong(at, fmt.Sprintf("%s has no key of %s", shown, lifecycle.Count(len(missing), "host")), lifecycle.Few(names)+".",
		"Add the keys, and compare the fingerprints with the machines' consoles: "+keyscan(missing, ssh, shown)))
}

// bastions are the machines on the way to a host, the one before it first.
func (h hostDocument) bastions() (out []sshDocument) {
	if h.SSH == nil {
		return nil
	}
	for b := h.SSH.Bastion; b != nil; b = b.Bastion {
		out = append(out, *b)
	}
	return out
}

// knownAs is how known_hosts calls the machine.
func (d sshDocument) knownAs() string { return knownName(d.Address, cmp.Or(d.Port, 22)) }

// unknownBastions are the bastions without a key, as known_hosts would call them.
func unknownBastions(c clusterDocument, known knownHosts) (names []string) {
	for _, h := range c.Spec.Hosts {
		for _, b := range h.bastions() {
			if b.Address != "" && !strings.Contains(b.Address, "$") && !known.has(b.Address, cmp.Or(b.Port, 22)) &&
				!slices.Contains(names, b.knownAs()) {
				names = append(names, b.knownAs())
			}
		}
	}
	return names
}

// bastionScan is the commands that show the keys of bastions: each is asked from the one before it, the first from here.
func bastionScan(hosts []hostDocument, names []string, file string) string {
	var commands []string
	for _, h := range hosts {
		way := h.bastions()
		for i, b := range way {
			command := fmt.Sprintf("`%s >> %s`", scanFrom(way[i+1:], portFlag(cmp.Or(b.Port, 22))+b.Address), file)
			if slices.Contains(names, b.knownAs()) && !slices.Contains(commands, command) {
				commands = append(commands, command)
			}
		}
	}
	return strings.Join(commands, " and ") + "."
}

// everyScan is the commands that show all keys of a site: of its bastions first, for the others are behind them.
func everyScan(c clusterDocument, ssh lifecycle.SSH, file string) string {
	hosts := keyscan(c.Spec.Hosts, ssh, file)
	if jumps := unknownBastions(c, knownHosts{}); len(jumps) > 0 {
		return strings.TrimSuffix(bastionScan(c.Spec.Hosts, jumps, file), ".") + " and " + hosts
	}
	return hosts
}

// scanFrom is the command that asks what answers with its host keys, from behind the bastions of the way.
func scanFrom(way []sshDocument, what string) string {
	command := "ssh-keyscan " + what
	if len(way) == 0 {
		return command
	}
	login := way[0].Address
	if way[0].User != "" {
		login = way[0].User + "@" + login
	}
	return "ssh " + portFlag(cmp.Or(way[0].Port, 22)) + login + " " + command
}

func portFlag(port int) string {
	if port == 22 {
		return ""
	}
	return fmt.Sprintf("-p %d ", port)
}

// keyscan is the commands that fetch the hosts' keys: one for all of a port, and for those behind a bastion one that asks from there.
func keyscan(hosts []hostDocument, ssh lifecycle.SSH, file string) string {
	var ways []string
	addresses := map[string][]string{}
	way := map[string]hostDocument{}
	for _, h := range hosts {
		if h.address() == "" {
			continue
		}
		key := scanFrom(h.bastions(), portFlag(h.port(ssh)))
		if addresses[key] == nil {
			ways = append(ways, key)
			way[key] = h
		}
		addresses[key] = append(addresses[key], h.address())
	}
	slices.SortStableFunc(ways, func(a, b string) int { return cmp.Compare(way[a].port(ssh), way[b].port(ssh)) })
	var commands []string
	for _, key := range ways {
		commands = append(commands, fmt.Sprintf("`%s >> %s`",
			scanFrom(way[key].bastions(), portFlag(way[key].port(ssh))+strings.Join(addresses[key], " ")), file))
	}
	return strings.Join(commands, " and ") + "."
}

// sshDefaults is what the Site says for hosts that name neither user nor port.
func sshDefaults(d siteDocument) lifecycle.SSH {
	return lifecycle.SSH{User: d.Spec.SSH.User, Port: d.Spec.SSH.Port}
}
