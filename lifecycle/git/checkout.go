package git

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"kiban.dev/kiban/lifecycle"
)

// Checkout writes the files that a fleet had at a revision into an empty folder, and gives the revision's full name. The fleet's own work
// tree, its index and its HEAD are not touched. What git does not hold and lies beside them, such as .lab/, is linked to, so that relative
// paths to it still hold; kiban's own .kiban/ is not. What stops it is a lifecycle.Diagnostic, which names the fetch that is missing if
// one is.
func Checkout(fleet, revision, into string) (string, error) {
	h, err := Open(fleet)
	if err != nil {
		return "", err
	}
	s, err := h.At(revision)
	if err != nil {
		return "", err
	}
	if err := s.Write(into, ""); err != nil {
		return "", err
	}
	if err := s.link(into); err != nil {
		return "", fmt.Errorf("write out %s: %w", revision, err)
	}
	return s.Revision(), nil
}

// repository is the one that a fleet is in.
type repository struct {
	*gogit.Repository
	// prefix is the fleet's path in it, "" when the fleet is the whole of it.
	prefix string
}

func open(fleet string) (repository, error) {
	repo, err := gogit.PlainOpenWithOptions(fleet, &gogit.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	switch {
	case errors.Is(err, gogit.ErrRepositoryNotExists):
		return repository{}, lifecycle.Errorf(fleet, "the fleet is in no git repository").
			Try("Run kiban in a clone of the fleet's repository; what an earlier revision declared is read from it.").
			From(err)
	case err != nil:
		return repository{}, lifecycle.Errorf(fleet, "the fleet's git repository can't be read").
			Try("Clone it in git's usual form: --object-format=sha1 --ref-format=files.").
			From(err)
	}
	prefix, err := within(repo, fleet)
	return repository{repo, prefix}, err
}

// within is the fleet's path in its repository.
func within(repo *gogit.Repository, fleet string) (string, error) {
	tree, err := repo.Worktree()
	if err != nil {
		return "", err
	}
	root, errRoot := filepath.EvalSymlinks(tree.Filesystem.Root())
	full, errFull := filepath.Abs(fleet)
	if err := errors.Join(errRoot, errFull); err != nil {
		return "", err
	}
	if full, err = filepath.EvalSymlinks(full); err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, full)
	if rel == "." {
		rel = ""
	}
	return filepath.ToSlash(rel), err
}

// fleetAt is the fleet's folder as a commit has it.
func (r repository) fleetAt(commit *object.Commit) (*object.Tree, error) {
	tree, err := commit.Tree()
	if err != nil || r.prefix == "" {
		return tree, err
	}
	return tree.Tree(r.prefix)
}

// refuse says what a commit does not hold itself.
func refuse(revision string, names []string) error {
	const listed = 5
	more := ""
	if len(names) > listed {
		more = fmt.Sprintf("\nand %d more", len(names)-listed)
		names = names[:listed]
	}
	return lifecycle.Errorf(names[0], "the fleet at %s has symbolic links or submodules among its declarations", revision).
		Because("What they lead to is not in the commit, so that one commit could mean different things:\n" + strings.Join(names, "\n") + more).
		Try("Put the files themselves there, or name the folder under `resources` or `components`.")
}

// fleetAtHead is the fleet's folder at HEAD; nil where that has none.
func (r repository) fleetAtHead() *object.Tree {
	head, err := r.Head()
	if err != nil {
		return nil
	}
	commit, err := r.CommitObject(head.Hash())
	if err != nil {
		return nil
	}
	tree, err := r.fleetAt(commit)
	if err != nil {
		return nil
	}
	return tree
}

func short(h plumbing.Hash) string { return h.String()[:10] }
