package git

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// When a commit got there is the committer's time; of what is not here nothing is told.
func TestCommitted(t *testing.T) {
	dir := t.TempDir()
	repo, err := gogit.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "fleet", "overlays", "lab", "site.yaml"), "x")
	if _, err := tree.Add("fleet"); err != nil {
		t.Fatal(err)
	}
	wrote, merged := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), time.Date(2026, 11, 3, 18, 0, 0, 0, time.FixedZone("", 9*3600))
	hash, err := tree.Commit("x", &gogit.CommitOptions{Author: &object.Signature{Name: "ann", When: wrote},
		Committer: &object.Signature{Name: "gitlab", When: merged}})
	if err != nil {
		t.Fatal(err)
	}
	tag, err := repo.CreateTag("v1", hash, &gogit.CreateTagOptions{Tagger: &object.Signature{Name: "ann", When: wrote}, Message: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	full := hash.String()
	got, err := Committed(filepath.Join(dir, "fleet"), []string{full, full + "-dirty", full[:10], tag.Hash().String(), "HEAD", "",
		strings.Repeat("0", 40)})
	if err != nil || len(got) != 1 || !got[full].Equal(merged) || got[full].Location() != time.UTC {
		t.Errorf("%v (%v)", got, err)
	}
	if _, err := Committed(t.TempDir(), nil); err == nil {
		t.Error("a folder in no repository tells of commits")
	}
}
