package overlay

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readNamed reads what a kustomization names beside resources, components and patches: sources of generators, definitions, configurations,
// replacements and transformers. kustomize sees no other file.
func (k *kustomization) readNamed() {
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		for _, generator := range Items(Field(k.node, field)) {
			for _, e := range below(generator, "files") {
				ref := Text(e)
				if _, path, named := strings.Cut(ref, "="); named {
					ref = path
				}
				k.named(e, ref, false)
			}
			for _, e := range append(below(generator, "envs"), below(generator, "env")...) {
				k.named(e, Text(e), false)
			}
		}
	}
	for _, field := range []string{"crds", "configurations"} {
		for _, e := range Items(Field(k.node, field)) {
			k.named(e, Text(e), true)
		}
	}
	for _, r := range Items(Field(k.node, "replacements")) {
		for _, e := range below(r, "path") {
			k.named(e, Text(e), true)
		}
	}
	for _, e := range Items(Field(k.node, "transformers")) {
		k.transformer(e)
	}
}

// below are the values of a key of a mapping, the items of lists one by one. kustomize takes keys in any case, and merges.
func below(n *yaml.Node, key string) []*yaml.Node {
	var out []*yaml.Node
	n = Resolve(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := Resolve(n.Content[i+1])
		switch name := n.Content[i].Value; {
		case strings.EqualFold(name, key) && value.Kind == yaml.SequenceNode:
			for _, item := range value.Content {
				out = append(out, Resolve(item))
			}
		case strings.EqualFold(name, key):
			out = append(out, value)
		case name == "<<" && value.Kind == yaml.SequenceNode:
			for _, item := range value.Content {
				out = append(out, below(item, key)...)
			}
		case name == "<<":
			out = append(out, below(value, key)...)
		}
	}
	return out
}

// named reads a file that an entry names. documents says that kustomize will parse it.
func (k *kustomization) named(entry *yaml.Node, ref string, documents bool) {
	t := k.tree
	if ref == "" || k.goesOut(entry, ref) {
		return
	}
	path := filepath.Join(k.dir, ref)
	to, err := t.locate(path)
	switch {
	case err != nil && !LeadsOut(err):
		t.missing(k.file, entry.Line, fmt.Sprintf("%s does not exist", ref), "It is looked for at "+t.Rel(path)+".", k.suggest(ref))
		return
	case err != nil || !isBelow(k.dir, to):
		t.missing(k.file, entry.Line, fmt.Sprintf("%s is outside the kustomization's folder", ref),
			"kustomize reads files only in or below the folder of the kustomization that names them.", "Copy it there.")
		return
	}
	if documents {
		t.read(path)
		return
	}
	if _, err := t.load(path); err != nil {
		t.missing(k.file, entry.Line, fmt.Sprintf("%s can't be read", ref), err.Error(), "Name a plain file.")
	}
}

// goesOut refuses what kustomize would fetch.
func (k *kustomization) goesOut(entry *yaml.Node, ref string) bool {
	if !fetched(ref) {
		return false
	}
	k.tree.missing(k.file, entry.Line, fmt.Sprintf("%s is fetched over the network", ref),
		"A build must give the same result for the same commit; what a remote resource holds is not in the commit.",
		"Copy it into the repository.")
	return true
}

// transformer reads one entry of transformers: a configuration that stands there, a file of them, or a folder.
func (k *kustomization) transformer(entry *yaml.Node) {
	t, ref := k.tree, Text(entry)
	if docs, err := ParseYAML([]byte(ref)); err == nil && len(docs) > 0 && docs[0].Kind == yaml.MappingNode {
		if docs, ok := t.parse(k.file, -entry.Line, []byte(ref)); ok {
			k.transforms(entry, docs)
		}
		return
	}
	if ref == "" || k.goesOut(entry, ref) {
		return
	}
	to, err := t.locate(filepath.Join(k.dir, ref))
	if err != nil {
		k.named(entry, ref, true)
		return
	}
	if name, err := KustomizationFile(to); name != "" || err != nil {
		inner := &scope{}
		if slices.Contains(k.stack, to) {
			t.missing(k.file, entry.Line, "kustomizations include each other in a circle", ref+" leads back here.", "Break the circle.")
			return
		}
		t.folder(to, inner, k.stack)
		for _, p := range inner.pieces {
			k.transforms(entry, []*yaml.Node{p.node})
		}
		return
	}
	if k.named(entry, ref, true); t.in.files[to] != nil {
		if docs, err := ParseYAML(t.in.files[to]); err == nil {
			k.transforms(entry, docs)
		}
	}
}

// transforms reads the files that configurations of transformers name.
func (k *kustomization) transforms(entry *yaml.Node, docs []*yaml.Node) {
	for _, d := range docs {
		for _, key := range []string{"path", "paths", "targetFilePath"} {
			for _, e := range below(d, key) {
				if ref := Text(e); strings.Contains(ref, "\n") {
					k.tree.parse(k.file, -entry.Line, []byte(ref))
				} else {
					k.named(entry, ref, true)
				}
			}
		}
		for _, r := range below(d, "replacements") {
			for _, e := range below(r, "path") {
				k.named(entry, Text(e), true)
			}
		}
	}
}

// isBelow reports whether a file lies in or below a folder, by their names alone.
func isBelow(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}

// checkTags refuses values that YAML writes in another form than text: kustomize decodes them, and then they name something else.
func (k *kustomization) checkTags(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!binary" || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		k.tree.missing(k.file, n.Line, fmt.Sprintf("the tag %s does not belong into a kustomization", n.Tag),
			"kustomize would read another value than the one that stands here.", "Write the value as text.")
	}
	for _, c := range n.Content {
		k.checkTags(c)
	}
}
