package allowed

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// How a machine is reached stands in commands that kiban proposes to people, and in arguments of ssh: what a shell would take for more than
// a word, and ssh for an option, has no place in it.
var (
	hostNameForm = regexp.MustCompile(`^[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?$`)
	fileForm     = regexp.MustCompile(`^[\p{L}\p{N}_.~/][-\p{L}\p{N}_.~/@+=:, ]*$`)
	userForm     = regexp.MustCompile(`^[A-Za-z0-9_][-A-Za-z0-9_.@+\\]*$`)
)

// Address judges where ssh goes: an IP address or a name of DNS.
func Address(address string) Refusal {
	if _, err := netip.ParseAddr(address); err == nil || len(strings.TrimSuffix(address, ".")) <= 253 && hostNameForm.MatchString(address) {
		return Refusal{}
	}
	return Refusal{fmt.Sprintf("%q is no address of a machine", address), "",
		"Write its IP address, or its name in DNS, as it is: variables are not put in."}
}

// User judges the name of a user on a machine.
func User(name string) Refusal {
	if len(name) <= 255 && userForm.MatchString(name) {
		return Refusal{}
	}
	return Refusal{fmt.Sprintf("%q is no name of a user", name), "",
		"Write the name that one logs in with: letters, digits, and - _ . @ + within."}
}

// KnownHosts judges the path of a known_hosts file on the machine that runs kiban.
func KnownHosts(path string) Refusal {
	if fileForm.MatchString(path) {
		return Refusal{}
	}
	return Refusal{fmt.Sprintf("%q is no path of a known_hosts file", path), "It stands in commands that kiban proposes.",
		"Use letters, digits, and - _ . / within, such as known_hosts beside the overlay."}
}
