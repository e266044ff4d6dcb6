package readiness

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestDefinitions: a version of an addon's kind that the declared addon leaves out is found while the cluster still serves it.
func TestDefinitions(t *testing.T) {
	pool := lifecycle.Document{APIVersion: "metallb.io/v1alpha1", Kind: "AddressPool", Namespace: "metallb-system", Name: "public"}
	now := []string{"apps/v1/Deployment", "metallb.io/v1alpha1", "metallb.io/v1alpha1/AddressPool", "metallb.io/v1beta1/AddressPool",
		"metallb.io/v1beta2/BGPPeer"}
	for name, tt := range map[string]struct {
		served, declared []string
		objects          []lifecycle.Document
		want, remedy     string
	}{
		"all of them":    {served: now, declared: []string{"metallb.io/v1alpha1/AddressPool", "metallb.io/v1beta1/AddressPool"}},
		"a new one":      {served: now, declared: []string{"metallb.io/v1/Community"}},
		"the API is off": {declared: []string{"metallb.io/v1beta1/AddressPool"}},
		"one is left out": {served: now, declared: []string{"metallb.io/v1beta1/AddressPool"},
			want:   "needs attention: addon metallb no longer serves metallb.io/v1alpha1 AddressPool, and the cluster does",
			remedy: "See that nobody asks for it any more, then apply the addon. What is left is metallb.io/v1beta1."},
		"one is left out, and used": {served: now, declared: []string{"metallb.io/v1beta1/AddressPool"}, objects: []lifecycle.Document{pool},
			want:   "blocks: addon metallb no longer serves metallb.io/v1alpha1 AddressPool, and the cluster does",
			remedy: "Write these documents in metallb.io/v1beta1, and merge that before or together with the addon."},
		"another kind is used": {served: now, declared: []string{"metallb.io/v1beta1/AddressPool"},
			objects: []lifecycle.Document{{APIVersion: "metallb.io/v1alpha1", Kind: "Other", Name: "x"}},
			want:    "needs attention: addon metallb no longer serves metallb.io/v1alpha1 AddressPool, and the cluster does",
			remedy:  "See that nobody asks for it any more"},
	} {
		r := &report{}
		state := lifecycle.State{API: lifecycle.APIState{Capabilities: lifecycle.Capabilities{APIs: tt.served}},
			Units: []lifecycle.UnitState{{Name: "addon/metallb", Declared: true, Chart: "metallb", Version: "2", Serves: tt.declared}}}
		definitions(Input{Site: lifecycle.Site{Objects: tt.objects}, State: state}, r)
		if got := strings.Join(told(r.Readiness), "; "); got != tt.want {
			t.Errorf("%s: said %q", name, got)
		}
		for _, f := range r.Findings {
			if !strings.HasPrefix(f.Remedy, tt.remedy) || f.Owner != "addon metallb" {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

// TestAddonsNameTheirLines: what an addon is declared to be is told with the line that declares it, manifests with the definition's.
func TestAddonsNameTheirLines(t *testing.T) {
	old := "metallb.io/v1alpha1/AddressPool"
	state := lifecycle.State{API: lifecycle.APIState{Capabilities: lifecycle.Capabilities{APIs: []string{old}}}}
	unit := lifecycle.UnitState{Name: "addon/metallb", Declared: true, Serves: []string{"metallb.io/v1beta1/AddressPool"}}
	addon := lifecycle.Addon{Name: "metallb", Source: "addons.yaml:1", Lines: lifecycle.Lines{"spec.chart.version": "addons.yaml:5"}}
	for name, c := range map[string]struct {
		chart string
		with  []lifecycle.Document
		want  string
	}{
		"a chart":   {"metallb", nil, "addons.yaml:5"},
		"manifests": {"", nil, "addons.yaml:1"},
		"a document": {"", []lifecycle.Document{{Kind: "CustomResourceDefinition", Name: "addresspools.metallb.io",
			Source: "crd.yaml:1"}}, "crd.yaml:1"},
	} {
		unit.Chart, addon.Objects = c.chart, c.with
		state.Units = []lifecycle.UnitState{unit}
		r := &report{}
		definitions(Input{Site: lifecycle.Site{Addons: []lifecycle.Addon{addon}}, State: state}, r)
		if len(r.Findings) != 1 || r.Findings[0].Source != c.want || !strings.HasSuffix(r.Findings[0].Seen[0], "("+c.want+")") {
			t.Errorf("%s: %+v", name, r.Findings)
		}
	}
}
