package promotion

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// unhealthy says why the site is not well enough for its versions to count as healthy; "" when it is. What `kiban status` calls an error of
// machines, control plane, nodes and addons is such a reason, and so is whatever is not known. That the site differs from what is declared
// is none, nor that an operator keeps a node closed, nor how tenants' own workloads are.
func unhealthy(site lifecycle.Site, state lifecycle.State) string {
	if d, other := site.OtherCluster(state.API.ClusterUID, state.API.Site); other {
		return d.Summary
	}
	found := machines(site, state)
	switch {
	case state.API.NotYet:
		if _, lost := lifecycle.Lost(site, state); lost {
			return "its control plane is lost"
		}
		return "there is no cluster yet"
	case state.API.Unknown != "":
		found = append(found, "the Kubernetes API did not answer: "+firstLine(state.API.Unknown))
	default:
		found = slices.Concat(found, controlPlane(site, state), nodes(site, state), addons(state))
	}
	return few(found)
}

func machines(site lifecycle.Site, state lifecycle.State) []string {
	var found, levels []string
	for _, h := range site.Cluster.Hosts {
		hs, told := state.Host(h.Name)
		if h.Reset {
			continue // it leaves
		}
		switch {
		case !told || !hs.Reached():
			found = append(found, join(h.Name+" is not known", hs.Why))
			continue
		case !hs.Installed():
			found = append(found, "k0s is not set up on "+h.Name)
			continue
		case hs.Service != lifecycle.ServiceRunning:
			found = append(found, fmt.Sprintf("%s on %s is %s", hs.ServiceName, h.Name, hs.Service))
		case hs.Running.IsZero():
			found = append(found, "`k0s status` on "+h.Name+" does not answer")
		}
		if v := hs.Level().String(); v != "" && !slices.Contains(levels, v) {
			levels = append(levels, v)
		}
	}
	if len(levels) > 1 {
		found = append(found, "its machines run different versions of k0s: "+strings.Join(levels, ", "))
	}
	return found
}

func controlPlane(site lifecycle.Site, state lifecycle.State) []string {
	var found []string
	for _, s := range state.API.Servers {
		if !s.Ready {
			found = append(found, join("the API server of "+s.Host+" is not ready", s.Why))
		}
	}
	leaving := 0
	for _, h := range site.Cluster.Hosts {
		if h.Reset && h.Role.IsController() {
			leaving++
		}
	}
	switch n, want := len(state.Etcd.Members), len(site.Cluster.Controllers()); {
	case state.Etcd.Unknown != "":
		found = append(found, join("etcd's members are not known", state.Etcd.Unknown))
	case n > 0 && want > 0 && (n < want || n > want+leaving):
		found = append(found, fmt.Sprintf("etcd has %d of %d members", n, want))
	}
	return found
}

func nodes(site lifecycle.Site, state lifecycle.State) []string {
	var found []string
	for _, n := range state.Nodes {
		if !n.Ready {
			found = append(found, join("node "+n.Name+" is not Ready", n.Why))
		}
	}
	for _, h := range site.Cluster.Hosts {
		hs, _ := state.Host(h.Name)
		if h.Reset || !h.Role.RunsWorkloads() || !hs.Reached() || !hs.Installed() {
			continue
		}
		n, there := state.Node(h.Name)
		switch {
		case !there:
			found = append(found, "the cluster has no node "+h.Name)
		case n.Ready && !hs.Running.IsZero() && n.Kubelet != hs.Running.Kubelet():
			found = append(found, fmt.Sprintf("node %s says that it runs %s, and the machine runs %s", n.Name, n.Kubelet, hs.Running))
		}
	}
	return found
}

func addons(state lifecycle.State) []string {
	var found []string
	for _, u := range state.Units {
		name := "addon " + strings.TrimPrefix(u.Name, lifecycle.UnitAddon)
		switch {
		case !strings.HasPrefix(u.Name, lifecycle.UnitAddon):
		case u.Unknown != "":
			found = append(found, join(name+" is not known", u.Unknown))
		case !u.Installed || !u.Declared:
		case u.Release.Pending():
			found = append(found, "the run that applies "+name+" has not come to its end")
		case u.Release.Status == "failed":
			found = append(found, "the release of "+name+" failed")
		case !u.Health.IsWell():
			found = append(found, join(name+" is not healthy", u.Health.Why))
		}
	}
	return found
}

// few is the first reasons in one line, each of a length that a cluster can keep and people read.
func few(found []string) string {
	const most, long = 3, 200
	found = slices.Clone(found)
	for i, f := range found {
		if r := []rune(f); len(r) > long {
			found[i] = string(r[:long]) + "…"
		}
	}
	if n := len(found) - most; n > 0 {
		found = append(found[:most], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(found, "; ")
}

func join(what, why string) string {
	if why = firstLine(why); why == "" {
		return what
	}
	return what + ": " + why
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
