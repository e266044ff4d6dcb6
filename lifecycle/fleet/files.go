package fleet

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
)

// side is one of two fleets that are compared.
type side interface {
	// below are the files at or below a path of the fleet, by their names below it, with what git calls their contents; "." is a file
	// itself. There are none where nothing is.
	below(path string) (map[string]string, error)
	// content is what a file holds, and whether that is all of it.
	content(name string) ([]byte, bool, error)
}

// comparison tells which files and folders of a fleet are the same in two places. What was compared once is remembered: sites share their
// bases. Its methods may be called at once.
type comparison struct {
	then, now side
	known     *sync.Map // of a path, what gives whether it is the same
}

func comparisonOf(then, now Declared) (c comparison, err error) {
	c.known = new(sync.Map)
	if c.then, err = then.side(); err == nil {
		c.now, err = now.side()
	}
	return c, err
}

// differing are those of the paths, relative to the fleet, that are not the same.
func (c comparison) differing(paths []string) (out []string) {
	for _, path := range paths {
		once, _ := c.known.LoadOrStore(path, sync.OnceValue(func() bool { return c.same(path) }))
		if !once.(func() bool)() {
			out = append(out, path)
		}
	}
	return out
}

// same reports whether two files, or two folders with all that is below, have the same names and contents. When in doubt they do not.
func (c comparison) same(of string) bool {
	then, isPast := c.then.(*past)
	now, arePast := c.now.(*past)
	return isPast && arePast && then.hasAll(now, of) || c.sameFiles(of)
}

func (c comparison) sameFiles(of string) bool {
	then, errThen := c.then.below(of)
	now, errNow := c.now.below(of)
	if errThen != nil || errNow != nil || len(then) != len(now) {
		return false
	}
	for name, blob := range then {
		is, there := now[name]
		if !there {
			return false
		}
		if blob == is {
			continue
		}
		// Git LFS keeps elsewhere what one side has: git calls that by another name.
		a, wholeA, errA := c.then.content(path.Join(of, name))
		b, wholeB, errB := c.now.content(path.Join(of, name))
		if errA != nil || errB != nil || !wholeA || !wholeB || !bytes.Equal(a, b) {
			return false
		}
	}
	return true
}

// worktree is the side of a fleet as its files are.
type worktree struct {
	dir  string
	work *Work
	blob func([]byte) string
}

func (w worktree) below(of string) (map[string]string, error) {
	is := w.work.at(filepath.Join(w.dir, filepath.FromSlash(of)), w.blob)
	return is.blobs, is.err
}

func (w worktree) content(name string) ([]byte, bool, error) {
	content, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(name)))
	return content, true, err
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
