package session

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	"kiban.dev/kiban/lifecycle/readiness"
)

// What is read to be changed: files of a fleet, and bytes of each. People write less.
const (
	mostFleetFiles = 20_000
	maxFleetFile   = 4 << 20
)

// FixAPIs writes, in the YAML files of a fleet, what is of APIs that the target does not serve by those that take their place, where only
// apiVersion or names of fields differ. It tells what it changed, and what it left alone and why. Folders and files whose names begin with
// a dot are nobody's manifests, and links lead elsewhere: they are passed over.
func FixAPIs(fleet string, target lifecycle.Version) ([]readiness.Fixed, error) {
	files, modes := map[string][]byte{}, map[string]fs.FileMode{}
	err := filepath.WalkDir(fleet, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != fleet && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			return nil
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxFleetFile {
			return err
		}
		if len(files) == mostFleetFiles {
			return lifecycle.Errorf(fleet, "the fleet has more than %d YAML files", mostFleetFiles).Try("Name fewer: run it in a smaller checkout.")
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(fleet, path)
		files[name], modes[name] = content, info.Mode().Perm()
		return err
	})
	if err != nil {
		return nil, err
	}
	changed, told := readiness.Fix(files, target)
	for name, content := range changed {
		err = errors.Join(err, atomicfile.Write(filepath.Join(fleet, name), content, modes[name]))
	}
	return told, err
}
