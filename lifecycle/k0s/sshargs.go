package k0s

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/k0sproject/rig/v2/protocol/ssh"

	"kiban.dev/kiban/lifecycle"
)

// SSHArguments are what OpenSSH's client is called with to reach a machine as kiban does: nothing of the user's own configuration is read,
// and host keys are checked against the site's file alone. The last one is the machine's address.
func SSHArguments(site lifecycle.Site, host string) ([]string, error) {
	s, err := Open(site, Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	m, err := s.machine(host)
	if err != nil {
		return nil, err
	}
	if m.ssh == nil {
		return nil, lifecycle.Errorf(host, "it is this computer, and not reached over SSH")
	}
	return clientArguments(m.ssh, site.SSH.KnownHosts), nil
}

// clientArguments are those for one connection, through a client of its own for each bastion before it.
func clientArguments(c *ssh.Config, known string) []string {
	args := []string{"-F", "none"}
	option := func(name, value string) { args = append(args, "-o", name+"="+value) }
	for _, name := range slices.Sorted(maps.Keys(c.SSHConfigOptions)) {
		text := fmt.Sprint(c.SSHConfigOptions[name])
		if strings.EqualFold(name, "GlobalKnownHostsFile") {
			text = strconv.Quote(known) // a session has a copy of its own, which is gone with it; a path may have spaces in it
		}
		option(name, text)
	}
	if c.Bastion != nil {
		var words []string
		for _, w := range clientArguments(c.Bastion, known) {
			words = append(words, quoted(w))
		}
		last := len(words) - 1 // the address, which -W stands before
		words = slices.Insert(words, last-1, "-W", "'[%h]:%p'")
		option("ProxyCommand", "ssh "+strings.Join(words, " "))
	}
	if c.KeyPath != nil && *c.KeyPath != "" {
		args = append(args, "-i", *c.KeyPath)
	}
	return append(args, "-p", strconv.Itoa(cmp.Or(c.Port, 22)), "-l", cmp.Or(c.User, "root"), "--", c.Address)
}

// quoted is a word for the shell that ssh has start a ProxyCommand, and for ssh's own tokens before.
func quoted(word string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "%", "%%").Replace(word) + "'"
}
