package overlay

import (
	"bytes"
	"context"
	_ "embed" // the schema is data beside the code
	"fmt"
	"strings"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"kiban.dev/kiban/lifecycle"
)

// schemaJSON tells kustomize which lists merge by which key: hosts of a Cluster by hostname, and the lists of the built-in kinds,
// which kustomize forgets as soon as a build brings a schema of its own. clusters/base/schema.json is the same file, for the
// stock CLI.
//
//go:embed schema.json
var schemaJSON []byte

// merger is the one gate to kustomize. Its schemas are global to the process, inside kyaml: the first one wins, and lookups are not
// locked. So the schema is registered and read in once, before any build; builds only look things up in it, and run side by side. One
// whose own kustomization names a schema has kyaml read it in again, which none may look at meanwhile: it runs alone.
type merger struct {
	register sync.Once
	err      error
	build    sync.RWMutex
}

// maxCopies is how many bytes the copies of one JSON patch may add. Each may double a document.
const maxCopies = 1 << 20

// kustomize is package-level because what it guards is.
var kustomize merger

// run builds a folder as `kustomize build` does: plugins off, files only from below each kustomization's folder, and of them only those
// that were read. alone says that its kustomization names a schema.
func (m *merger) run(files filesys.FileSystem, dir string, alone bool) (all []byte, docs [][]byte, err error) {
	m.register.Do(func() {
		jsonpatch.AccumulatedCopySizeLimit = maxCopies // the library's own switch, and there is no other
		if m.err = openapi.AddSchema(schemaJSON); m.err == nil {
			m.err = openapi.SetSchema(map[string]string{"path": "schema.json"}, schemaJSON, true)
		}
		openapi.Schema()
	})
	if m.err != nil {
		return nil, nil, fmt.Errorf("register merge schema: %w", m.err)
	}
	if alone {
		m.build.Lock()
		defer m.build.Unlock()
		defer openapi.Schema()
	} else {
		m.build.RLock()
		defer m.build.RUnlock()
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified // the CLI's default; the library's differs
	built, err := krusty.MakeKustomizer(options).Run(files, dir)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range built.Resources() {
		doc, err := r.AsYAML()
		if err != nil {
			return nil, nil, fmt.Errorf("print %s: %w", r.OrgId(), err)
		}
		docs = append(docs, doc)
	}
	return bytes.Join(docs, []byte("---\n")), docs, nil // as kustomize prints them all
}

// Built is an overlay after the merge.
type Built struct {
	// All is what "kustomize build" prints; Documents are its parts.
	All       []byte
	Documents [][]byte
}

// Build runs kustomize, and finds what it has lost. kustomize can't be stopped: when ctx ends, it is left to itself.
func (t *Tree) Build(ctx context.Context) (Built, lifecycle.Diagnostics) {
	type output struct {
		all  []byte
		docs [][]byte
		err  error
	}
	built := make(chan output, 1)
	files, dir := t.in.exactly(), t.overlay
	if to, err := t.locate(dir); err == nil {
		dir = to
	}
	go func() {
		all, docs, err := kustomize.run(files, dir, t.ownSchema)
		built <- output{all, docs, err}
	}()
	var all []byte
	var docs [][]byte
	var err error
	select {
	case <-ctx.Done():
		return Built{}, lifecycle.AsDiagnostics(ctx.Err(), "building "+t.Overlay()+" was interrupted")
	case b := <-built:
		all, docs, err = b.all, b.docs, b.err
	}
	if err != nil {
		return Built{}, lifecycle.Diagnostics{t.buildFailed(err)}
	}
	if ds := t.lostHosts(docs); ds.Err() != nil {
		return Built{}, ds
	}
	return Built{all, docs}, nil
}

// buildFailed puts kustomize's own complaint in words. It chains its causes with ": " and repeats absolute paths; the fleet's
// folder says nothing to a reader of the repository.
func (t *Tree) buildFailed(err error) lifecycle.Diagnostic {
	return lifecycle.Errorf(t.Rel(t.overlay), "kustomize can't build the overlay").
		Because(strings.ReplaceAll(strings.TrimSpace(err.Error()), t.fleet+"/", "")).
		Try("`kustomize build " + t.Rel(t.overlay) + "` shows the same.").
		From(err)
}
