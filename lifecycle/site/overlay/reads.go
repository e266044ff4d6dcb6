package overlay

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// climbing finds text that leads out of a folder, as far as it is surely a path: spaces, quotes and wildcards end it.
var climbing = regexp.MustCompile("[^\\s\"'`,=:\\[\\]{}*?]*\\.\\.[^\\s\"'`,=:\\[\\]{}*?]*")

// Reads are the files and folders of the fleet, relative to it, that decide what the overlay declares: as long as nothing in them changes,
// the declaration does not, however little of them it may use. False when that cannot be told without building it.
//
// A build reads in and below the folders of its kustomizations, for kustomize holds to that; and whatever else its documents name, by a
// path from the overlay, which leads out of those folders only where it has "..".
func (t *Tree) Reads() ([]string, bool) {
	if t.partial || (t.assembles && len(t.upward) > 0) { // a path may be put together from pieces
		return nil, false
	}
	seen := map[string]bool{}
	for _, dir := range t.folders {
		seen[t.Rel(dir)] = true
	}
	for _, path := range t.upward {
		to, inside := t.leads(path)
		if !inside {
			return nil, false
		}
		seen[to] = true
	}
	return slices.Sorted(maps.Keys(seen)), true
}

// leaving records the texts of a document that lead out of a folder.
func (t *Tree) leaving(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "..") {
		for _, path := range climbing.FindAllString(n.Value, -1) {
			if path != n.Value { // its last part may go on
				path = path[:strings.LastIndexByte(path, '/')+1]
			}
			if slices.Contains(strings.Split(path, "/"), "..") {
				t.upward = append(t.upward, path)
			}
		}
	}
	for _, below := range n.Content {
		t.leaving(below)
	}
}

// IsKustomization reports whether kustomize takes a file for a folder's kustomization.
func IsKustomization(file string) bool {
	return slices.Contains(kustomizationNames(), filepath.Base(file))
}

// leads is where a path leads from the overlay, relative to the fleet. What is not there may be the beginning of a name: its folder stands
// for it.
func (t *Tree) leads(path string) (to string, inside bool) {
	full := filepath.Join(t.overlay, path)
	if _, err := os.Lstat(full); err != nil {
		full = filepath.Dir(full)
	}
	rel, err := filepath.Rel(t.fleet, full)
	if err != nil || rel == "." || strings.HasPrefix(rel, "..") {
		return "", false
	}
	return filepath.ToSlash(rel), true
}
