package scaffold

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

const k0sAPI = "k0s.k0sproject.io/v1beta1"

// sortDocuments finds the cluster among the documents of a file, in whatever order they stand, and merges k0s's own configuration into
// it as k0sctl does: what the cluster says itself wins, and a null says nothing. Anything else is not the cluster's.
func (c *Cluster) sortDocuments(docs []*yaml.Node) (cluster *yaml.Node, ds lifecycle.Diagnostics) {
	var configs []*yaml.Node
	for _, d := range docs {
		top := d.Content[0]
		api, kind := text(get(top, "apiVersion")), text(get(top, "kind"))
		switch {
		case strings.EqualFold(api, k0sctlAPI) && strings.EqualFold(kind, "Cluster"):
			if cluster != nil {
				ds = append(ds, c.problem(top.Line, "a second cluster", "k0sctl takes files of one cluster only.",
					"Put it into a file of its own, and import that as another site."))
			}
			cluster = d
		case strings.EqualFold(api, k0sAPI) && strings.EqualFold(kind, "ClusterConfig"):
			configs = append(configs, top)
		case strings.EqualFold(kind, "Cluster") && strings.HasPrefix(api, "k0sctl.k0sproject.io/"):
			ds = append(ds, c.problem(top.Line, "the document is a cluster of "+api, "k0sctl v0.32 takes "+k0sctlAPI+".",
				"Write `apiVersion: "+k0sctlAPI+"`, and look whether its fields are still called so."))
		case strings.EqualFold(api, k0sAPI):
			ds = append(ds, c.problem(top.Line, fmt.Sprintf("k0s has no %s", kind), "", "Did you mean ClusterConfig?"))
		case api == "" || kind == "":
			ds = append(ds, c.problem(top.Line, "a document without apiVersion or kind", "k0sctl refuses it as well.", "Remove it, or complete it."))
		default:
			ds = append(ds, c.problem(top.Line, fmt.Sprintf("a %s is no part of a cluster", kind),
				"k0sctl would write it to the controllers as a manifest; of several in a file it keeps the last one of a name (H17).",
				"Take it out of this file, import the rest, and put it into the site's overlay as a resource: "+
					"kiban applies it, and removes it when it leaves."))
		}
	}
	if cluster == nil {
		return nil, append(ds, c.problem(1, "this is not a k0sctl cluster document",
			"One of its documents must have `apiVersion: "+k0sctlAPI+"` and `kind: Cluster`.",
			"Name the file that `k0sctl apply --config` takes."))
	}
	if len(ds) > 0 || len(configs) == 0 {
		return cluster, ds
	}
	if cluster.Content[0].Kind != yaml.MappingNode {
		return cluster, ds
	}
	into := mapping(mapping(mapping(cluster.Content[0], "spec"), "k0s"), "config")
	for _, config := range configs {
		ds = append(ds, c.mergeConfig(into, config, "")...)
	}
	return cluster, ds
}

// mergeConfig puts what another document says into the cluster's k0s configuration where that says nothing. What it says otherwise has no
// effect, which k0sctl does not tell.
func (c *Cluster) mergeConfig(into, from *yaml.Node, path string) (ds lifecycle.Diagnostics) {
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, value := from.Content[i], from.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		here := position(into, key.Value)
		switch {
		case value.Tag == "!!null":
		case here < 0:
			into.Content = append(into.Content, key, value)
			into.Style &^= yaml.FlowStyle
		case value.Kind == yaml.MappingNode && into.Content[here+1].Kind == yaml.MappingNode:
			ds = append(ds, c.mergeConfig(into.Content[here+1], value, at)...)
		case value.Kind != yaml.ScalarNode || text(value) != text(into.Content[here+1]):
			ds = append(ds, lifecycle.Warnf(c.at(value.Line), "%s has no effect here", at).
				Because(fmt.Sprintf("The cluster says it, too, in line %d, and k0sctl lets that win.", into.Content[here+1].Line)).
				Try("Keep one of the two."))
		}
	}
	return ds
}
