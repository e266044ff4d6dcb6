package site

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkControlPlane warns of control planes that survive less than they seem to.
func checkControlPlane(c clusterDocument) []finding {
	all := c.controllers()
	if len(all) == 0 {
		return []finding{wrong(clusterPlace("spec", "hosts"), "no host is a controller", "", "Give at least one host `role: controller`.")}
	}
	stay := len(all) - len(resets(all))
	if c.storage() != "etcd" || stay == 0 || stay%2 == 1 {
		return nil
	}
	return []finding{doubtful(clusterPlace("spec", "hosts"), fmt.Sprintf("%d controllers", stay),
		fmt.Sprintf("etcd needs a majority: with %d controllers it survives the loss of %d, as with %d.", stay, stay/2-1, stay-1),
		"Use 1, 3 or 5 controllers.")}
}

// checkLoadBalancing holds that workers have a way to every controller, and only one.
func checkLoadBalancing(c clusterDocument) []finding {
	net, external := c.Spec.K0s.Config.Spec.Network, c.Spec.K0s.Config.Spec.API.ExternalAddress
	config := func(keys ...string) overlay.Place {
		return clusterPlace(append([]string{"spec", "k0s", "config", "spec"}, keys...)...)
	}
	var found []finding
	if net.NodeLocal.Enabled && external != "" {
		found = append(found, wrong(config("api", "externalAddress"), "externalAddress and node-local load balancing exclude each other",
			"k0s refuses to start with both: workers reach the API either through the external address or through a balancer on each node.",
			"Disable spec.network.nodeLocalLoadBalancing, or remove spec.api.externalAddress."))
	}
	if len(c.controllers()) > 1 && !net.NodeLocal.Enabled && !net.ControlPlane.Enabled && external == "" {
		found = append(found, doubtful(clusterPlace("spec", "k0s", "config"), "several controllers, and no load balancing",
			"Workers then depend on the one controller that they joined through.",
			"Enable spec.network.nodeLocalLoadBalancing or controlPlaneLoadBalancing, or set spec.api.externalAddress."))
	}
	return found
}

// checkReset holds that a removal can't cost the cluster its quorum (H7).
func checkReset(c clusterDocument) []finding {
	all := c.controllers()
	gone := resets(all)
	switch {
	case len(gone) == 0:
		return nil
	case len(gone) == len(all):
		return []finding{wrong(hostPlace(gone[0], "reset"), "every controller is to be reset",
			"That is the end of the cluster, not a change of it.", "Keep at least one controller.")}
	case len(gone) > 1:
		return []finding{wrong(hostPlace(gone[1], "reset"), fmt.Sprintf("%d controllers are to be reset at once", len(gone)),
			fmt.Sprintf("%s would leave etcd in one run; of %d members %d must stay.", strings.Join(gone, " and "), len(all), len(all)/2+1),
			"Remove one controller, apply, then the next.")}
	}
	return nil
}

func resets(hs []hostDocument) []string {
	var names []string
	for _, h := range hs {
		if h.Reset {
			names = append(names, h.Hostname)
		}
	}
	return names
}
