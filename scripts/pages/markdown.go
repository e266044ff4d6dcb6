// Package pages holds that the pages are true: links lead somewhere, what they say kiban prints is what its source prints, and the Japanese
// README has the commands of the English one.
package pages

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Markdown is every page below root that people read: all but what tests and tools keep.
func Markdown(root string) ([]string, error) {
	var out []string
	aside := []string{"bin", "node_modules", "testdata"}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains(aside, d.Name())):
			return fs.SkipDir
		case strings.HasSuffix(d.Name(), ".md"):
			out = append(out, path)
		}
		return nil
	})
	return out, err
}
