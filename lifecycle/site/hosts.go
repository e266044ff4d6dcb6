package site

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// sortHosts puts controllers before workers, each in the order of their first mention. kustomize moves every patched item to the
// front, and k0sctl takes the first controller for the leader: without this a patch of one host would change who leads.
func sortHosts(cluster *yaml.Node, order []overlay.Host) {
	hosts := overlay.Field(cluster, "spec", "hosts")
	rank := map[string]int{}
	for i, h := range order {
		rank[h.Name] = i
	}
	key := func(n *yaml.Node) (group, position int) {
		if lifecycle.Role(overlay.Text(overlay.Field(n, "role"))) == lifecycle.RoleWorker {
			group = 1
		}
		position, known := rank[overlay.Text(overlay.Field(n, "hostname"))]
		if !known {
			position = len(order)
		}
		return group, position
	}
	if hosts == nil || hosts.Kind != yaml.SequenceNode {
		return
	}
	slices.SortStableFunc(hosts.Content, func(a, b *yaml.Node) int {
		ga, pa := key(a)
		gb, pb := key(b)
		if ga != gb {
			return ga - gb
		}
		return pa - pb
	})
}
