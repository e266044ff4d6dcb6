package overlay

import (
	"os"
	"path/filepath"
	"testing"
)

// write puts a file into a folder that may not be there yet.
func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// FuzzTree feeds the reader of kustomization trees: any bytes may stand in a repository.
func FuzzTree(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "broken", "*", "overlays", "tokyo", "kustomization.yaml"))
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
		for _, d := range Read(filepath.Join(fleet, "overlays", "tokyo")).Diagnostics() {
			if d.Subject == "" || d.Summary == "" {
				t.Errorf("a finding without a place or a summary: %+v", d)
			}
		}
	})
}
