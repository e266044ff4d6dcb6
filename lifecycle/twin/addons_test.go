package twin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestTwinAddons: the twin's addons are what runs of the site's; one of which nothing runs there is waited for by nobody.
func TestTwinAddons(t *testing.T) {
	object := func(api, kind, namespace, name string) Object {
		return Object{"apiVersion": api, "kind": kind,
			"metadata": map[string]any{"name": name, "namespace": namespace, "labels": map[string]any{"a": "b"}},
			"spec":     map[string]any{"replicas": 2}}
	}
	ref := func(api, kind, namespace, name string) lifecycle.ObjectRef {
		return lifecycle.ObjectRef{APIVersion: api, Kind: kind, Namespace: namespace, Name: name}
	}
	addons, err := twinAddons([]SiteAddon{
		{Name: "metallb", Namespace: "metallb-system", Objects: []lifecycle.ObjectRef{ref("v1", "ConfigMap", "metallb-system", "config"),
			ref("apps/v1", "Deployment", "metallb-system", "controller"), ref("apps/v1", "DaemonSet", "metallb-system", "speaker"),
			ref("apps/v1", "Deployment", "metallb-system", "gone")}},
		{Name: "policies", Namespace: "policies", Objects: []lifecycle.ObjectRef{ref("v1", "ConfigMap", "policies", "config")}},
	}, []Object{object("v1", "ConfigMap", "metallb-system", "config"), object("apps/v1", "Deployment", "metallb-system", "controller"),
		object("apps/v1", "DaemonSet", "metallb-system", "speaker"), object("apps/v1", "Deployment", "shop", "controller")})
	if err != nil || len(addons) != 1 || addons[0].Name != "metallb" {
		t.Fatalf("%+v, %v", addons, err)
	}
	text := string(addons[0].manifest)
	if strings.Count(text, "kind:") != 2 || strings.Contains(text, "labels") || !strings.Contains(text, "replicas: 2") {
		t.Errorf("its objects:\n%s", text)
	}
	dir := t.TempDir()
	if err := WriteFleet(dir, "tokyo", []byte("{}"), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := writeAddons(dir, "tokyo", addons); err != nil {
		t.Fatal(err)
	}
	over := filepath.Join(dir, "overlays", "tokyo")
	for file, has := range map[string]string{"kustomization.yaml": "- addons.yaml", "addons.yaml": "namespace: metallb-system",
		"addon-1.yaml": "speaker"} {
		b, err := os.ReadFile(filepath.Join(over, file))
		info, _ := os.Stat(filepath.Join(over, file))
		if err != nil || !strings.Contains(string(b), has) || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v\n%s", file, err, b)
		}
	}
}
