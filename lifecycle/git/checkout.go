package git

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Checkout writes what a fleet declared at a revision, its clusters/ and overlays/, into an empty folder, and gives the revision's full
// name. The fleet's own work tree is not touched. Whatever else lies in the fleet is linked to, so that relative paths to it still hold.
func Checkout(fleet, revision, into string) (string, error) {
	repo, err := gogit.PlainOpenWithOptions(fleet, &gogit.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return "", fmt.Errorf("%s is in no git repository: %w", fleet, err)
	}
	hash, err := repo.ResolveRevision(plumbing.Revision(revision))
	if err != nil {
		return "", fmt.Errorf("there is no revision %s here: %w", revision, err)
	}
	commit, err := repo.CommitObject(*hash)
	if err != nil {
		return "", err
	}
	tree, err := commit.Tree()
	if err != nil {
		return "", err
	}
	prefix, err := within(repo, fleet)
	if err != nil {
		return "", err
	}
	if err := errors.Join(export(tree, prefix, into), link(fleet, into)); err != nil {
		return "", fmt.Errorf("write out %s: %w", revision, err)
	}
	return hash.String(), nil
}

// within is the fleet's path in its repository, "" when it is the whole of it.
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

// export writes the fleet's declarations. Nothing is written outside of the folder, whatever a tree calls its files.
func export(tree *object.Tree, prefix, into string) error {
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer root.Close()
	return tree.Files().ForEach(func(f *object.File) error {
		name := f.Name
		if prefix != "" {
			var inside bool
			if name, inside = strings.CutPrefix(name, prefix+"/"); !inside {
				return nil
			}
		}
		if !strings.HasPrefix(name, "clusters/") && !strings.HasPrefix(name, "overlays/") {
			return nil
		}
		content, err := f.Contents()
		if err != nil {
			return err
		}
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if f.Mode == filemode.Symlink {
			return root.Symlink(content, name)
		}
		return root.WriteFile(name, []byte(content), 0o644)
	})
}

// link makes what a fleet holds beside its declarations reachable.
func link(fleet, into string) error {
	full, err := filepath.Abs(fleet)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(full)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case "clusters", "overlays", ".git", ".kiban":
			continue
		}
		if err := os.Symlink(filepath.Join(full, e.Name()), filepath.Join(into, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
