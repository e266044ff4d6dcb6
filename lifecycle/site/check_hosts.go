package site

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/allowed"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// hostnameForm is a DNS label or several: what Kubernetes accepts as a node's name.
var hostnameForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// checkHostNames holds that a hostname can be the node's name as it is (H20).
func checkHostNames(c clusterDocument) []finding {
	var found []finding
	for _, h := range c.Spec.Hosts {
		at := hostPlace(h.Hostname, "hostname")
		switch {
		case h.Hostname != strings.ToLower(h.Hostname):
			found = append(found, wrong(at, fmt.Sprintf("hostname %s has capitals", h.Hostname),
				"The node's name will be in lower case, and everything that compares the two would miss it.",
				fmt.Sprintf("Write %q.", strings.ToLower(h.Hostname))))
		case !hostnameForm.MatchString(h.Hostname) || len(h.Hostname) > 63:
			found = append(found, wrong(at, fmt.Sprintf("%q can't be the name of a node", h.Hostname), "",
				"Use up to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends."))
		}
	}
	return found
}

// enablesWorker reports whether a flag makes the host a controller+worker, as k0sctl takes it, whatever its role says.
func (h hostDocument) enablesWorker() bool {
	return slices.ContainsFunc(h.InstallFlags, func(flags string) bool {
		return slices.ContainsFunc(strings.Fields(flags), func(flag string) bool {
			name, value, given := strings.Cut(strings.Trim(flag, `'"`), "=")
			return name == "--enable-worker" && (!given || value != "false")
		})
	})
}

// checkRoles holds that every host has a role: k0sctl takes one without, and installs a service that is neither a controller's nor a
// worker's.
func checkRoles(c clusterDocument) []finding {
	roles := []string{string(lifecycle.RoleController), string(lifecycle.RoleControllerWorker), string(lifecycle.RoleSingle),
		string(lifecycle.RoleWorker)}
	var found []finding
	for _, h := range c.Spec.Hosts {
		if h.NoTaints && h.Role != string(lifecycle.RoleControllerWorker) && !h.enablesWorker() {
			found = append(found, wrong(hostPlace(h.Hostname, "noTaints"), fmt.Sprintf("noTaints of host %s has no effect", h.Hostname),
				"k0s taints controllers that run workloads, and no others.", "Remove it, or give the host `role: controller+worker`."))
		}
		found = append(found, checkRolesFlags(h)...)
		hint := "Set role to controller, controller+worker, single or worker."
		switch {
		case h.Role == string(lifecycle.RoleSingle) && len(c.Spec.Hosts) > 1:
			found = append(found, wrong(hostPlace(h.Hostname, "role"), fmt.Sprintf("host %s is a cluster of its own, and there are %s", h.Hostname,
				lifecycle.Count(len(c.Spec.Hosts), "host")), "A `single` takes no others.",
				"Give it `role: controller+worker`, or declare it alone."))
		case h.Role == "":
			found = append(found, wrong(hostPlace(h.Hostname), fmt.Sprintf("host %s has no role", h.Hostname),
				"Nothing could say what is to run on it.", hint))
		case !slices.Contains(roles, h.Role):
			if near := overlay.Nearest(h.Role, roles); near != "" {
				hint = fmt.Sprintf("Did you mean %q?", near)
			}
			found = append(found, wrong(hostPlace(h.Hostname, "role"), fmt.Sprintf("host %s can't be a %q", h.Hostname, h.Role), "", hint))
		}
	}
	return found
}

// checkRolesFlags holds that a worker is installed with flags that `k0s install worker` knows: it joins with none at all otherwise.
func checkRolesFlags(h hostDocument) []finding {
	var found []finding
	for _, entry := range allowed.Joined(h.InstallFlags) {
		if flag, _ := allowed.Flag(entry); h.Role == string(lifecycle.RoleWorker) && allowed.ForControllers(flag) {
			found = append(found, wrong(hostPlace(h.Hostname, "installFlags", overlay.Index(flagIndex(h.InstallFlags, entry))),
				fmt.Sprintf("host %s is a worker, and %s is an argument of controllers", h.Hostname, flag),
				"`k0s install worker` does not know it, and ends.", "Remove it, or correct role."))
		}
	}
	return found
}

// checkRepeats warns of arguments that are given twice with other values: k0s takes the last of them.
func checkRepeats(c clusterDocument) []finding {
	gathered := []string{"--disable-components", "--env", "--feature-gates", "--labels", "--logging", "--taints"}
	var found []finding
	for _, h := range c.Spec.Hosts {
		given := map[string]string{}
		for _, entry := range allowed.Joined(h.InstallFlags) {
			flag, value := allowed.Flag(entry)
			if before, twice := given[flag]; twice && before != value && !slices.Contains(gathered, flag) {
				detail := "k0s takes the last of them."
				if flag == "--kubelet-extra-args" {
					detail = "k0s takes the last of them, and k0sctl puts the node's name and address into the first."
				}
				found = append(found, doubtful(hostPlace(h.Hostname, "installFlags", overlay.Index(flagIndex(h.InstallFlags, entry))),
					fmt.Sprintf("host %s is given %s more than once", h.Hostname, flag), detail, "Write one entry."))
			}
			given[flag] = value
		}
	}
	return found
}

// checkConnections holds that every host is reached by SSH, the only transport whose host keys are checked strictly (H33).
func checkConnections(c clusterDocument) []finding {
	var found []finding
	for _, h := range c.Spec.Hosts {
		for _, other := range []struct {
			name string
			node yaml.Node
		}{{"openSSH", h.OpenSSH}, {"winRM", h.WinRM}, {"localhost", h.Localhost}} {
			if other.node.Kind != 0 && other.node.Value != "false" {
				found = append(found, wrong(hostPlace(h.Hostname, other.name), fmt.Sprintf("host %s is reached by %s", h.Hostname, other.name),
					"kiban reaches machines by SSH only, with strict host keys.", "Use `ssh:` with an address."))
			}
		}
		if h.SSH == nil && h.OpenSSH.Kind == 0 && h.WinRM.Kind == 0 && h.Localhost.Kind == 0 {
			found = append(found, wrong(hostPlace(h.Hostname), fmt.Sprintf("host %s has no connection", h.Hostname), "",
				"Add `ssh: {address: ...}`."))
		}
		if h.SSH != nil && h.SSH.Address == "" {
			found = append(found, wrong(hostPlace(h.Hostname, "ssh"), fmt.Sprintf("host %s has no SSH address", h.Hostname), "", "Add `address:`."))
		}
	}
	return found
}

// checkAddresses holds that no two hosts are the same machine. addressesAsked: the machines themselves have said by which addresses
// they are called, so that a host without privateAddress is known to have none but that of ssh.
func checkAddresses(c clusterDocument, d siteDocument, addressesAsked bool) []finding {
	var found []finding
	ssh := map[string]string{}
	private := map[string]string{}
	var without []string
	for _, h := range c.Spec.Hosts {
		if h.address() != "" {
			key := fmt.Sprintf("%s port %d", h.address(), h.port(sshDefaults(d)))
			if other, taken := ssh[key]; taken {
				found = append(found, wrong(hostPlace(h.Hostname, "ssh", "address"),
					fmt.Sprintf("hosts %s and %s have the same address", other, h.Hostname),
					"Both are at "+key+".", "Correct one of them."))
			} else {
				ssh[key] = h.Hostname
			}
		}
		if h.PrivateAddress == "" && h.PrivateIface != "" {
			found = append(found, doubtful(hostPlace(h.Hostname, "privateInterface"),
				fmt.Sprintf("privateInterface of host %s is not used", h.Hostname),
				"kiban does not ask a machine for the address of "+h.PrivateIface+": without privateAddress the cluster "+
					"uses the address that ssh does.",
				"Write the interface's address into privateAddress: ip address show dev "+h.PrivateIface))
			continue
		}
		if h.PrivateAddress == "" {
			without = append(without, h.Hostname)
			continue
		}
		if ip, err := netip.ParseAddr(h.PrivateAddress); err == nil && (ip.IsUnspecified() || ip.IsMulticast()) {
			found = append(found, wrong(hostPlace(h.Hostname, "privateAddress"), fmt.Sprintf("%s is no machine's address", h.PrivateAddress),
				"The members of a cluster call each other by it.", "Write the machine's own address."))
		} else if err != nil {
			found = append(found, wrong(hostPlace(h.Hostname, "privateAddress"), fmt.Sprintf("%q is no IP address", h.PrivateAddress),
				"The members of a cluster call each other by IP address.", "Write the machine's address."))
		}
		if other, taken := private[h.PrivateAddress]; taken {
			found = append(found, wrong(hostPlace(h.Hostname, "privateAddress"),
				fmt.Sprintf("hosts %s and %s have the same privateAddress", other, h.Hostname),
				"Both are "+h.PrivateAddress+".", "Correct one of them."))
		} else {
			private[h.PrivateAddress] = h.Hostname
		}
	}
	if len(without) > 0 && len(c.Spec.Hosts) > 1 && !addressesAsked { // a machine that is alone is called by no other
		found = append(found, doubtful(hostPlace(without[0]), lifecycle.Count(len(without), "host")+" without privateAddress",
			lifecycle.Few(without)+".\nkiban uses the address that ssh does. k0sctl guesses from the routing table, and can take a container "+
				"bridge for the machine's network.",
			"Set privateAddress on every host."))
	}
	return found
}
