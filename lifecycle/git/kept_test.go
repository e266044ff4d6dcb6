package git

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	gogit "github.com/go-git/go-git/v5"
)

// TestUnkept: what `git checkout` would not give back is named, whether git never had it or has it otherwise.
func TestUnkept(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "fleet", "overlays", "lab")
	for _, name := range []string{"site.yaml", "cluster.yaml", "files/motd"} {
		write(t, filepath.Join(folder, name), name)
	}
	if lost, kept, err := Unkept(folder); err != nil || kept != 0 || !slices.Equal(lost, []string{"cluster.yaml", "files/motd", "site.yaml"}) {
		t.Errorf("in no repository: %v, %d, %v", lost, kept, err)
	}
	repo, err := gogit.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if lost, kept, err := Unkept(folder); err != nil || kept != 0 || len(lost) != 3 {
		t.Errorf("never added: %v, %d, %v", lost, kept, err)
	}
	if err := os.Symlink("site.yaml", filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Add("fleet"); err != nil {
		t.Fatal(err)
	}
	if lost, kept, err := Unkept(folder); err != nil || kept != 4 || len(lost) != 0 {
		t.Errorf("added: %v, %d, %v", lost, kept, err)
	}
	write(t, filepath.Join(folder, "cluster.yaml"), "changed since")
	write(t, filepath.Join(folder, "known_hosts"), "new")
	if lost, kept, err := Unkept(folder); err != nil || kept != 4 || !slices.Equal(lost, []string{"cluster.yaml", "known_hosts"}) {
		t.Errorf("changed since: %v, %d, %v", lost, kept, err)
	}
	if err := os.Remove(filepath.Join(folder, "site.yaml")); err != nil {
		t.Fatal(err)
	}
	if lost, kept, err := Unkept(folder); err != nil || kept != 4 || len(lost) != 2 {
		t.Errorf("one is deleted already, and comes back: %v, %d, %v", lost, kept, err)
	}
	write(t, filepath.Join(dir, ".git", "index"), "no index")
	if _, _, err := Unkept(folder); err == nil {
		t.Error("an index that can't be read says what git has")
	}
}
