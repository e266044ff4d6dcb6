package site

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// network is a range of addresses of a cluster, and where it is set.
type network struct {
	name   string
	prefix netip.Prefix
	at     overlay.Place
}

// checkNetworks holds that pod, service and host addresses can be told apart: where they overlap, packets for one go to the other.
func checkNetworks(c clusterDocument) []finding {
	nets, found := networks(c)
	for i, a := range nets {
		for _, b := range nets[i+1:] {
			if a.prefix.Overlaps(b.prefix) {
				found = append(found, wrong(b.at, fmt.Sprintf("%s %s and %s %s overlap", a.name, a.prefix, b.name, b.prefix), "",
					"Choose ranges that do not overlap; they can't be changed once the cluster exists."))
			}
		}
	}
	for _, n := range nets {
		found = append(found, hostsWithin(c, n)...)
	}
	return append(found, checkFamilies(nets)...)
}

// hostsWithin finds machines whose addresses are the cluster's own: one finding a network, for it is one mistake.
func hostsWithin(c clusterDocument, n network) []finding {
	var at overlay.Place
	var names []string
	for _, h := range c.Spec.Hosts {
		for _, addr := range []struct {
			value string
			field []string
		}{{h.address(), []string{"ssh", "address"}}, {h.PrivateAddress, []string{"privateAddress"}}} {
			ip, err := netip.ParseAddr(addr.value)
			if name := h.Hostname + " (" + addr.value + ")"; err == nil && n.prefix.Contains(ip.Unmap()) && !slices.Contains(names, name) {
				if len(names) == 0 {
					at = hostPlace(h.Hostname, addr.field...)
				}
				names = append(names, name)
			}
		}
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		names[0] = "host " + names[0] + " lies"
	default:
		names[0] = lifecycle.Few(names) + " lie"
	}
	return []finding{wrong(at, fmt.Sprintf("%s within the %s %s", names[0], n.name, n.prefix),
		"The cluster would route a machine's own address to pods or services.",
		"Choose another range for the "+n.name+", or another address.")}
}

// checkFamilies holds that pods and services have addresses of one family, and of both where both are declared, as k0s does.
func checkFamilies(nets []network) []finding {
	var found []finding
	first := map[bool]network{}
	for _, n := range nets {
		six := n.prefix.Addr().Is6()
		switch second := strings.HasPrefix(n.name, "IPv6"); {
		case second && !six:
			found = append(found, wrong(n.at, fmt.Sprintf("the %s %s is of IPv4", n.name, n.prefix), "k0s refuses it.", "Write it like fd00::/108."))
		case len(nets) > 2 && !second && six:
			found = append(found, wrong(n.at, fmt.Sprintf("the %s %s is of IPv6", n.name, n.prefix),
				"With dualStack the first family is IPv4: k0s refuses it.", "Write an IPv4 range here, and this one into dualStack."))
		case len(first) > 0 && !second && first[six].name == "":
			found = append(found, wrong(n.at, fmt.Sprintf("%s and %s are of two families", first[!six].name, n.name), "k0s refuses it.",
				"Declare both as IPv4, and the IPv6 ranges in dualStack."))
		}
		if six && strings.Contains(n.name, "service") && n.prefix.Bits() < 108 {
			found = append(found, wrong(n.at, fmt.Sprintf("the %s %s is too large", n.name, n.prefix),
				"An API server takes twenty bits of addresses at most.", "Use a prefix of /108 or longer."))
		}
		first[six] = n
	}
	return found
}

// networks are the declared ranges, with k0s's defaults where nothing is declared.
func networks(c clusterDocument) ([]network, []finding) {
	n := c.Spec.K0s.Config.Spec.Network
	ranges := []struct{ name, field, value string }{
		{"pod network", "podCIDR", cmp.Or(n.PodCIDR, defaultPodCIDR)},
		{"service network", "serviceCIDR", cmp.Or(n.ServiceCIDR, defaultServiceCIDR)},
	}
	if n.DualStack.Enabled {
		ranges = append(ranges, struct{ name, field, value string }{"IPv6 pod network", "IPv6podCIDR", n.DualStack.IPv6PodCIDR},
			struct{ name, field, value string }{"IPv6 service network", "IPv6serviceCIDR", n.DualStack.IPv6ServiceCIDR})
	}
	var nets []network
	var found []finding
	for _, r := range ranges {
		path := []string{"spec", "k0s", "config", "spec", "network", r.field}
		if len(r.field) > 4 && r.field[:4] == "IPv6" {
			path = []string{"spec", "k0s", "config", "spec", "network", "dualStack", r.field}
		}
		p, err := netip.ParsePrefix(r.value)
		if err != nil {
			found = append(found, wrong(clusterPlace(path...), fmt.Sprintf("the %s %q is no address range", r.name, r.value), "",
				"Write it like 10.244.0.0/16."))
			continue
		}
		nets = append(nets, network{r.name, p.Masked(), clusterPlace(path...)})
	}
	return nets, found
}
