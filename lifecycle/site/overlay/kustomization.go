package overlay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kustomization is one kustomization file as written.
type kustomization struct {
	tree      *Tree
	dir, file string
	node      *yaml.Node
	stack     []string // folders from the overlay down to this one
}

// kustomizationNames are the file names that kustomize accepts, in its order.
func kustomizationNames() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// KustomizationFile finds the kustomization of a folder; "" when there is none, an error when there are several.
func KustomizationFile(dir string) (string, error) {
	found := ""
	for _, name := range kustomizationNames() {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() {
			continue
		}
		if found != "" {
			return found, errors.New("both " + found + " and " + name + " are here; kustomize accepts one")
		}
		found = name
	}
	return found, nil
}

// kustomizationFields are all the fields that kustomize v0.21 knows, for hints on unknown ones.
func kustomizationFields() []string {
	return []string{
		"apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels", "commonAnnotations",
		"patchesStrategicMerge", "patchesJson6902", "patches", "images", "imageTags", "replacements", "replicas", "vars", "sortOptions",
		"resources", "components", "crds", "bases", "configMapGenerator", "secretGenerator", "helmGlobals", "helmCharts",
		"helmChartInflationGenerator", "generatorOptions", "configurations", "generators", "transformers", "validators", "buildMetadata",
	}
}

// transformerFields change every document they reach.
func transformerFields() []string {
	return []string{"namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "commonAnnotations", "transformers"}
}

// read goes through the file in kustomize's own order: resources, components, then what changes them.
func (k *kustomization) read(into *scope) {
	k.checkFields()
	k.checkTags(k.node)
	component := Text(Field(k.node, "kind")) == "Component"
	own := &scope{}
	if component {
		own = into // a component works on the documents of whoever includes it
	}
	for _, field := range []string{"resources", "bases"} {
		for _, e := range Items(Field(k.node, field)) {
			k.tree.resource(k, e, false, own)
		}
	}
	for _, e := range Items(Field(k.node, "components")) {
		k.tree.resource(k, e, true, own)
	}
	k.readNamed()
	k.checkTransformers(own)
	k.patches(own)
	if !component {
		into.pieces = append(into.pieces, own.pieces...)
	}
}

// checkFields refuses fields that kustomize does not know, and those that make a build depend on more than the repository.
func (k *kustomization) checkFields() {
	t := k.tree
	for i := 0; i+1 < len(k.node.Content); i += 2 {
		key, value := k.node.Content[i], Resolve(k.node.Content[i+1])
		switch name := key.Value; {
		case !slices.Contains(kustomizationFields(), name):
			hint := "kustomize's reference lists the fields of a kustomization."
			if near := Nearest(name, kustomizationFields()); near != "" {
				hint = fmt.Sprintf("Did you mean %q?", near)
			}
			t.missing(k.file, key.Line, fmt.Sprintf("a kustomization has no field %q", name), "", hint)
		case name == "openapi":
			k.checkSchema(key, value)
		case Empty(value):
		case name == "helmCharts" || name == "helmChartInflationGenerator":
			t.fail(k.file, key.Line, fmt.Sprintf("%s needs the helm binary at build time", name),
				"kustomize would run helm, and fetch the chart, while it builds; without --enable-helm it fails.",
				"Declare the chart as an Addon document ("+APIKiban+"); kiban renders it itself.")
		case name == "generators" || name == "validators":
			t.fail(k.file, key.Line, fmt.Sprintf("%s runs plugins", name), "A build must depend on nothing but the repository.",
				"Use configMapGenerator, secretGenerator or plain resources.")
		}
	}
}

var errOutside = errors.New("it does not exist, or is outside the kustomization's folder")

// checkSchema accepts exactly the schema that kiban registers. kustomize's schemas are global to the process and the first one
// wins, so another one would decide how other sites merge, or be ignored.
func (k *kustomization) checkSchema(key, value *yaml.Node) {
	t := k.tree
	path := Text(Field(value, "path"))
	var b []byte
	err := errOutside
	if to, located := t.locate(filepath.Join(k.dir, path)); located == nil && isBelow(k.dir, to) {
		b, err = t.load(to)
	}
	switch {
	case fetched(path):
		k.goesOut(key, path)
	case path == "" || len(value.Content) != 2:
		t.fail(k.file, key.Line, "openapi must name kiban's schema by path",
			"Another schema decides how lists merge, here and in every other site built with it.",
			"Write `openapi: {path: schema.json}` beside a copy of clusters/base/schema.json, or leave it to the base.")
	case err != nil:
		t.missing(k.file, key.Line, fmt.Sprintf("the schema %s can't be read", path), err.Error(), "Copy clusters/base/schema.json there.")
	case !sameSchema(b):
		t.fail(k.file, key.Line, fmt.Sprintf("%s is not kiban's schema", path),
			"kustomize keeps the first schema of a process and ignores later ones, so kiban and the stock CLI would merge differently.",
			"Copy clusters/base/schema.json over it, or remove the openapi field here.")
	default:
		t.schema, t.ownSchema = true, t.ownSchema || k.dir == t.overlay
	}
}

// checkTransformers refuses what would also change the Cluster or the Site: neither is a Kubernetes object.
func (k *kustomization) checkTransformers(reach *scope) {
	for _, field := range transformerFields() {
		key, value := Lookup(k.node, field)
		if key == nil || Empty(value) {
			continue
		}
		for _, kind := range []string{KindCluster, KindSite} {
			if reach.holds(kind) {
				k.tree.fail(k.file, key.Line, fmt.Sprintf("%s would change the %s document too", field, kind),
					fmt.Sprintf("kustomize applies %s to every document that this kustomization holds, and %s is no Kubernetes object.", field, kind),
					"Move the objects it is meant for into a folder with a kustomization of their own, set it there, "+
						"and list that folder under resources.")
				break
			}
		}
	}
}

// suggest finds a sibling with a similar name.
func (k *kustomization) suggest(ref string) string {
	path := filepath.Join(k.dir, ref)
	dir, err := k.tree.locate(filepath.Dir(path))
	var entries []fs.DirEntry
	if err == nil {
		entries, err = os.ReadDir(dir)
	}
	if err != nil {
		return "Check the path; it is relative to " + k.tree.Rel(k.dir) + "."
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := Nearest(filepath.Base(path), names); near != "" {
		return fmt.Sprintf("Did you mean %q?", strings.TrimPrefix(filepath.ToSlash(filepath.Join(filepath.Dir(ref), near)), "./"))
	}
	return "Check the path; it is relative to " + k.tree.Rel(k.dir) + "."
}

func compactJSON(into *bytes.Buffer, b []byte) error {
	return json.Compact(into, b)
}
