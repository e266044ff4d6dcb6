package git

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"kiban.dev/kiban/lifecycle"
)

// Checkout writes the files that a fleet had at a revision into an empty folder, and gives the revision's full name. The fleet's own work
// tree, its index and its HEAD are not touched. What git does not hold and lies beside them, such as .lab/, is linked to, so that relative
// paths to it still hold; kiban's own .kiban/ is not. What stops it is a lifecycle.Diagnostic, which names the fetch that is missing if
// one is.
func Checkout(fleet, revision, into string) (string, error) {
	r, err := open(fleet)
	if err != nil {
		return "", err
	}
	commit, err := r.resolve(revision)
	if err != nil {
		return "", err
	}
	tree, err := r.fleetAt(commit)
	switch {
	case errors.Is(err, object.ErrDirectoryNotFound):
		return "", lifecycle.Errorf("", "there was no fleet at %s", revision).
			Because(fmt.Sprintf("Commit %s has no folder %s.", short(commit.Hash), r.prefix)).
			Try("Name a later revision.").
			From(err)
	case err != nil:
		return "", r.unreadable(revision, commit.Hash, err)
	}
	left, err := r.export(tree, into)
	switch {
	case err != nil:
		return "", r.unreadable(revision, commit.Hash, err)
	case len(left.links) > 0:
		return "", refuse(revision, left.links)
	case len(left.pointers) > 0:
		return "", r.refusePointers(revision, commit.Hash, left.pointers)
	}
	if err := r.link(fleet, tree, into); err != nil {
		return "", fmt.Errorf("write out %s: %w", revision, err)
	}
	return commit.Hash.String(), nil
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

// leftOut are declarations that a commit does not hold itself: symbolic links and submodules, and files that Git LFS keeps elsewhere.
type leftOut struct{ links, pointers []string }

// export writes a tree's files. Nothing is written outside of the folder, whatever a tree calls its files. Symbolic links and submodules
// are left out: they lead to what the commit does not hold. Those among the declarations are given back.
func (r repository) export(tree *object.Tree, into string) (left leftOut, err error) {
	root, err := os.OpenRoot(into)
	if err != nil {
		return left, err
	}
	defer root.Close()
	walk := object.NewTreeWalker(tree, true, nil)
	defer walk.Close()
	for {
		name, entry, err := walk.Next()
		declares := strings.HasPrefix(name, "clusters/") || strings.HasPrefix(name, "overlays/")
		switch {
		case errors.Is(err, io.EOF):
			return left, nil
		case err != nil:
			return left, err
		case entry.Mode == filemode.Dir:
		case entry.Mode == filemode.Symlink || entry.Mode == filemode.Submodule:
			if declares {
				left.links = append(left.links, name)
			}
		default:
			whole, err := r.writeFile(root, tree, name, entry)
			if err != nil {
				return left, err
			}
			if !whole && declares {
				left.pointers = append(left.pointers, name)
			}
		}
	}
}

// writeFile writes a file as a checkout would. It is not whole when it is kept by Git LFS, and what is kept is not here: then it has what
// git has.
func (r repository) writeFile(root *os.Root, tree *object.Tree, name string, entry object.TreeEntry) (whole bool, err error) {
	file, err := tree.TreeEntryFile(&entry)
	if err != nil {
		return false, err
	}
	text, err := file.Contents()
	if err != nil {
		return false, err
	}
	content, whole := r.unpointed([]byte(text))
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return false, err
	}
	mode := os.FileMode(0o644)
	if entry.Mode == filemode.Executable {
		mode = 0o755
	}
	return whole, root.WriteFile(name, content, mode)
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

// link makes what lies in the fleet's folder and is not git's reachable: what neither the revision nor HEAD has.
func (r repository) link(fleet string, tree *object.Tree, into string) error {
	full, err := filepath.Abs(fleet)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(full)
	if err != nil {
		return err
	}
	held := map[string]bool{".git": true, ".kiban": true, "clusters": true, "overlays": true, lifecycle.FleetFile: true}
	for _, t := range []*object.Tree{tree, r.fleetAtHead()} {
		for i := 0; t != nil && i < len(t.Entries); i++ {
			held[t.Entries[i].Name] = true
		}
	}
	for _, e := range entries {
		if held[e.Name()] {
			continue
		}
		if err := os.Symlink(filepath.Join(full, e.Name()), filepath.Join(into, e.Name())); err != nil {
			return err
		}
	}
	return nil
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
