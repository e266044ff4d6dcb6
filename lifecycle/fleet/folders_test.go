package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"overlays/tokyo/site.yaml", "overlays/tokyo/deep/x", "overlays/README.md", "overlays/empty/.keep"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := Folders(dir, "overlays")
	if len(got) != 2 || strings.Join(got["tokyo"], " ") != "site.yaml" || strings.Join(got["empty"], " ") != ".keep" {
		t.Errorf("%q", got)
	}
	if got := Folders(dir, "clusters/components"); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
