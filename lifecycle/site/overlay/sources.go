package overlay

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// piece is one document of the tree: a resource, or a patch.
type piece struct {
	file string // absolute
	// offset is added to the node's lines: an inline patch counts from 1 again. A negative one pins every line to -offset,
	// for text that YAML has folded.
	offset int
	node   *yaml.Node
	patch  bool

	Identity
	// selects is the name that a patch's target asks for, a regular expression; "" with targeted is any. Without a target a patch is for
	// the document that it names.
	targeted bool
	selects  string
}

// about reports whether the piece says something of the document of a place.
func (p piece) about(pl Place) bool {
	if p.Kind != pl.Kind {
		return false
	}
	if pl.Name == "" {
		return true
	}
	if p.targeted {
		ok, err := regexp.MatchString("^(?:"+p.selects+")$", pl.Name)
		return p.selects == "" || (err == nil && ok)
	}
	return p.Name == pl.Name && (p.Namespace == pl.Namespace || p.Namespace == "" || pl.Namespace == "")
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
func (s sources) find(pl Place) (file string, line int) {
	for path := pl.Path; ; path = path[:len(path)-1] {
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

// LineOf is the line of a place in a document, or of the nearest thing around it; 0 when nothing of the path is there.
func LineOf(document *yaml.Node, path []string) int {
	for ; len(path) > 0; path = path[:len(path)-1] {
		if n := descend(document, path); n != nil {
			return n.Line
		}
	}
	return 0
}

// descend follows a path to the node that a person would look at: the key of a mapping's entry, the first line of an item.
func descend(n *yaml.Node, path []string) *yaml.Node {
	if len(path) == 0 {
		return nil
	}
	show := n
	for _, seg := range path {
		if key, want, isItem := itemKey(seg); isItem {
			i := slices.IndexFunc(Items(n), func(it *yaml.Node) bool { return strings.EqualFold(Text(Field(it, key)), want) })
			if i < 0 {
				return nil
			}
			n = Resolve(Items(n)[i])
			show = n
			continue
		}
		if number, isItem := strings.CutPrefix(seg, "["); isItem {
			i, err := strconv.Atoi(strings.TrimSuffix(number, "]"))
			if err != nil || i >= len(Items(n)) {
				return nil
			}
			n = Resolve(Items(n)[i])
			show = n
			continue
		}
		k, v := Lookup(n, seg)
		if k == nil {
			return nil
		}
		show, n = k, v
	}
	return show
}

// document says where an object was declared, or "" when no resource of the tree has that name.
func (s sources) document(id Identity) (file string, line int) {
	for _, p := range slices.Backward(s) {
		if !p.patch && p.APIVersion == id.APIVersion && p.Kind == id.Kind && p.Name == id.Name &&
			(p.Namespace == id.Namespace || p.Namespace == "") {
			return p.file, p.line(p.node)
		}
	}
	return "", 0
}
