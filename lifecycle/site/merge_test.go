package site

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Builds that run at once come to what they come to one after the other, also beside one whose own kustomization names the schema.
func TestBuildsSideBySide(t *testing.T) {
	fleet, names := generatedFleet(t, 6, 2)
	own := filepath.Join(fleet, overlaysDir, names[2])
	if err := os.WriteFile(filepath.Join(own, "schema.json"), mergeSchema(t), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(own, "kustomization.yaml")
	if err := os.WriteFile(file, []byte(readFile(t, file)+"\nopenapi:\n  path: schema.json\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{}
	for _, name := range names {
		built, ds := Render(t.Context(), fleet, name)
		if ds.Err() != nil {
			t.Fatal(ds)
		}
		want[name] = built
	}
	var wg sync.WaitGroup
	for range 8 {
		for _, name := range names {
			wg.Go(func() {
				if got, ds := Render(t.Context(), fleet, name); ds.Err() != nil || !bytes.Equal(got, want[name]) {
					t.Errorf("%s: %v, %d bytes, not %d", name, ds, len(got), len(want[name]))
				}
			})
		}
	}
	wg.Wait()
}
