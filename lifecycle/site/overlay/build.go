package overlay

import (
	"context"
	_ "embed" // the schema is data beside the code
	"errors"
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bounded"
)

// schemaJSON tells kustomize which lists merge by which key: hosts of a Cluster by hostname, and the lists of the built-in kinds,
// which kustomize forgets as soon as a build brings a schema of its own. clusters/base/schema.json is the same file, for the
// stock CLI.
//
//go:embed schema.json
var schemaJSON []byte

// merger is the one gate to kustomize, with what the sites of a process have in common. kustomize's schemas are global to the process,
// inside kyaml: the first one wins, and lookups are not locked. So the schema is registered and read in once, before any build; builds only
// look things up in it, and run side by side. One whose own kustomization names a schema has kyaml read it in again, which none may look at
// meanwhile: it runs alone.
type merger struct {
	register sync.Once
	err      error
	build    sync.RWMutex
	shares   shares
	parsed   parsedFiles
}

// maxCopies is how many bytes the copies of one JSON patch may add. Each may double a document.
const maxCopies = 1 << 20

// kustomize is package-level because what it guards is.
var kustomize merger

// guarded does something that looks into the schemas. alone: it may have them read in again.
func (m *merger) guarded(alone bool, do func() (Built, error)) (Built, error) {
	m.register.Do(func() {
		jsonpatch.AccumulatedCopySizeLimit = maxCopies // the library's own switch, and there is no other
		if m.err = openapi.SetSchema(map[string]string{"path": "schema.json"}, schemaJSON, true); m.err == nil {
			openapi.Schema()
		}
	})
	if m.err != nil {
		return Built{}, fmt.Errorf("register merge schema: %w", m.err)
	}
	if alone {
		m.build.Lock()
		defer m.build.Unlock()
		defer openapi.Schema()
	} else {
		m.build.RLock()
		defer m.build.RUnlock()
	}
	return do()
}

// run builds an overlay, by what it has in common with others where that can be told.
func (m *merger) run(t *Tree, files filesys.FileSystem, dir string) (Built, error) {
	whole := func() (Built, error) { return buildWhole(files, dir) }
	if c, ok := t.common(); ok {
		return m.guarded(false, func() (Built, error) { return m.shares.build(c, whole) })
	}
	return m.guarded(t.ownSchema, whole)
}

// buildWhole builds a folder as `kustomize build` does: plugins off, files only from below each kustomization's folder, and of them only
// those that were read.
func buildWhole(files filesys.FileSystem, dir string) (Built, error) {
	built, err := krusty.MakeKustomizer(buildOptions()).Run(files, dir)
	if err != nil {
		return Built{}, err
	}
	var docs []Document
	for _, r := range built.Resources() {
		doc, err := r.AsYAML()
		if err != nil {
			return Built{}, fmt.Errorf("print %s: %w", r.OrgId(), err)
		}
		docs = append(docs, Document{YAML: doc})
	}
	return joined(docs), nil
}

// joined is what kustomize prints of all documents.
func joined(docs []Document) Built {
	b := Built{Documents: docs}
	for i, d := range docs {
		if i > 0 {
			b.All = append(b.All, "---\n"...)
		}
		b.All = append(b.All, d.YAML...)
	}
	return b
}

func buildOptions() *krusty.Options {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified // the CLI's default; the library's differs
	return options
}

// Built is an overlay after the merge.
type Built struct {
	// All is what "kustomize build" prints; Documents are its parts.
	All       []byte
	Documents []Document
}

// Document is one document of a build.
type Document struct {
	YAML []byte
	node *yaml.Node
}

// Node is the document parsed, once. Other sites may have the same; the Cluster's is this site's alone.
func (d *Document) Node() (*yaml.Node, error) {
	if d.node != nil {
		return d.node, nil
	}
	nodes, err := ParseYAML(d.YAML)
	if err == nil && len(nodes) != 1 {
		err = fmt.Errorf("it holds %d documents", len(nodes))
	}
	if err != nil {
		return nil, err
	}
	d.node = nodes[0]
	return d.node, nil
}

// Build runs kustomize, and finds what it has lost. kustomize can't be stopped: when ctx ends, or the build takes too much memory, it is
// left to itself.
func (t *Tree) Build(ctx context.Context) (Built, lifecycle.Diagnostics) {
	files, dir := t.in.exactly(), t.overlay
	if to, err := t.locate(dir); err == nil {
		dir = to
	}
	built, err := bounded.Do(ctx, "the build of "+t.Overlay(), bounded.Limits{Room: t.room}, func(context.Context) (Built, error) {
		return kustomize.run(t, files, dir)
	})
	if ctx.Err() != nil {
		return Built{}, lifecycle.AsDiagnostics(ctx.Err(), "building "+t.Overlay()+" was interrupted")
	}
	if ds := notBuilt(t.Overlay(), err); ds != nil {
		return Built{}, ds
	}
	if err != nil {
		return Built{}, lifecycle.Diagnostics{t.buildFailed(err)}
	}
	if ds := t.lostHosts(built.Documents); ds.Err() != nil {
		return Built{}, ds
	}
	return built, nil
}

// notBuilt says of a build that it was given up, or not begun beside one that was. A few lines can have kustomize make as much as it likes:
// a replacement may double a document.
func notBuilt(overlay string, err error) lifecycle.Diagnostics {
	if beside, ok := errors.AsType[bounded.NotBegun](err); ok {
		return lifecycle.Diagnostics{lifecycle.Errorf(overlay, "the overlay is not built").
			Because("Memory and time go to " + beside.GivenUp + ", which was given up, until kiban ends.").
			Try("Mend that first.")}
	}
	given, ok := errors.AsType[bounded.GivenUp](err)
	if !ok {
		return nil
	}
	why := "It takes " + given.Took + ", and is not done. Little text becomes much by replacements that copy whole mappings, by " +
		"vars in long text, and by bases that are taken in more than once."
	if len(given.Beside) > 0 {
		why += " What was made at the same time may also be the cause: " + strings.Join(given.Beside, ", ") + "."
	}
	return lifecycle.Diagnostics{lifecycle.Errorf(overlay, "the build of the overlay was given up, for it grows and grows").Because(why).
		Try("Look at what the last change of " + overlay + ", and of the folders that its kustomization names, takes in or copies.")}
}

// buildFailed puts kustomize's own complaint in words. It chains its causes with ": " and repeats absolute paths; the fleet's
// folder says nothing to a reader of the repository.
func (t *Tree) buildFailed(err error) lifecycle.Diagnostic {
	return lifecycle.Errorf(t.Rel(t.overlay), "kustomize can't build the overlay").
		Because(strings.ReplaceAll(strings.TrimSpace(err.Error()), t.fleet+"/", "")).
		Try("`kustomize build " + t.Rel(t.overlay) + "` shows the same.").
		From(err)
}
