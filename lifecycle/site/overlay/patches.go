package overlay

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// patches reads every patch of a kustomization, in the order in which kustomize applies the three fields.
func (k *kustomization) patches(reach *scope) {
	for _, e := range Items(Field(k.node, "patchesStrategicMerge")) {
		if ref := Text(e); strings.Contains(ref, "\n") {
			k.inline(e, nil, reach)
		} else {
			k.patchFile(e, nil, reach)
		}
	}
	for _, field := range []string{"patches", "patchesJson6902"} {
		for _, e := range Items(Field(k.node, field)) {
			e = Resolve(e)
			_, path := Lookup(e, "path")
			_, patch := Lookup(e, "patch")
			target := Field(e, "target")
			switch {
			case Text(path) != "":
				k.patchFile(path, target, reach)
			case Text(patch) != "":
				k.inline(patch, target, reach)
			default:
				k.tree.fail(k.file, e.Line, "a patch without content", "", "Give it `path:` or `patch:`.")
			}
		}
	}
}

func (k *kustomization) patchFile(entry, target *yaml.Node, reach *scope) {
	t, ref := k.tree, Text(entry)
	if k.goesOut(entry, ref) {
		return
	}
	path := filepath.Join(k.dir, ref)
	to, err := t.locate(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.missing(k.file, entry.Line, fmt.Sprintf("patch %s does not exist", ref), "It is looked for at "+t.Rel(path)+".", k.suggest(ref))
		return
	}
	if err != nil || !isBelow(k.dir, to) {
		t.missing(k.file, entry.Line, fmt.Sprintf("patch %s is outside the kustomization's folder", ref),
			"kustomize reads files only in or below the folder of the kustomization that names them.",
			"Make it a component (kind: Component) in a folder of its own and list that under components.")
		return
	}
	if docs, ok := t.read(path); ok {
		k.patch(path, 0, entry, docs, target, reach)
	}
}

// inline reads a patch that stands in the kustomization itself. The lines of a literal block follow its "|"; of any other
// scalar only the first line is known.
func (k *kustomization) inline(entry, target *yaml.Node, reach *scope) {
	offset := -entry.Line
	if entry.Style&yaml.LiteralStyle != 0 {
		offset = entry.Line
	}
	if docs, ok := k.tree.parse(k.file, offset, []byte(entry.Value)); ok {
		k.patch(k.file, offset, entry, docs, target, reach)
	}
}

// patch records the documents of one patch.
func (k *kustomization) patch(file string, offset int, entry *yaml.Node, docs []*yaml.Node, target *yaml.Node, reach *scope) {
	k.checkTarget(entry, target, reach)
	for _, d := range docs {
		if d.Kind == yaml.SequenceNode {
			for _, op := range d.Content {
				if node := opDocument(Resolve(op)); node != nil {
					p := piece{file: file, offset: offset, node: node, patch: true, Identity: Identity{Kind: targetKind(target)}, targeted: true,
						selects: Text(Field(target, "name"))}
					k.tree.sources = append(k.tree.sources, p)
				}
			}
			continue
		}
		p := newPiece(file, offset, d, true)
		if kind := targetKind(target); kind != "" {
			p.Kind = kind // with a target, the patch's own kind and name are not looked at
			p.targeted, p.selects = true, Text(Field(target, "name"))
		}
		k.tree.sources = append(k.tree.sources, p)
	}
}

// targetKind is the kind that a target selects, "" when it does not say.
func targetKind(target *yaml.Node) string {
	kind, group := Text(Field(target, "kind")), Text(Field(target, "group"))
	if group == "" || kind == "" {
		return kind
	}
	return OwnKind(group+"/", kind)
}

// checkTarget refuses a target that selects nothing: kustomize then leaves the patch out and says nothing.
func (k *kustomization) checkTarget(entry, target *yaml.Node, reach *scope) {
	kind := targetKind(target)
	if k.tree.partial || !slices.Contains([]string{KindCluster, KindSite, KindAddon, KindTenant}, kind) {
		return
	}
	var names []string
	for _, p := range reach.pieces {
		if p.Kind == kind && !p.patch {
			names = append(names, p.Name)
		}
	}
	name := Text(Field(target, "name"))
	if name == "" && len(names) > 0 {
		return
	}
	pattern, err := regexp.Compile("^(?:" + name + ")$") // kustomize anchors names the same way
	if err == nil && name != "" && slices.ContainsFunc(names, pattern.MatchString) {
		return
	}
	line, _ := Lookup(target, "kind")
	detail := fmt.Sprintf("No %s is among the resources here.", kind)
	if len(names) > 0 {
		if k.renames(kind, name, entry) {
			return
		}
		line, _ = Lookup(target, "name")
		detail = fmt.Sprintf("The %s documents here are: %s.", kind, strings.Join(names, ", "))
	}
	k.tree.fail(k.file, line.Line, "the patch's target selects nothing", detail+" kustomize leaves such a patch out in silence.",
		"Correct the target, or remove the patch.")
}

// renames reports whether a patch before entry may have given a document of that kind that name.
func (k *kustomization) renames(kind, name string, entry *yaml.Node) bool {
	return slices.ContainsFunc(k.tree.sources, func(p piece) bool {
		return p.patch && p.Kind == kind && p.Name == name && (p.file != k.file || p.offset < entry.Line)
	})
}

// opDocument turns an operation of a JSON patch into the document that a merge patch would be, so that lines can be looked up in
// it. Where it addresses a list item by its number, only the list is known. Nil when it is no operation.
func opDocument(op *yaml.Node) *yaml.Node {
	path, value := Text(Field(op, "path")), Field(op, "value")
	if Text(Field(op, "op")) == "test" || !strings.HasPrefix(path, "/") {
		return nil
	}
	if value == nil {
		value = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: op.Line}
	}
	segments := strings.Split(path[1:], "/")
	if i := slices.IndexFunc(segments, isNumber); i >= 0 {
		segments, value = segments[:i], &yaml.Node{Kind: yaml.MappingNode, Line: op.Line}
	}
	node := value
	for _, seg := range slices.Backward(segments) {
		if seg == "-" {
			node = &yaml.Node{Kind: yaml.SequenceNode, Line: op.Line, Content: []*yaml.Node{node}}
			continue
		}
		seg = strings.NewReplacer("~1", "/", "~0", "~").Replace(seg)
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: seg, Line: op.Line}
		node = &yaml.Node{Kind: yaml.MappingNode, Line: op.Line, Content: []*yaml.Node{key, node}}
	}
	return node
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}
