package readiness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// maxManifest bounds a file that is read as manifests: larger ones are not written by people.
const maxManifest = 4 << 20

// manifest is one object in a file of YAML documents, with where its parts stand.
type manifest struct {
	lifecycle.ObjectRef
	node *yaml.Node // the object's own mapping
	// version is the node of apiVersion; nil for an item of a typed list that does not repeat it.
	version *yaml.Node
	team    string
	// list says that it is a typed list, and Kind is of its items.
	list bool
}

// Scan finds the objects in a file of YAML documents, those in lists among them, each with path and line as its source. An error where the
// file is no YAML, such as a template of a chart.
func Scan(path string, content []byte) ([]lifecycle.DeclaredAPI, error) {
	found, err := manifests(content)
	var out []lifecycle.DeclaredAPI
	for _, m := range found {
		at := m.node
		if m.version != nil {
			at = m.version
		}
		if !m.list {
			out = append(out, lifecycle.DeclaredAPI{ObjectRef: m.ObjectRef, Source: fmt.Sprintf("%s:%d", path, at.Line), Team: m.team})
		}
	}
	return out, err
}

func manifests(content []byte) ([]manifest, error) {
	if len(content) > maxManifest {
		return nil, fmt.Errorf("it has more than %d MiB", maxManifest>>20)
	}
	var out []manifest
	dec := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if len(doc.Content) == 1 {
			out = append(out, objectsAt(doc.Content[0], "", "", 0)...)
		}
	}
}

// objectsAt are the object of a node, or those of the list that it is. A typed list need not repeat what its items are.
func objectsAt(n *yaml.Node, version, kind string, depth int) []manifest {
	if n.Kind != yaml.MappingNode || depth > 3 {
		return nil
	}
	m := manifest{node: n, version: childOf(n, "apiVersion")}
	m.Kind = scalar(childOf(n, "kind"))
	if m.version != nil && m.version.Kind == yaml.ScalarNode {
		m.APIVersion = m.version.Value
	}
	if m.Kind == "" && kind != "" && m.version == nil {
		m.APIVersion, m.Kind = version, kind
	}
	if items := childOf(n, "items"); items != nil && items.Kind == yaml.SequenceNode && strings.HasSuffix(m.Kind, "List") {
		var out []manifest
		of := strings.TrimSuffix(m.Kind, "List")
		for _, item := range items.Content {
			out = append(out, objectsAt(item, m.APIVersion, of, depth+1)...)
		}
		if of != "" && m.version != nil { // the list itself is of that API, too
			m.Kind, m.list = of, true
			return append([]manifest{m}, out...)
		}
		return out
	}
	if m.APIVersion == "" || m.Kind == "" {
		return nil
	}
	meta := childOf(n, "metadata")
	m.Name, m.Namespace = scalar(childOf(meta, "name")), scalar(childOf(meta, "namespace"))
	m.team = scalar(childOf(childOf(meta, "labels"), "team"))
	return []manifest{m}
}

// childOf is a field of a mapping; nil where there is none.
func childOf(n *yaml.Node, key string) *yaml.Node {
	if _, value := fieldOf(n, key); value != nil {
		return value
	}
	return nil
}

// fieldOf is a field of a mapping with its key.
func fieldOf(n *yaml.Node, key string) (name, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

func scalar(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// OfTheseAPIs leaves objects whose API ends some day.
func OfTheseAPIs(objects []lifecycle.DeclaredAPI) []lifecycle.DeclaredAPI {
	t := tableOf(APIs())
	return slices.DeleteFunc(slices.Clone(objects), func(o lifecycle.DeclaredAPI) bool {
		_, known := t.kind(o.APIVersion, o.Kind)
		return !known
	})
}

// Ending are the APIs that end after the one version and deserve a word at the other: those are asked after.
func Ending(from, to lifecycle.Version) []lifecycle.API {
	return slices.DeleteFunc(APIs(), func(a lifecycle.API) bool {
		f := fateOf(a, from, to)
		return f == fateNone || f == fateGone
	})
}

// ServedNow is the version that a site's API servers have, the lowest of them, or else its machines.
func ServedNow(s lifecycle.State) lifecycle.Version { return servedNow(s) }
