package scaffold

import (
	"path"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// MadeUp reports whether a site's machines are all those of Example still, under whatever name it had then. No machine has their
// addresses.
func MadeUp(site lifecycle.Site) bool {
	hosts := site.Cluster.Hosts
	if len(hosts) == 0 {
		return false
	}
	name, example := strings.CutSuffix(hosts[0].Name, "-controller-1")
	machines := Example(name).Machines
	if !example || len(hosts) != len(machines) {
		return false
	}
	for i, h := range hosts {
		if (Machine{Name: h.Name, Address: h.Address, Role: h.Role}) != machines[i] {
			return false
		}
	}
	return true
}

// ToFillIn is the finding that a site's machines are made up.
func ToFillIn(site string) lifecycle.Diagnostic {
	return lifecycle.Warnf(site, "the machines of %s are made up, and still to be filled in", site).
		Because("kiban init wrote them as an example: no machine has their addresses, which are for documentation (192.0.2.0/24).",
			"Nobody was asked.").
		Try("Put yours into " + path.Join("overlays", site, "cluster.yaml") + ", then: kiban hosts trust " + site)
}
