package scaffold

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
)

// FreeOverlay is the folder, in a fleet's, of a site that the fleet does not have yet. It is an error where the name can't be a site's,
// and where anything has it.
func FreeOverlay(fleet, name string) (string, error) {
	if !SiteName(name) {
		return "", lifecycle.Errorf("", "%q can't be a site's name", name).
			Try("Use lower-case letters, digits and hyphens, at most 53 of them, such as tokyo-prod.")
	}
	dir := filepath.Join(fleet, "overlays", name)
	if _, err := os.Lstat(dir); err == nil {
		return "", lifecycle.Errorf(name, "there is a folder overlays/%s already", name).
			Because("Nothing that is there is ever overwritten.").
			Try("Choose another name, or remove the folder.")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return dir, nil
}

// MakeOverlay writes a new overlay: whole, or not at all.
func MakeOverlay(dir string, files []File) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, filepath.Base(dir))
	if err := WriteFiles(made, files); err != nil {
		return err
	}
	return os.Rename(made, dir)
}

// WriteFiles writes files below a folder. One that is there already is an error.
func WriteFiles(dir string, files []File) error {
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_, err = out.Write(f.Content)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
	return nil
}
