package site

import (
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// Render prints a site's merged documents exactly as `kustomize build overlays/<name>` does. Findings about the tree come with
// it; the bytes are nil when one of them stops the build.
func Render(ctx context.Context, fleetDir, name string) ([]byte, lifecycle.Diagnostics) {
	m, ds := merge(ctx, fleetDir, name)
	return m.all, ds
}

// merged is an overlay after the build, with the tree it came from.
type merged struct {
	dir  string
	all  []byte
	docs []overlay.Document
	tree *overlay.Tree
}

// merge reads the tree of an overlay, and builds it when nothing in it would be lost.
func merge(ctx context.Context, fleetDir, name string) (merged, lifecycle.Diagnostics) {
	dir, ds := overlayDir(fleetDir, name)
	if ds != nil {
		return merged{}, ds
	}
	if err := ctx.Err(); err != nil {
		return merged{}, lifecycle.AsDiagnostics(err, "loading was interrupted")
	}
	t := overlay.Read(dir)
	ds = t.Diagnostics()
	if ds.Err() != nil {
		return merged{}, ds
	}
	built, lost := t.Build(ctx)
	ds = append(ds, lost...)
	if ds.Err() != nil {
		return merged{}, ds
	}
	return merged{dir: dir, all: built.All, docs: built.Documents, tree: t}, ds
}
