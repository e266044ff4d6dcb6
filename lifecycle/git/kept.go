package git

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
)

// Unkept gives the files below a folder that git could not give back as they are, relative to it, and how many files `git checkout --
// FOLDER` brings back, as the index has them: one that was changed since is among both. In no repository that is none. An error: it can't
// be told.
func Unkept(folder string) (lost []string, has int, err error) {
	known, err := indexed(folder)
	if err != nil {
		return nil, 0, err
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
		if is, ok := known[filepath.ToSlash(rel)]; err == nil && (!ok || is != hash) {
			lost = append(lost, filepath.ToSlash(rel))
		}
		return err
	})
	return lost, len(known), err
}

// indexed are the files below a folder that git's index has, relative to it, with their contents' names.
func indexed(folder string) (map[string]plumbing.Hash, error) {
	repo, err := gogit.PlainOpenWithOptions(folder, &gogit.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if errors.Is(err, gogit.ErrRepositoryNotExists) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	prefix, err := within(repo, folder)
	if err != nil {
		return nil, err
	}
	index, err := repo.Storer.Index()
	if err != nil {
		return nil, err
	}
	known := map[string]plumbing.Hash{}
	for _, e := range index.Entries {
		if rel, below := strings.CutPrefix(e.Name, prefix+"/"); below {
			known[rel] = e.Hash
		}
	}
	return known, nil
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
