package overlay

import (
	"fmt"
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// The methods by which kustomize sees exactly the files that were read. It reads, and asks what is there; nothing else is answered.

var _ filesys.FileSystem = exactly{}

// CleanedAbs is a path with its links followed: a folder, and the name of a file in it.
func (e exactly) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	to := e.resolve(path)
	switch {
	case e.IsDir(to):
		return filesys.ConfirmedDir(to), "", nil
	case e.exists(to):
		return filesys.ConfirmedDir(filepath.Dir(to)), filepath.Base(to), nil
	}
	return "", "", fmt.Errorf("evalsymlink failure on '%s' : %w", path, missingFile("lstat", path))
}

// Exists reports whether a file was read, or one below a folder.
func (e exactly) Exists(path string) bool { return e.exists(path) }

// ReadFile gives a file that was read.
func (e exactly) ReadFile(path string) ([]byte, error) { return e.read(path) }

// Open is not needed for a build.
func (e exactly) Open(path string) (filesys.File, error) { return nil, missingFile("open", path) }

// ReadDir is not needed for a build: each file is named.
func (e exactly) ReadDir(path string) ([]string, error) { return nil, missingFile("open", path) }

// Glob finds nothing, for the same reason.
func (e exactly) Glob(string) ([]string, error) { return nil, nil }

// Walk is not needed for a build.
func (e exactly) Walk(path string, _ filepath.WalkFunc) error { return missingFile("lstat", path) }

// Create and the rest refuse: a build changes no files.
func (e exactly) Create(string) (filesys.File, error) { return nil, errReadOnly }

// Mkdir refuses.
func (e exactly) Mkdir(string) error { return errReadOnly }

// MkdirAll refuses.
func (e exactly) MkdirAll(string) error { return errReadOnly }

// RemoveAll refuses.
func (e exactly) RemoveAll(string) error { return errReadOnly }

// WriteFile refuses.
func (e exactly) WriteFile(string, []byte) error { return errReadOnly }
