package overlay

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// shared is a fleet of three sites that are built with the same base and component. Each file may be replaced, or added, in all of them.
func shared(t *testing.T, files map[string]string) (trees []*Tree) {
	t.Helper()
	all := map[string]string{
		"clusters/base/kustomization.yaml": "resources: [cluster.yaml, site.yaml]\nopenapi: {path: schema.json}\n",
		"clusters/base/schema.json":        string(schemaJSON),
		"clusters/base/cluster.yaml": "apiVersion: " + APIK0sctl + "\nkind: Cluster\nmetadata: {name: c}\nspec:\n  hosts: []\n" +
			"  k0s: {config: {spec: {api: {extraArgs: {v: \"1\"}}}}}\n",
		"clusters/base/site.yaml": "apiVersion: " + APIKiban + "\nkind: Site\nmetadata: {name: s}\nspec: {wave: 1}\n",
		"clusters/components/web/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" +
			"resources: [web.yaml]\npatches:\n- path: cluster.yaml\n  target: {kind: Cluster}\n",
		"clusters/components/web/web.yaml": "apiVersion: " + APIKiban + "\nkind: Addon\nmetadata: {name: web}\nspec: {namespace: web}\n---\n" +
			"apiVersion: v1\nkind: Namespace\nmetadata: {name: web, labels: {on: \"true\", at: 0777, big: 1e3}}\n---\n" +
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {text: \"a\\nb\\n\"}\n",
		"clusters/components/web/cluster.yaml": "apiVersion: " + APIK0sctl + "\nkind: Cluster\nmetadata: {name: any}\n" +
			"spec: {k0s: {config: {spec: {api: {extraArgs: {audit: yes}}}}}}\n",
	}
	for i := range 3 {
		dir := fmt.Sprintf("overlays/site-%d/", i)
		maps.Copy(all, map[string]string{
			dir + "kustomization.yaml": "resources: [../../clusters/base, pool.yaml]\ncomponents: [../../clusters/components/web]\npatches:\n" +
				"- path: cluster.yaml\n  target: {group: k0sctl.k0sproject.io, kind: Cluster}\n  options: {allowNameChange: true}\n" +
				"- path: web.yaml\n",
			dir + "pool.yaml": "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\n" +
				"spec: {addresses: [10.0." + fmt.Sprint(i) + ".0/24]}\n",
			dir + "cluster.yaml": "apiVersion: " + APIK0sctl + "\nkind: Cluster\nmetadata: {name: site-" + fmt.Sprint(i) + "}\n" +
				"spec:\n  hosts:\n  - {hostname: a-" + fmt.Sprint(i) + ", role: controller}\n",
			dir + "web.yaml": "apiVersion: " + APIKiban + "\nkind: Addon\nmetadata: {name: web}\n" +
				"spec: {chart: {version: 1." + fmt.Sprint(i) + "}}\n",
		})
		for name, content := range files {
			if _, ok := all[name]; !ok && filepath.Dir(name) == "." {
				all[dir+name] = content
			}
		}
	}
	for name, content := range files {
		if filepath.Dir(name) != "." {
			all[name] = content
		}
	}
	fleet := fleetOf(t, all)
	for i := range 3 {
		trees = append(trees, Read(filepath.Join(fleet, "overlays", fmt.Sprintf("site-%d", i))))
	}
	return trees
}

// commonOf builds what a tree has in common with others, and then the rest of it.
func commonOf(t *testing.T, tree *Tree) (built Built, ok bool) {
	t.Helper()
	c, ok := tree.common()
	if !ok {
		return Built{}, false
	}
	_, err := kustomize.guarded(false, func() (_ Built, err error) {
		m, err := makeCommon(c)
		if err != nil {
			ok = false
			return Built{}, nil
		}
		built, ok = m.with(c)
		return built, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return built, ok
}

// TestWhatSitesHaveInCommon: what is made once for all sites gives the same bytes as kustomize does for each; and what it could not be told
// apart from is left to kustomize.
func TestWhatSitesHaveInCommon(t *testing.T) {
	head := "resources: [../../clusters/base, pool.yaml]\ncomponents: [../../clusters/components/web]\n"
	const addon = "apiVersion: " + APIKiban + "\nkind: Addon\nmetadata: {name: web}\n"
	const pool = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: any}\nspec: {x: y}\n"
	type files = map[string]string
	base := func(more string) files {
		return files{"clusters/base/kustomization.yaml": "resources: [cluster.yaml, site.yaml]\nopenapi: {path: schema.json}\n" + more}
	}
	component := func(more string) files {
		return files{"clusters/components/web/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" +
			"resources: [web.yaml]\n" + more, "clusters/components/web/x.yaml": pool}
	}
	own := func(more string) files { return files{"kustomization.yaml": head + more} }
	patch := func(text string) files { // a patch that names its document, or selects some
		return own("patches:\n- " + text + "\n")
	}
	document := func(text string) files { return files{"kustomization.yaml": head, "pool.yaml": text} }
	patched := func(text string) files {
		return files{"kustomization.yaml": head + "patches: [{path: p.yaml}]\n", "p.yaml": text}
	}
	web := "{apiVersion: " + APIKiban + ", kind: Addon, metadata: {name: web}"
	for name, c := range map[string]struct {
		files  files
		shared bool
	}{
		"as sites are":                 {nil, true},
		"nothing of its own":           {own(""), true},
		"a patch of several documents": {patched(addon + "spec: {a: 1}\n---\n" + addon + "spec: {b: null}\n"), true},
		"a patch that removes":         {patch("patch: '" + web + ", $patch: delete}'"), true},
		"a field that goes":            {patch("patch: '" + web + ", spec: {namespace: null}}'"), true},
		"annotations that go": {patch("patch: '{apiVersion: v1, kind: Namespace, metadata: {name: web, annotations: null, labels: {a: b}}}'"),
			true},
		"annotations that go from what is selected": {patch("{patch: '{apiVersion: v1, kind: Any, metadata: {name: x, annotations: null}}', " +
			"target: {kind: Namespace}}"), true},
		"a selection by labels": {patch("{patch: '{apiVersion: v1, kind: Any, metadata: {name: x, labels: {x: z}}}', " +
			"target: {labelSelector: big=1e3}}"), true},
		"a selection by name": {patch("{patch: '{apiVersion: v1, kind: Any, metadata: {name: x, labels: {x: z}}}', " +
			"target: {name: we.*, kind: Namespace}}"), true},
		"aliases":             {patched(addon + "spec:\n  a: &x {k: v}\n  b: *x\n"), true},
		"a list of documents": {document("apiVersion: v1\nkind: List\nitems: [{apiVersion: a.b/v1, kind: K, metadata: {name: k}}]\n"), true},
		"a JSON patch": {patch(`{patch: '[{"op": "add", "path": "/spec/x", "value": 1}]', target: {kind: Addon}}`),
			false},
		"another name for a ConfigMap": {patch("{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}', " +
			"target: {kind: ConfigMap}, options: {allowNameChange: true}}"), false},
		"a patch of a ConfigMap":     {patch("patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {a: b}}'"), false},
		"a ConfigMap of its own":     {document("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\n"), false},
		"what the component reaches": {component("patches: [{path: x.yaml, target: {kind: IPAddressPool}}]\n"), false},
		"what it may reach":          {component("patches: [{path: x.yaml, target: {kind: '.*Pool'}}]\n"), false},
		"what it replaces": {component("replacements:\n- source: {kind: Site, fieldPath: spec.wave}\n  targets:\n" +
			"  - {select: {kind: Addon}, fieldPaths: [spec.wave], options: {create: true}}\n"), true},
		"labels for all":          {own("labels: [{pairs: {a: b}}]\n"), false},
		"a prefix in the base":    {base("namePrefix: x-\n"), false},
		"a generator in the base": {base("configMapGenerator: [{name: g, literals: [a=b]}]\n"), false},
		"a name that the base changes": {base("patches: [{patch: '{apiVersion: " + APIK0sctl + ", kind: Cluster, metadata: {name: d}}', " +
			"target: {kind: Cluster}, options: {allowNameChange: true}}]\n"), false},
		"an annotation of kustomize's": {document("apiVersion: a.b/v1\nkind: K\n" +
			"metadata: {name: k, annotations: {config.kubernetes.io/local-config: \"true\"}}\n"), false},
		"an own document before the base": {files{"kustomization.yaml": "resources: [pool.yaml, ../../clusters/base]\n" +
			"components: [../../clusters/components/web]\n"}, false},
		"a document twice": {document(addon), false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, tree := range shared(t, c.files) {
				files, dir := tree.in.exactly(), tree.overlay
				whole, err := kustomize.guarded(tree.ownSchema, func() (Built, error) { return buildWhole(files, dir) })
				built, ok := commonOf(t, tree)
				if err != nil && name != "a document twice" {
					t.Fatal(err)
				}
				if ok != c.shared {
					t.Fatalf("made of what is in common: %t; whole: %v", ok, err)
				}
				if ok && (err != nil || !bytes.Equal(built.All, whole.All)) {
					t.Fatalf("%v: it gives\n%s\nand kustomize\n%s", err, built.All, whole.All)
				}
			}
		})
	}
}

// TestSitesAreBuiltTogether: a site that comes first is built whole, and so is the first that goes by what was made; later ones go by it.
// Sites with another base do not.
func TestSitesAreBuiltTogether(t *testing.T) {
	trees := shared(t, nil)
	s := &shares{}
	wholes := 0
	build := func(tree *Tree, spoilt bool) Built {
		c, ok := tree.common()
		if !ok {
			t.Fatal("it has nothing in common")
		}
		files, dir := tree.in.exactly(), tree.overlay
		built, err := kustomize.guarded(false, func() (Built, error) {
			return s.build(c, func() (Built, error) {
				wholes++
				built, err := buildWhole(files, dir)
				if spoilt {
					built.All = append(built.All, '#')
				}
				return built, err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return built
	}
	for i, want := range []int{1, 2, 2} {
		if build(trees[i], false); wholes != want {
			t.Errorf("after site %d: %d were built whole, and not %d", i, wholes, want)
		}
	}
	other := shared(t, map[string]string{"clusters/base/site.yaml": "apiVersion: " + APIKiban +
		"\nkind: Site\nmetadata: {name: s}\nspec: {wave: 2}\n"})
	if build(other[0], false); wholes != 3 {
		t.Error("a site with another base goes by the first one's")
	}
	s, wholes = &shares{}, 0
	for i := range trees {
		build(trees[i], true)
	}
	if wholes != 3 {
		t.Errorf("what came out otherwise than kustomize's is gone by: %d were built whole", wholes)
	}
}

// TestTheExampleFleetHasMuchInCommon: the sites of the example fleet come out the same, byte for byte, and most can be made together.
func TestTheExampleFleetHasMuchInCommon(t *testing.T) {
	overlays := filepath.Join("..", "..", "..", "overlays")
	sites, err := os.ReadDir(overlays)
	if err != nil {
		t.Fatal(err)
	}
	together, all := 0, 0
	for _, site := range sites {
		if !site.IsDir() {
			continue
		}
		dir, err := filepath.Abs(filepath.Join(overlays, site.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all++
		tree := Read(dir)
		files := tree.in.exactly()
		whole, err := kustomize.guarded(tree.ownSchema, func() (Built, error) { return buildWhole(files, dir) })
		if err != nil {
			t.Fatal(err)
		}
		built, ok := commonOf(t, tree)
		if !ok {
			continue
		}
		together++
		if !bytes.Equal(built.All, whole.All) {
			t.Errorf("%s: made of what is in common it is\n%s\nand by kustomize\n%s", site.Name(), built.All, whole.All)
		}
	}
	if together == 0 || together < all/2 {
		t.Errorf("%d of %d sites can be made of what they have in common", together, all)
	}
}
