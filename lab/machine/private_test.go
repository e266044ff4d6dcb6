package machine

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesAreNobodyElses: a lab may stand for a site of somebody. What it writes down is its owner's alone, but for releases; files of
// machines have the modes that they are to have there, in a folder that nobody else comes into.
func TestFilesAreNobodyElses(t *testing.T) {
	l := lab(t, 1, 1)
	run(l.Machine("worker-1"), "root", "echo x > /tmp/x", "")
	machines, found := filepath.Join(l.opts.Dir, "machines"), 0
	err := filepath.WalkDir(l.opts.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == l.opts.Dir || path == l.MirrorDir() {
			if path == l.MirrorDir() {
				return fs.SkipDir
			}
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		found++
		if info.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(path, ".pub") {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		if path == machines {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil || found < 5 {
		t.Errorf("%d files, %v", found, err)
	}
}
