package site

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// FuzzDecode feeds the decoder of Site documents. It may refuse, but must not panic, and what it accepts must be usable.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "broken", "*", "overlays", "tokyo", "site.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("spec: &a\n  ssh: *a\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		docs, err := parseYAML(b)
		if err != nil {
			return
		}
		for _, doc := range docs {
			d, found := decodeSite(doc)
			found = append(found, checkSite(d, "tokyo")...)
			cluster, more := readCluster(doc)
			found = append(found, more...)
			found = append(found, checkCluster(cluster, doc, d)...)
			sources{newPiece("f", 0, doc, false)}.find(sitePlace("spec", "upgrade", "windows", "[0]", "days"))
			duplicateKeys(doc, func(*yaml.Node, int) {})
			if len(found) == 0 && (time.Duration(d.Spec.SSH.ConnectTimeout) <= 0 || d.Metadata.Name != "tokyo" || d.Spec.Upgrade.Drain.EvictionRetry <= 0) {
				t.Errorf("accepted %q as %+v", b, d)
			}
		}
	})
}

// FuzzTree feeds the reader of kustomization trees: any bytes may stand in a repository.
func FuzzTree(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "broken", "*", "overlays", "tokyo", "kustomization.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, []byte("apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nspec: {hosts: [{hostname: a}]}"))
	}
	f.Add([]byte("resources: [cluster.yaml]\npatches: [{patch: 'a: &x [*x]'}]"), []byte("kind: Cluster\nspec: &s {hosts: [*s, {<<: *s}]}"))
	f.Fuzz(func(t *testing.T, kustomization, cluster []byte) {
		fleet := t.TempDir()
		write(t, filepath.Join(fleet, "overlays", "tokyo", "kustomization.yaml"), string(kustomization))
		write(t, filepath.Join(fleet, "overlays", "tokyo", "cluster.yaml"), string(cluster))
		for _, d := range readTree(filepath.Join(fleet, "overlays", "tokyo")).diagnostics() {
			if d.Subject == "" || d.Summary == "" {
				t.Errorf("a finding without a place or a summary: %+v", d)
			}
		}
	})
}
