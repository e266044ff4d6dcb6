package site

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// place is where in the merged documents something stands: a document and the keys down to it. A list item is named by what it is
// merged by: "[hostname=worker-3]".
type place struct {
	kind string
	// name is the document's; empty for a kind that a site has one of. namespace is that of an object.
	name, namespace string
	path            []string
	// subject is the place itself, "file:line", where it is not in the documents or nothing of them is found.
	subject string
}

func hostPlace(name string, path ...string) place {
	return clusterPlace(append([]string{"spec", "hosts", "[hostname=" + name + "]"}, path...)...)
}

func clusterPlace(path ...string) place { return place{kind: kindCluster, path: path} }

func sitePlace(path ...string) place { return place{kind: kindSite, path: path} }

func addonPlace(name string, path ...string) place {
	return place{kind: kindAddon, name: name, path: path}
}

func tenantPlace(name string, path ...string) place {
	return place{kind: kindTenant, name: name, path: path}
}

func objectPlace(d lifecycle.Document, path ...string) place {
	return place{kind: ownKind(d.APIVersion, d.Kind), name: d.Name, namespace: d.Namespace, path: path, subject: d.Source}
}

// piece is one document of the tree: a resource, or a patch.
type piece struct {
	file string // absolute
	// offset is added to the node's lines: an inline patch counts from 1 again. A negative one pins every line to -offset,
	// for text that YAML has folded.
	offset int
	node   *yaml.Node
	patch  bool

	apiVersion, kind, namespace, name string
	// selects is the name that a patch's target asks for, a regular expression; "" with targeted is any. Without a target a patch is for
	// the document that it names.
	targeted bool
	selects  string
}

// about reports whether the piece says something of the document of a place.
func (p piece) about(pl place) bool {
	if p.kind != pl.kind {
		return false
	}
	if pl.name == "" {
		return true
	}
	if p.targeted {
		ok, err := regexp.MatchString("^(?:"+p.selects+")$", pl.name)
		return p.selects == "" || (err == nil && ok)
	}
	return p.name == pl.name && (p.namespace == pl.namespace || p.namespace == "" || pl.namespace == "")
}

func (p piece) line(n *yaml.Node) int {
	if p.offset < 0 {
		return -p.offset
	}
	return n.Line + p.offset
}

// sources are the pieces in the order kustomize applies them.
type sources []piece

// find says which file and line has the last word on a place, or on the nearest thing around it.
func (s sources) find(pl place) (file string, line int) {
	for path := pl.path; ; path = path[:len(path)-1] {
		for _, p := range slices.Backward(s) {
			if !p.about(pl) {
				continue
			}
			if n := descend(p.node, path); n != nil {
				return p.file, p.line(n)
			}
			if len(path) == 0 && !p.patch {
				return p.file, p.line(p.node)
			}
		}
		if len(path) == 0 {
			return "", 0
		}
	}
}

// index names an item of a list that is not merged by a key.
func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// dotted prints a path for people.
func dotted(path []string) string { return strings.ReplaceAll(strings.Join(path, "."), ".[", "[") }

// itemKey reads "[hostname=worker-3]".
func itemKey(segment string) (key, value string, ok bool) {
	inner, ok := strings.CutPrefix(segment, "[")
	if !ok {
		return "", "", false
	}
	return strings.Cut(strings.TrimSuffix(inner, "]"), "=")
}

// descend follows a path to the node that a person would look at: the key of a mapping's entry, the first line of an item.
func descend(n *yaml.Node, path []string) *yaml.Node {
	if len(path) == 0 {
		return nil
	}
	show := n
	for _, seg := range path {
		if key, want, isItem := itemKey(seg); isItem {
			i := slices.IndexFunc(items(n), func(it *yaml.Node) bool { return strings.EqualFold(text(at(it, key)), want) })
			if i < 0 {
				return nil
			}
			n = resolve(items(n)[i])
			show = n
			continue
		}
		if number, isItem := strings.CutPrefix(seg, "["); isItem {
			i, err := strconv.Atoi(strings.TrimSuffix(number, "]"))
			if err != nil || i >= len(items(n)) {
				return nil
			}
			n = resolve(items(n)[i])
			show = n
			continue
		}
		k, v := lookup(n, seg)
		if k == nil {
			return nil
		}
		show, n = k, v
	}
	return show
}

// document says where an object was declared, or "" when no resource of the tree has that name.
func (s sources) document(apiVersion, kind, namespace, name string) (file string, line int) {
	for _, p := range slices.Backward(s) {
		if !p.patch && p.apiVersion == apiVersion && p.kind == kind && p.name == name && (p.namespace == namespace || p.namespace == "") {
			return p.file, p.line(p.node)
		}
	}
	return "", 0
}
