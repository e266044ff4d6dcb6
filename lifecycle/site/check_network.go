package site

import (
	"cmp"
	"fmt"
	"net/netip"

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
	for _, h := range c.Spec.Hosts {
		for _, addr := range []struct {
			value string
			field []string
		}{{h.address(), []string{"ssh", "address"}}, {h.PrivateAddress, []string{"privateAddress"}}} {
			ip, err := netip.ParseAddr(addr.value)
			if err != nil {
				continue
			}
			for _, n := range nets {
				if n.prefix.Contains(ip.Unmap()) {
					found = append(found, wrong(hostPlace(h.Hostname, addr.field...),
						fmt.Sprintf("host %s (%s) lies within the %s %s", h.Hostname, ip, n.name, n.prefix),
						"The cluster would route the machine's own address to pods or services.",
						"Choose another range for the "+n.name+", or another address."))
				}
			}
		}
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
