package overlay

import (
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// maxLines bounds how many fields of one document are noted.
const maxLines = 100_000

// Lines says where each field below a document's spec stands: the last word on it, as kustomize applies resources and patches.
func (t *Tree) Lines(kind, name string) lifecycle.Lines {
	return t.linesBelow(Place{Kind: kind, Name: name, Path: []string{"spec"}}, "spec")
}

// ConfigLines says where each field of k0s's configuration stands, by its path in that.
func (t *Tree) ConfigLines() lifecycle.Lines {
	return t.linesBelow(Place{Kind: KindCluster, Path: []string{"spec", "k0s", "config", "spec"}}, "spec")
}

// linesBelow are those below a place, which is called so in them.
func (t *Tree) linesBelow(at Place, called string) lifecycle.Lines {
	out := lifecycle.Lines{}
	for _, p := range t.sources {
		if p.about(at) {
			r := recorder{tree: t, piece: p, into: out, budget: maxLines}
			r.record(called, Field(p.node, at.Path...), false)
		}
	}
	return out
}

// mergedByName is the one list of an addon that patches do not replace: they merge its items by their names.
const mergedByName = "spec.secrets"

// recorder notes the lines of one piece.
type recorder struct {
	tree   *Tree
	piece  piece
	into   lifecycle.Lines
	budget int
}

// record notes what is below a path; again says that an earlier piece has it, too. What is behind an alias stands somewhere else, and
// stays there.
func (r *recorder) record(path string, n *yaml.Node, again bool) {
	if r.budget--; n == nil || r.budget < 0 {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			below := lifecycle.FieldKey(path, n.Content[i].Value)
			_, again := r.into[below]
			r.into[below] = r.tree.Subject(r.piece.file, r.piece.line(n.Content[i]))
			r.record(below, n.Content[i+1], again)
		}
	case yaml.SequenceNode:
		byName := path == mergedByName
		if again && !byName {
			maps.DeleteFunc(r.into, func(field, _ string) bool { return strings.HasPrefix(field, path+"[") })
		}
		for i, item := range n.Content {
			below := path + Index(i)
			if name := Text(Field(item, "name")); byName && name != "" {
				below = path + "[name=" + name + "]"
			}
			_, again := r.into[below]
			r.into[below] = r.tree.Subject(r.piece.file, r.piece.line(item))
			r.record(below, item, again)
		}
	}
}
