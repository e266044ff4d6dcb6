package lifecycle

import (
	"fmt"
	"slices"
)

// WayBack is what to do about a machine that is not reached.
func WayBack(site Site, state State, host string) string {
	if state.API.NotYet || state.API.Unknown != "" { // node replace asks the API
		return "Bring it back, or take it out of the overlay if it is gone for good."
	}
	if a, is := state.Absence(host); is {
		return fmt.Sprintf("%s. If it is dead: kiban node replace %s %s.", a.way(site.Name, host), site.Name, host)
	}
	if forgotten(site, state, host) {
		return "Bring it back, put another machine in its place, or take it out of the overlay: the cluster has nothing of it."
	}
	return fmt.Sprintf("Bring it back. If it is dead: kiban node replace %s %s takes out what the cluster has of it; then put another "+
		"machine in its place, or take it out of the overlay. (kiban node remove is for one that answers.)", site.Name, host)
}

// ResetByHand is the command with which somebody makes a machine of a role a fresh one.
func ResetByHand(role Role) string {
	service := "k0sworker"
	if role.IsController() {
		service = "k0scontroller"
	}
	return "systemctl stop " + service + " && k0s reset"
}

// forgotten reports whether the cluster has neither a node nor an etcd member of a machine, so that there is nothing to take out. Of an
// etcd that did not say it is not known.
func forgotten(site Site, state State, host string) bool {
	if _, is := state.Node(host); is {
		return false
	}
	if h, _ := site.Cluster.Host(host); !h.Role.IsController() {
		return true
	}
	return state.Etcd.Unknown == "" && !slices.ContainsFunc(state.Etcd.Members, func(m EtcdMember) bool { return m.Name == host })
}
