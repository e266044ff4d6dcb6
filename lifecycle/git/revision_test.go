package git

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func TestRevision(t *testing.T) {
	dir := t.TempDir()
	overlay := filepath.Join(dir, "overlays", "lab")
	write(t, filepath.Join(overlay, "site.yaml"), "a: 1\n")
	if got := Revision(overlay); got != "" {
		t.Errorf("outside a repository: %q", got)
	}
	repo, err := gogit.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := Revision(overlay); got != "" {
		t.Errorf("before the first commit: %q", got)
	}
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Add("overlays/lab/site.yaml"); err != nil {
		t.Fatal(err)
	}
	hash, err := tree.Commit("lab: begin", &gogit.CommitOptions{Author: &object.Signature{Name: "a", Email: "a@example.com",
		When: time.Unix(0, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := Revision(overlay); got != hash.String() {
		t.Errorf("clean: %q, want %s", got, hash)
	}
	write(t, filepath.Join(dir, ".lab", "state"), "x")
	if got := Revision(overlay); got != hash.String() {
		t.Errorf("a file that declares nothing: %q, want %s", got, hash)
	}
	var look Look
	if got := look.Revision(overlay); got != hash.String() {
		t.Errorf("asked once: %q", got)
	}
	write(t, filepath.Join(overlay, "site.yaml"), "a: 2\n")
	if got := look.Revision(filepath.Join(dir, "overlays")); got != hash.String() {
		t.Errorf("a look is as old as its first question, for the whole repository: %q, want %s", got, hash)
	}
	if got := Revision(overlay); got != hash.String()+"-dirty" {
		t.Errorf("changed: %q, want %s-dirty", got, hash)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
