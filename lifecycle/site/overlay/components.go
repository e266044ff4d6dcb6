package overlay

import (
	"path/filepath"
	"slices"
)

// Includes reports whether a folder, relative to the fleet, has a kustomization that the tree was read from.
func (t *Tree) Includes(dir string) bool {
	to, err := t.locate(filepath.Join(t.fleet, filepath.FromSlash(dir)))
	return err == nil && slices.Contains(t.folders, to)
}

// Component is where the overlay's own kustomization lists a component, by its folder relative to the fleet; where it does not, its list
// of components; and where it has none, its file.
func (t *Tree) Component(dir string) string {
	if t.own == nil {
		return t.Overlay()
	}
	key, list := Lookup(t.own.node, "components")
	line := 0
	if key != nil {
		line = key.Line
	}
	want, err := t.locate(filepath.Join(t.fleet, filepath.FromSlash(dir)))
	for _, e := range Items(list) {
		if to, ill := t.locate(filepath.Join(t.own.dir, Text(e))); err == nil && ill == nil && to == want {
			line = e.Line
		}
	}
	return t.Subject(t.own.file, line)
}
