package scaffold

import (
	"os"
	"path/filepath"
)

// ReadFolder reads every file of a folder.
func ReadFolder(dir string) ([]File, error) {
	var out []File
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out = append(out, File{Path: filepath.ToSlash(rel), Content: content})
		return err
	})
	return out, err
}
