package overlay

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Place is where in the merged documents something stands: a document and the keys down to it. A list item is named by what it is
// merged by: "[hostname=worker-3]".
type Place struct {
	Kind string
	// Name is the document's; empty for a kind that a site has one of. Namespace is that of an object.
	Name, Namespace string
	Path            []string
	// Subject is the place itself, "file:line", where it is not in the documents or nothing of them is found.
	Subject string
}

// Where names the file and line of a place.
func (t *Tree) Where(at Place) string {
	file, line := "", 0
	if at.Kind != "" {
		file, line = t.sources.find(at)
	}
	if file == "" && at.Subject != "" {
		return at.Subject
	}
	return t.Subject(file, line)
}

// Index names an item of a list that is not merged by a key.
func Index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// Dotted prints a path for people.
func Dotted(path []string) string { return strings.ReplaceAll(strings.Join(path, "."), ".[", "[") }

// itemKey reads "[hostname=worker-3]".
func itemKey(segment string) (key, value string, ok bool) {
	inner, ok := strings.CutPrefix(segment, "[")
	if !ok {
		return "", "", false
	}
	return strings.Cut(strings.TrimSuffix(inner, "]"), "=")
}

// Identity is what tells documents apart. Kind is OwnKind's.
type Identity struct{ APIVersion, Kind, Namespace, Name string }

// Identify reads a document's identity.
func Identify(n *yaml.Node) Identity {
	id := Identity{
		APIVersion: Text(Field(n, "apiVersion")), Kind: Text(Field(n, "kind")),
		Name: Text(Field(n, "metadata", "name")), Namespace: Text(Field(n, "metadata", "namespace")),
	}
	id.Kind = OwnKind(id.APIVersion, id.Kind)
	return id
}

// Resource names the file and line of the resource that declares a built document; "" when no resource has that name.
func (t *Tree) Resource(id Identity) string {
	if file, line := t.sources.document(id); file != "" {
		return t.Subject(file, line)
	}
	return ""
}

// Declared names where a built document was declared, in a patch at least; of what no document identifies, the overlay.
func (t *Tree) Declared(id Identity) string {
	if id == (Identity{}) {
		return t.Overlay()
	}
	if at := t.Resource(id); at != "" {
		return at
	}
	return t.Where(Place{Kind: id.Kind, Name: id.Name})
}
