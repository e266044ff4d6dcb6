package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
)

// maxOrders is how many orders of documents are kept of each: a fleet has a few, unless sites name theirs after themselves.
const maxOrders = 256

// made is what bases and components make.
type made struct {
	mu  sync.Mutex // kustomize does not say that what is copied may be copied twice at once
	all resmap.ResMap
	// printed are the same documents, in the same order.
	printed []Document
	// orders are those in which kustomize prints documents, by the documents.
	orders map[string][]int
}

// makeCommon has kustomize build the bases and components of an overlay, and nothing of its own.
func makeCommon(c common) (*made, error) {
	in := inputs{files: map[string][]byte{}, links: map[string]string{}}
	for file, b := range c.files {
		in.files[file] = b
	}
	kustomization, err := yaml.Marshal(map[string]any{"resources": c.resources, "components": c.components})
	if err != nil {
		return nil, err
	}
	in.files[filepath.Join(c.dir, kustomizationNames()[0])] = kustomization
	all, err := krusty.MakeKustomizer(buildOptions()).Run(in.exactly(), c.dir)
	if err != nil {
		return nil, err
	}
	m := &made{all: all, orders: map[string][]int{}}
	for _, r := range all.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		doc := Document{YAML: text}
		if r.GetKind() != KindCluster { // whoever has a Cluster puts its hosts in order
			if _, err := doc.Node(); err != nil {
				return nil, err
			}
		}
		m.printed = append(m.printed, doc)
	}
	return m, nil
}

func (m *made) copied() resmap.ResMap {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all.DeepCopy()
}

// with does what the overlay's own files do, as kustomize does it: its documents come first, and then its patches.
// False: it can't be done here. Then a whole build says why, or does it.
func (m *made) with(c common) (Built, bool) {
	factory := resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory())
	all := m.copied()
	former := all.Resources()
	reached := func(r *resource.Resource) bool {
		return slices.Contains(c.targets, r.GetKind()) || slices.Contains(referring(), r.GetKind())
	}
	for _, file := range c.documents {
		docs, err := factory.NewResMapFromBytes(c.own[file])
		if err != nil || all.AppendAll(docs) != nil || slices.ContainsFunc(docs.Resources(), reached) {
			return Built{}, false
		}
	}
	for _, p := range c.patches {
		if applyPatch(factory, all, p, c) != nil {
			return Built{}, false
		}
		all.DropEmpties()
	}
	all.RemoveBuildAnnotations()
	if all.RemoveOriginAnnotations() != nil || all.RemoveTransformerAnnotations() != nil {
		return Built{}, false
	}
	built, err := m.print(all.Resources(), former)
	return built, err == nil
}

// applyPatch applies a patch that merges, as kustomize's own transformer does.
func applyPatch(factory *resmap.Factory, all resmap.ResMap, p types.Patch, c common) error {
	text := []byte(strings.TrimSpace(p.Patch))
	if p.Path != "" {
		b, ok := c.own[filepath.Join(c.dir, p.Path)]
		if !ok || p.Patch != "" {
			return fmt.Errorf("%s is no file of the overlay alone", p.Path)
		}
		text = b
	}
	patches, err := factory.RF().SliceFromBytes(text)
	if err != nil || len(patches) == 0 || (p.Target != nil && len(patches) > 1) {
		return errors.Join(err, errors.New("it is no patch of this kind"))
	}
	for _, patch := range patches {
		if p.Options != nil && p.Options.AllowNameChange {
			patch.AllowNameChange()
		}
		var reached []*resource.Resource
		if p.Target != nil {
			reached, err = all.Select(*p.Target)
		} else {
			var one *resource.Resource
			one, err = all.GetById(patch.OrgId())
			reached = []*resource.Resource{one}
		}
		if err != nil {
			return err
		}
		for _, r := range reached {
			if slices.Contains(referring(), r.GetKind()) {
				return errors.New("other documents may name it")
			}
			if err := r.ApplySmPatch(asKindOf(r, patch, p.Target != nil)); err != nil {
				return err
			}
		}
	}
	return nil
}

// asKindOf is a patch for a document that was selected: there kind and group of the patch itself are not looked at.
func asKindOf(r, patch *resource.Resource, selected bool) *resource.Resource {
	if !selected {
		return patch
	}
	patched := patch.DeepCopy()
	_ = patched.CopyMergeMetaDataFieldsFrom(patch) // as kustomize does, without looking at what comes of it
	patched.SetGvk(r.GetGvk())
	patched.SetKind(patch.GetKind())
	return patched
}

// print prints the documents in kustomize's order. Those that are as they were made were printed then.
func (m *made) print(all, former []*resource.Resource) (Built, error) {
	order, err := m.order(all)
	if err != nil {
		return Built{}, err
	}
	index := map[*resource.Resource]int{}
	for i, r := range former {
		index[r] = i
	}
	masters := m.all.Resources()
	docs := make([]Document, 0, len(all))
	for _, at := range order {
		r := all[at]
		if i, ok := index[r]; ok && sameNode(masters[i].YNode(), r.YNode()) {
			docs = append(docs, m.printed[i])
			continue
		}
		text, err := r.AsYAML()
		if err != nil {
			return Built{}, err
		}
		docs = append(docs, Document{YAML: text})
	}
	return joined(docs), nil
}

// order is the one in which kustomize prints documents. It goes by their kinds, and then by their names; there is one Cluster and one Site,
// so that theirs does not count. kustomize is asked once for all sites that have the same documents.
func (m *made) order(all []*resource.Resource) ([]int, error) {
	at := map[resid.ResId]int{}
	var stubs bytes.Buffer
	for i, r := range all {
		id := r.CurId()
		if kind := OwnKind(id.ApiVersion(), id.Kind); kind == KindCluster || kind == KindSite {
			id.Name = "the-site"
		}
		at[id] = i
		fmt.Fprintf(&stubs, "---\napiVersion: %q\nkind: %q\nmetadata: {name: %q, namespace: %q}\n",
			id.ApiVersion(), id.Kind, id.Name, id.Namespace)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if order, ok := m.orders[stubs.String()]; ok {
		return order, nil
	}
	in := inputs{files: map[string][]byte{"/x/stubs.yaml": stubs.Bytes(), "/x/kustomization.yaml": []byte("resources: [stubs.yaml]\n")},
		links: map[string]string{}}
	sorted, err := krusty.MakeKustomizer(buildOptions()).Run(in.exactly(), "/x")
	if err != nil {
		return nil, err
	}
	var order []int
	for _, r := range sorted.Resources() {
		if i, ok := at[r.CurId()]; ok {
			order = append(order, i)
		}
	}
	if len(order) != len(all) {
		return nil, errors.New("kustomize takes the documents for others")
	}
	if len(m.orders) == maxOrders {
		clear(m.orders)
	}
	m.orders[stubs.String()] = order
	return order, nil
}

// sameNode reports whether two nodes would be printed alike.
func sameNode(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && a.Style == b.Style && a.Anchor == b.Anchor &&
		a.Alias == nil && b.Alias == nil && slices.EqualFunc(a.Content, b.Content, sameNode)
}
