package fleet

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// comparison tells which files and folders of a fleet are the same in two places. What was compared once is remembered: sites share their
// bases.
type comparison struct {
	then, now string
	same      map[string]bool
}

// differing are those of the paths, relative to the fleet, that are not the same.
func (c comparison) differing(paths []string) (out []string) {
	for _, path := range paths {
		same, known := c.same[path]
		if !known {
			same = sameTree(filepath.Join(c.then, path), filepath.Join(c.now, path))
			c.same[path] = same
		}
		if !same {
			out = append(out, path)
		}
	}
	return out
}

// sameTree reports whether two files, or two folders with all that is below, have the same names and contents. When in doubt they do not.
func sameTree(a, b string) bool {
	filesA, errA := filesBelow(a)
	filesB, errB := filesBelow(b)
	if errA != nil || errB != nil || !slices.Equal(filesA, filesB) {
		return false
	}
	for _, name := range filesA {
		contentA, errA := os.ReadFile(filepath.Join(a, name))
		contentB, errB := os.ReadFile(filepath.Join(b, name))
		if errA != nil || errB != nil || !bytes.Equal(contentA, contentB) {
			return false
		}
	}
	return true
}

// filesBelow lists what is not a folder, "." for a file itself; nothing where there is nothing.
func filesBelow(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) && path == dir {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out = append(out, rel)
		return err
	})
	return out, err
}
