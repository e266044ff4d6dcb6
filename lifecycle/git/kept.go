package git

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// Unkept gives the files below a folder that git could not give back as they are, relative to it, and how many it could: those that its
// index has with this content, which is what `git checkout -- FOLDER` takes. In no repository that is none. An error: it can't be told.
func Unkept(folder string) (lost []string, kept int, err error) {
	known, prefix := &index.Index{}, ""
	repo, err := gogit.PlainOpenWithOptions(folder, &gogit.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	switch {
	case errors.Is(err, gogit.ErrRepositoryNotExists):
	case err != nil:
		return nil, 0, err
	default:
		if prefix, err = within(repo, folder); err != nil {
			return nil, 0, err
		}
		if known, err = repo.Storer.Index(); err != nil {
			return nil, 0, err
		}
	}
	err = filepath.WalkDir(folder, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		hash, err := blob(file, d)
		if err != nil {
			return err
		}
		if e, err := known.Entry(path.Join(prefix, filepath.ToSlash(rel))); err == nil && e.Hash == hash {
			kept++
		} else {
			lost = append(lost, filepath.ToSlash(rel))
		}
		return nil
	})
	return lost, kept, err
}

// blob is what git calls a file's content; of a link, where it leads.
func blob(file string, d fs.DirEntry) (plumbing.Hash, error) {
	if d.Type()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(file)
		return plumbing.ComputeHash(plumbing.BlobObject, []byte(to)), err
	}
	content, err := os.ReadFile(file)
	return plumbing.ComputeHash(plumbing.BlobObject, content), err
}
