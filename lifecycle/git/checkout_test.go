package git

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func TestCheckout(t *testing.T) {
	for name, inRepo := range map[string]string{"the repository is the fleet": "", "the fleet is a folder of it": "infra/fleet"} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			fleet := filepath.Join(top, inRepo)
			repo, err := gogit.PlainInit(top, false)
			if err != nil {
				t.Fatal(err)
			}
			tree, err := repo.Worktree()
			if err != nil {
				t.Fatal(err)
			}
			commit := func(content string) string {
				for _, f := range []string{"overlays/lab/site.yaml", "clusters/base/k.yaml", "README.md"} {
					write(t, filepath.Join(fleet, f), content)
					if _, err := tree.Add(filepath.ToSlash(filepath.Join(inRepo, f))); err != nil {
						t.Fatal(err)
					}
				}
				hash, err := tree.Commit(content, &gogit.CommitOptions{Author: &object.Signature{Name: "a", Email: "a@example.com",
					When: time.Unix(0, 0)}})
				if err != nil {
					t.Fatal(err)
				}
				return hash.String()
			}
			old := commit("old")
			commit("new")
			write(t, filepath.Join(fleet, ".lab", "key"), "untracked")
			write(t, filepath.Join(fleet, "overlays", "lab", "site.yaml"), "edited")
			for _, revision := range []string{old, old[:8], "HEAD~1"} {
				into := t.TempDir()
				got, err := Checkout(fleet, revision, into)
				if err != nil || got != old {
					t.Fatalf("%s: %s, %v", revision, got, err)
				}
				for file, want := range map[string]string{"overlays/lab/site.yaml": "old", "clusters/base/k.yaml": "old", ".lab/key": "untracked"} {
					if b, err := os.ReadFile(filepath.Join(into, file)); err != nil || string(b) != want {
						t.Errorf("%s: %s is %q, %v", revision, file, b, err)
					}
				}
			}
			if b, _ := os.ReadFile(filepath.Join(fleet, "overlays", "lab", "site.yaml")); string(b) != "edited" {
				t.Errorf("the work tree was touched: %q", b)
			}
			if _, err := Checkout(fleet, "nowhere", t.TempDir()); err == nil {
				t.Error("a revision that is not there was written out")
			}
		})
	}
	if _, err := Checkout(t.TempDir(), "HEAD", t.TempDir()); err == nil {
		t.Error("there is no repository")
	}
}
