package git

import (
	"errors"
	"path"
	"path/filepath"

	gogit "github.com/go-git/go-git/v5"
)

// Tracked reports whether git holds a file: whether it, or what it is a link to, is in the index of the repository around it. What is no
// file, or lies in no repository, is not tracked. When in doubt it says yes: what is not known may be in the repository.
func Tracked(file string) bool { return new(Look).Tracked(file) }

// Tracked is Tracked, by the index as it was when it was asked first.
func (l *Look) Tracked(file string) bool {
	full, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false
	}
	if full, err = filepath.Abs(full); err != nil {
		return true
	}
	dir := filepath.Dir(full)
	repo, err := around(dir)
	if err != nil {
		return !errors.Is(err, gogit.ErrRepositoryNotExists)
	}
	prefix, err := within(repo, dir)
	if err != nil {
		return true
	}
	index, err := l.at(repo).index()
	if err != nil {
		return true
	}
	_, err = index.Entry(path.Join(prefix, filepath.Base(full)))
	return err == nil
}
