package git

import (
	"os"
	"path/filepath"
	"testing"

	gogit "github.com/go-git/go-git/v5"
)

// TestA2_TrackedIsWhatGitHolds: whatever the folder is called.
func TestA2_TrackedIsWhatGitHolds(t *testing.T) {
	dir := t.TempDir()
	repo, err := gogit.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fleet/.kiban/forced", "fleet/.kiban/own", "fleet/overlays/lab/site.yaml", "beside"} {
		write(t, filepath.Join(dir, name), "x")
	}
	for _, name := range []string{"fleet/.kiban/forced", "fleet/overlays/lab/site.yaml", "beside"} {
		if _, err := tree.Add(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join("..", "..", "beside"), filepath.Join(dir, "fleet", ".kiban", "link")); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "key")
	write(t, outside, "x")
	for name, want := range map[string]bool{"fleet/.kiban/forced": true, "fleet/.kiban/own": false, "fleet/overlays/lab/site.yaml": true,
		"beside": true, "fleet/.kiban/link": true, "fleet/none": false} {
		if got := Tracked(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if Tracked(outside) {
		t.Error("a file in no repository is tracked")
	}
	write(t, filepath.Join(dir, ".git", "index"), "no index")
	if !Tracked(filepath.Join(dir, "fleet", ".kiban", "own")) {
		t.Error("an index that can't be read says that nothing is in it")
	}
}
