package overlay

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var overlays = flag.Int("overlays", 40, "how many random overlays are built, by what they have in common and by kustomize")

// TestRandomOverlays: whatever an overlay adds and patches, in whatever order, it comes out as kustomize builds it, or is left to it.
func TestRandomOverlays(t *testing.T) {
	shared := 0
	for seed := range *overlays {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		tree, text := randomOverlay(t, r)
		built, ok := commonOf(t, tree)
		if !ok {
			continue
		}
		shared++
		files, dir := tree.in.exactly(), tree.overlay
		whole, err := kustomize.guarded(false, func() (Built, error) { return buildWhole(files, dir) })
		if err != nil || !bytes.Equal(built.All, whole.All) {
			t.Fatalf("seed %d: %v: of\n%s\nit makes\n%s\nand kustomize\n%s", seed, err, text, built.All, whole.All)
		}
	}
	if shared < *overlays/4 {
		t.Errorf("only %d of %d overlays could be made of what they have in common: that tries too little", shared, *overlays)
	}
}

// randomOverlay is the first site of a fleet, with patches and documents that were drawn by lot.
func randomOverlay(t *testing.T, r *rand.Rand) (*Tree, string) {
	t.Helper()
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	specs := []string{"{a: 1}", "{a: null}", "{namespace: other}", "{list: [{name: x, v: 1}, {name: y}]}",
		"{list: [{name: x, $patch: delete}]}",
		"{a: {b: {c: yes, d: \"no\", e: 0o17, f: 1.50}}}", "{a: {$patch: replace, z: 1}}", "{text: \"x: |\\\\n  y\"}", "{}", "{a: ~, b: \"\"}",
		"{hosts: [{hostname: a-0, role: worker}]}", "{hosts: [{hostname: b-0}]}", "{hosts: [{hostname: a-0, $patch: delete}]}"}
	metas := []string{"", ", labels: {l: m}", ", annotations: {x: \"1\"}", ", annotations: null", ", labels: {}", ", namespace: web"}
	ids := []string{
		"apiVersion: " + APIKiban + ", kind: Addon, metadata: {name: web", "apiVersion: " + APIKiban + ", kind: Site, metadata: {name: s",
		"apiVersion: " + APIK0sctl + ", kind: Cluster, metadata: {name: c", "apiVersion: v1, kind: Namespace, metadata: {name: web",
		"apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: p",
	}
	targets := []string{"", "", "", ", target: {kind: Addon}", ", target: {group: kiban.dev, kind: Site}, options: {allowNameChange: true}",
		", target: {kind: .*}", ", target: {name: w.*}", ", target: {version: v1}", ", target: {labelSelector: \"on=true\"}",
		", target: {group: k0sctl.k0sproject.io, kind: Cluster}, options: {allowNameChange: true}", ", target: {annotationSelector: x=1}"}
	var k strings.Builder
	k.WriteString("resources: [../../clusters/base, pool.yaml, more.yaml]\ncomponents: [../../clusters/components/web]\npatches:\n")
	for range 1 + r.IntN(5) {
		fmt.Fprintf(&k, "- {patch: '{%s%s}, spec: %s}'%s}\n", pick(ids), pick(metas), pick(specs), pick(targets))
	}
	var more strings.Builder
	for i := range r.IntN(4) {
		kind := pick([]string{"kind: Pool, apiVersion: a.b/v1", "kind: Namespace, apiVersion: v1", "kind: Addon, apiVersion: " + APIKiban,
			"kind: CustomResourceDefinition, apiVersion: apiextensions.k8s.io/v1", "kind: NetworkPolicy, apiVersion: networking.k8s.io/v1"})
		fmt.Fprintf(&more, "---\n{%s, metadata: {name: n-%d%s}, spec: %s}\n", kind, r.IntN(3)+i, pick(metas), pick(specs))
	}
	more.WriteString("---\n{kind: Last, apiVersion: a.b/v1, metadata: {name: last}}\n")
	return shared(t, map[string]string{"kustomization.yaml": k.String(), "more.yaml": more.String()})[0], k.String() + more.String()
}
