// Package git reads the repository that declares the fleet. It is the only importer of go-git.
package git

import (
	"strings"

	gogit "github.com/go-git/go-git/v5"
)

// Revision names the commit that is checked out around dir, with "-dirty" behind it when a tracked file differs from it or a file
// is there that it does not have. Empty outside a repository, and before its first commit.
func Revision(dir string) string { return new(Look).Revision(dir) }

// Revision is Revision, as the repository was when it was asked first.
func (l *Look) Revision(dir string) string {
	repo, err := around(dir)
	if err != nil {
		return ""
	}
	return l.at(repo).revision()
}

// around opens the repository that a folder lies in.
func around(dir string) (*gogit.Repository, error) {
	return gogit.PlainOpenWithOptions(dir, &gogit.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
}

func revisionOf(repo *gogit.Repository) string {
	head, err := repo.Head()
	if err != nil {
		return ""
	}
	revision := head.Hash().String()
	if dirty(repo) {
		revision += "-dirty"
	}
	return revision
}

// dirty looks at what a site is made of, clusters/ and overlays/; the rest of a repository decides nothing about it. When in doubt it
// says so: a wrong "-dirty" asks for a look, a missing one hides a change.
func dirty(repo *gogit.Repository) bool {
	tree, err := repo.Worktree()
	if err != nil {
		return true
	}
	status, err := tree.Status()
	if err != nil {
		return true
	}
	for path, s := range status {
		if (s.Worktree != gogit.Unmodified || s.Staging != gogit.Unmodified) && declares(path) {
			return true
		}
	}
	return false
}

// declares reports whether a path of the repository is part of a fleet's declaration, wherever in the repository the fleet is.
func declares(path string) bool {
	for _, folder := range []string{"clusters", "overlays"} {
		if strings.HasPrefix(path, folder+"/") || strings.Contains(path, "/"+folder+"/") {
			return true
		}
	}
	return false
}
