package overlay

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"maxUnavailible": "maxUnavailable", "shh": "ssh", "WAVE": "wave", "zzzzzz": ""} {
		if got := Nearest(word, []string{"wave", "ssh", "maxUnavailable"}); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

// TestSpec decodes a Site that sets every field, and one that sets none.
// sample is an overlay of one base and one patch.
func sample(t *testing.T, patch string) *Tree {
	t.Helper()
	fleet := t.TempDir()
	for name, content := range map[string]string{
		"clusters/base/kustomization.yaml": "resources: [cluster.yaml]\nopenapi: {path: schema.json}\n",
		"clusters/base/schema.json":        string(schemaJSON),
		"clusters/base/cluster.yaml": "apiVersion: " + APIK0sctl +
			"\nkind: Cluster\nmetadata: {name: c}\nspec:\n  hosts:\n  - hostname: a\n    role: controller\n  - hostname: b\n    role: worker\n",
		"overlays/lab/kustomization.yaml": "resources: [../../clusters/base, addon.yaml, web.yaml]\npatches:\n- path: patch.yaml\n",
		"overlays/lab/addon.yaml": "apiVersion: " + APIKiban +
			"\nkind: Addon\nmetadata: {name: web}\nspec:\n  namespace: web\n  chart:\n    name: web\n",
		"overlays/lab/web.yaml":   "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: web\n",
		"overlays/lab/patch.yaml": patch,
	} {
		write(t, filepath.Join(fleet, filepath.FromSlash(name)), content)
	}
	return Read(filepath.Join(fleet, "overlays", "lab"))
}

const clusterPatch = "apiVersion: " + APIK0sctl +
	"\nkind: Cluster\nmetadata: {name: c}\nspec:\n  hosts:\n  - hostname: b\n    dataDir: /data\n"

// TestWhere: a place is where the last word on it stands, or on the nearest thing around it.
func TestWhere(t *testing.T) {
	tree := sample(t, clusterPatch)
	if ds := tree.Diagnostics(); len(ds) > 0 {
		t.Fatal(ds)
	}
	host := func(name string, path ...string) Place {
		return Place{Kind: KindCluster, Path: append([]string{"spec", "hosts", "[hostname=" + name + "]"}, path...)}
	}
	for want, at := range map[string]Place{
		"overlays/lab/patch.yaml:7":    host("b", "dataDir"),
		"clusters/base/cluster.yaml:9": host("b", "role"),
		"clusters/base/cluster.yaml:6": host("a", "dataDir"),
		"overlays/lab/addon.yaml:7":    {Kind: KindAddon, Name: "web", Path: []string{"spec", "chart", "name"}},
		"overlays/lab":                 {Kind: KindTenant, Name: "web"},
		"elsewhere:3":                  {Kind: KindTenant, Name: "web", Subject: "elsewhere:3"},
	} {
		if got := tree.Where(at); got != want {
			t.Errorf("%+v is at %s, want %s", at, got, want)
		}
	}
	if got := tree.Resource(Identity{APIVersion: "v1", Kind: "ConfigMap", Namespace: "web", Name: "web"}); got != "overlays/lab/web.yaml:1" {
		t.Errorf("the ConfigMap is declared at %s", got)
	}
	if got := tree.Lines(KindAddon, "web")["spec.chart.name"]; got != "overlays/lab/addon.yaml:7" {
		t.Errorf("the chart's name is at %s", got)
	}
	if want := []Host{{"a", "clusters/base/cluster.yaml:6"}, {"b", "clusters/base/cluster.yaml:8"}}; !slices.Equal(tree.Hosts(), want) {
		t.Errorf("hosts are %v", tree.Hosts())
	}
}

// TestBuild: what kustomize prints comes with its documents, and a host that it has lost is an error that names the host's line.
func TestBuild(t *testing.T) {
	built, ds := sample(t, clusterPatch).Build(t.Context())
	if len(ds) > 0 || len(built.Documents) != 3 || !strings.Contains(string(built.All), "dataDir: /data") {
		t.Fatalf("%d documents, %v:\n%s", len(built.Documents), ds, built.All)
	}
	patch := clusterPatch + "---\napiVersion: " + APIK0sctl + "\nkind: Cluster\nmetadata: {name: c}\nspec:\n  hosts:\n    $patch: replace\n"
	if _, ds := sample(t, patch).Build(t.Context()); ds.Err() == nil {
		t.Error("the hosts are replaced by none, and nothing was found")
	}
}
