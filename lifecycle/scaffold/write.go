package scaffold

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/explain"
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

// MakeOverlay writes a new overlay: whole, or not at all. The schema that its files lead editors to comes with it, where the fleet has
// none.
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
	if err := os.Rename(made, dir); err != nil {
		return err
	}
	return keepSchema(filepath.Join(dir, "..", ".."), files)
}

// keepSchema writes the schema into a fleet that has none, where files lead there.
func keepSchema(fleet string, files []File) error {
	leads := func(f File) bool { return bytes.Contains(f.Content, []byte(explain.SchemaLine)) }
	if _, err := os.Lstat(filepath.Join(fleet, explain.SchemaFile)); err == nil || !slices.ContainsFunc(files, leads) {
		return nil
	}
	schema, err := explain.Schema("")
	if err != nil {
		return err
	}
	return WriteFiles(fleet, []File{{explain.SchemaFile, schema}})
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

// WriteFleet writes the files of a new fleet: none, where one of them is in the way.
func WriteFleet(dir string, files []File) error {
	var inTheWay []string
	for _, f := range files {
		_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err == nil {
			inTheWay = append(inTheWay, f.Path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(inTheWay) > 0 {
		return lifecycle.Errorf(dir, "files are in the way, and nothing was written").
			Because(inTheWay...).
			Try("Use an empty folder; in a fleet, `kiban site add` makes another site.")
	}
	return WriteFiles(dir, files)
}
