package site

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/allowed"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkKnownHostsFile reads the file that the site names, which is of the fleet, also where it is only about to be written.
func (l *loader) checkKnownHostsFile(c clusterDocument) []finding {
	file := l.site.SSH.KnownHosts
	if _, err := l.local(file); overlay.LeadsOut(err) && !l.site.Fleet.AllowsLocal(file) {
		return []finding{l.notLocal(sitePlace("spec", "ssh", "knownHosts"), "the known_hosts file", file, err)}
	}
	if l.opts.UnknownHosts || !c.sayable() || len(checkSSH(l.declared.Spec.SSH)) > 0 {
		return nil // what is refused is told, and stands in no command that is proposed here
	}
	if _, err := os.Stat(file); l.opts.KnownHostsLater && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return checkKnownHosts(l.site.Name, c, l.site.SSH, l.tree.Rel(file))
}

// checkKnownHosts holds that the key of every host is known before anything connects: an unknown key is refused later anyway, and
// here there is time to ask where it should come from. shown is the file as people at the top of
// the fleet name it.
func checkKnownHosts(site string, c clusterDocument, ssh lifecycle.SSH, shown string) []finding {
	at := sitePlace("spec", "ssh", "knownHosts")
	b, err := overlay.ReadPlain(ssh.KnownHosts)
	if errors.Is(err, fs.ErrNotExist) {
		// No error yet: the file of a site that is still being set up, or of a lab that is not up, need not be there to check the rest.
		// Without it nothing connects.
		return []finding{doubtful(at, fmt.Sprintf("there is no known_hosts file %s", shown),
			"No machine of the site is talked to before its host key is known.",
			withScans(trust(site), everyScan(c, ssh, shown)))}
	}
	if err != nil {
		return []finding{wrong(at, fmt.Sprintf("the known_hosts file %s can't be read", shown), err.Error(),
			"Let the user that runs kiban read it.")}
	}
	known := lifecycle.ReadKnownHosts(string(b))
	var missing []hostDocument
	for _, h := range c.Spec.Hosts {
		if h.address() != "" && !known.Knows(h.address(), h.port(ssh)) {
			missing = append(missing, h)
		}
	}
	var found []finding
	for _, h := range known.Damaged() {
		found = append(found, doubtful(overlay.Place{Subject: fmt.Sprintf("%s:%d", shown, h.Line)}, "this line of known_hosts holds no key",
			"It says "+h.Type+", and what follows is no such key. The machine that it is for is not believed.",
			"Correct the line, or remove it; then kiban hosts trust "+site+" fetches the key anew."))
	}
	if jumps := unknownBastions(c, known); len(jumps) > 0 {
		found = append(found, wrong(at, fmt.Sprintf("%s has no key of %s", shown, lifecycle.Count(len(jumps), "bastion")),
			lifecycle.Few(jumps)+".", withScans(trust(site), bastionScans(c.Spec.Hosts, jumps, shown))))
	}
	if len(missing) == 0 {
		return found
	}
	names := make([]string, len(missing))
	for i, h := range missing {
		names[i] = h.Hostname
	}
	return append(found, wrong(at, fmt.Sprintf("%s has no key of %s", shown, lifecycle.Count(len(missing), "host")), lifecycle.Few(names)+".",
		withScans(trust(site), keyscans(missing, ssh, shown))))
}

// sayable reports whether addresses and users are what they can be.
func (c clusterDocument) sayable() bool {
	for _, h := range c.Spec.Hosts {
		for s := h.SSH; s != nil; s = s.Bastion {
			if allowed.Address(cmp.Or(s.Address, "unnamed")).Refused() || allowed.User(cmp.Or(s.User, "root")).Refused() {
				return false
			}
		}
	}
	return true
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
func (d sshDocument) knownAs() string { return lifecycle.KnownName(d.Address, cmp.Or(d.Port, 22)) }

// unknownBastions are the bastions without a key, as known_hosts would call them.
func unknownBastions(c clusterDocument, known lifecycle.KnownHosts) (names []string) {
	for _, h := range c.Spec.Hosts {
		for _, b := range h.bastions() {
			if b.Address != "" && !known.Knows(b.Address, cmp.Or(b.Port, 22)) &&
				!slices.Contains(names, b.knownAs()) {
				names = append(names, b.knownAs())
			}
		}
	}
	return names
}

// trust is the verb that collects host keys, as a hint.
func trust(site string) string {
	return "From inside the site's network, and with the machines' consoles to compare with: kiban hosts trust " + site
}

// withScans adds to a hint the commands for what is behind a bastion: the verb does not reach it.
func withScans(hint string, scans []string) string {
	if len(scans) == 0 {
		return hint
	}
	return hint + ". What is behind a bastion answers there alone: " + strings.Join(scans, " and ")
}

// bastionScans are the commands that show the keys of bastions behind other ones, each asked from the one before it.
func bastionScans(hosts []hostDocument, names []string, file string) (commands []string) {
	for _, h := range hosts {
		way := h.bastions()
		for i, b := range way {
			command := fmt.Sprintf("`%s >> %s`", scanFrom(way[i+1:], portFlag(cmp.Or(b.Port, 22))+b.Address), file)
			if i+1 < len(way) && slices.Contains(names, b.knownAs()) && !slices.Contains(commands, command) {
				commands = append(commands, command)
			}
		}
	}
	return commands
}

// everyScan is the commands for all that is behind bastions: for bastions first, for the others are behind them.
func everyScan(c clusterDocument, ssh lifecycle.SSH, file string) []string {
	return append(bastionScans(c.Spec.Hosts, unknownBastions(c, lifecycle.KnownHosts{}), file), keyscans(c.Spec.Hosts, ssh, file)...)
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

// keyscans are the commands that fetch the keys of hosts behind bastions, asked from there: one for all of a port.
func keyscans(hosts []hostDocument, ssh lifecycle.SSH, file string) (commands []string) {
	var ways []string
	addresses := map[string][]string{}
	way := map[string]hostDocument{}
	for _, h := range hosts {
		if h.address() == "" || len(h.bastions()) == 0 {
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
	for _, key := range ways {
		commands = append(commands, fmt.Sprintf("`%s >> %s`",
			scanFrom(way[key].bastions(), portFlag(way[key].port(ssh))+strings.Join(addresses[key], " ")), file))
	}
	return commands
}

// sshDefaults is what the Site says for hosts that name neither user nor port.
func sshDefaults(d siteDocument) lifecycle.SSH {
	return lifecycle.SSH{User: d.Spec.SSH.User, Port: d.Spec.SSH.Port}
}
