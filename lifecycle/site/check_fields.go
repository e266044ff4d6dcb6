package site

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

// noField is the finding about a name that no field has there. at ends with the name; in says where that is, "" for the document itself.
func noField(at overlay.Place, in string, known []string) finding {
	name := at.Path[len(at.Path)-1]
	if in == "" {
		in = overlay.WithArticle(at.Kind)
	}
	hint := "The fields here are: " + strings.Join(known, ", ") + "."
	if near := overlay.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("Did you mean %q?", near)
	}
	f := wrong(at, fmt.Sprintf("%s has no field %q", in, name), "", hint)
	f.unread = true
	return f
}

// checkFields finds names in a Cluster document that k0sctl does not know. What was meant by one is missing to all who read on: without
// this, only what follows from a misspelt name would be told.
func checkFields(doc *yaml.Node, fields func(path []string) []string) []finding {
	var found []finding
	var walk func(n *yaml.Node, path []string)
	walk = func(n *yaml.Node, path []string) {
		n = overlay.Resolve(n)
		switch {
		case n == nil:
		case n.Kind == yaml.SequenceNode:
			for i, item := range n.Content {
				step := overlay.Index(i)
				if name := overlay.Text(overlay.Field(item, "hostname")); name != "" {
					step = "[hostname=" + name + "]"
				}
				walk(item, append(path[:len(path):len(path)], step))
			}
		case n.Kind == yaml.MappingNode:
			known := fields(path)
			for i := 0; len(known) > 0 && i+1 < len(n.Content); i += 2 {
				name := n.Content[i].Value
				below := append(path[:len(path):len(path)], name)
				switch {
				case n.Content[i].Tag == "!!merge":
					walk(n.Content[i+1], path)
				case !slices.Contains(known, name):
					found = append(found, noField(clusterPlace(below...), overlay.Dotted(path), known))
				default:
					walk(n.Content[i+1], below)
				}
			}
		}
	}
	walk(doc, nil)
	return found
}
