package overlay

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxFile bounds one file of a kustomize tree, in bytes. Bundles of definitions have a few million.
const maxFile = 32 << 20

// errLeadsOut is why a path is not followed: nothing outside of the fleet's repository is in the commit.
var errLeadsOut = errors.New("it leads out of the fleet's repository, by its path or by a link")

// inputs are the files that were read for a build, and where links lead. kustomize is given exactly these.
type inputs struct {
	// root is the fleet's folder with all links followed; paths are told by the fleet's own name.
	root  string
	files map[string][]byte
	links map[string]string
	// written and expanded are the sizes of all documents, as they are written and with their aliases put in.
	written, expanded int
}

// locate follows the links of a path, and says where it leads within the fleet.
func (t *Tree) locate(path string) (string, error) {
	if to, known := t.in.links[path]; known {
		return to, nil
	}
	to, err := within(t.in.root, path)
	if err == nil && isRecord(to) {
		err = errLeadsOut
	}
	if err != nil {
		return "", err
	}
	to = filepath.Join(t.fleet, to)
	t.in.links[path] = to
	return to, nil
}

// within follows the links of a path, and gives it relative to a root whose links are followed.
func within(root, path string) (string, error) {
	to, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, to)
	if err != nil || !filepath.IsLocal(rel) || isGits(rel) {
		return "", errLeadsOut
	}
	return rel, nil
}

// isGits reports whether a path within the fleet is git's own: the configuration there holds the token that a job has fetched with.
func isGits(rel string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), func(name string) bool { return strings.EqualFold(name, ".git") })
}

// isRecord reports whether a path within the fleet is of the folder that kiban keeps beside what is committed: backups, plans, runs, and
// secrets of whoever runs it.
func isRecord(rel string) bool {
	first, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
	return strings.EqualFold(first, ".kiban")
}

// load reads a file of the fleet.
func (t *Tree) load(path string) ([]byte, error) {
	to, err := t.locate(path)
	if err != nil {
		return nil, err
	}
	if b, known := t.in.files[to]; known {
		return b, nil
	}
	b, err := ReadPlain(to)
	if err == nil {
		t.in.files[to] = b
	}
	return b, err
}

// ReadPlain reads a plain file that is not too large: a pipe would be waited for, and a device has no end.
func ReadPlain(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no plain file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("it has %d MiB, and more than %d are not read", info.Size()>>20, maxFile>>20)
	}
	return os.ReadFile(path)
}

// InFleet says where a path of a fleet leads, with its links followed; an error when that is outside of it, or nowhere. Of what is not
// there the path alone is judged.
func InFleet(fleet, path string) (string, error) {
	root, err := filepath.EvalSymlinks(fleet)
	if err != nil {
		return "", err
	}
	rel, err := within(root, path)
	if errors.Is(err, fs.ErrNotExist) && !isBelow(fleet, filepath.Clean(path)) && !isBelow(root, filepath.Clean(path)) {
		return "", errLeadsOut
	}
	if err != nil {
		return "", err
	}
	return filepath.Join(root, rel), nil
}

// InCommit is InFleet for what is content: what kiban keeps beside what is committed is outside of it, too.
func InCommit(fleet, path string) (string, error) {
	to, err := InFleet(fleet, path)
	if err != nil {
		return "", err
	}
	if root, err := filepath.EvalSymlinks(fleet); err == nil {
		if rel, err := filepath.Rel(root, to); err == nil && isRecord(rel) {
			return "", errLeadsOut
		}
	}
	return to, nil
}

// LeadsOut reports whether an error says that a path leads out of the fleet.
func LeadsOut(err error) bool { return errors.Is(err, errLeadsOut) }

var (
	fetchedForm = regexp.MustCompile(`(?i)^(https?:|git::|github\.com[:/]|[a-z][-a-z0-9]*@[^/]*:)`)
	refForm     = regexp.MustCompile(`\?(.*&)?(ref|version|timeout|submodules)=`)
)

// fetched reports whether kustomize would take a path for a URL or a repository, and fetch it. It looks for that before it looks whether a
// file or folder has the name: "http:/host" is a URL to it, and can be a folder.
func fetched(ref string) bool {
	return strings.Contains(ref, "://") || fetchedForm.MatchString(ref) || refForm.MatchString(ref)
}

// exactly is a file system of the files that were read, and of nothing else: what kustomize asks for beside them is not there.
type exactly struct {
	*inputs
	dirs map[string]bool
}

func (in *inputs) exactly() exactly {
	e := exactly{inputs: in, dirs: map[string]bool{}}
	for file := range in.files {
		for dir := filepath.Dir(file); !e.dirs[dir]; dir = filepath.Dir(dir) {
			e.dirs[dir] = true
		}
	}
	return e
}

func missingFile(op, path string) error {
	return &fs.PathError{Op: op, Path: path, Err: fs.ErrNotExist}
}

var errReadOnly = errors.New("a build changes no files")

// resolve gives a path as the maps have it.
func (e exactly) resolve(path string) string {
	path = filepath.Clean(path)
	if to, known := e.links[path]; known {
		return to
	}
	return path
}

func (e exactly) read(path string) ([]byte, error) {
	b, ok := e.files[e.resolve(path)]
	if !ok {
		return nil, missingFile("open", path)
	}
	return slices.Clone(b), nil
}

func (e exactly) exists(path string) bool {
	_, file := e.files[e.resolve(path)]
	return file || e.IsDir(path)
}

// IsDir reports whether something that was read lies below a path.
func (e exactly) IsDir(path string) bool { return e.dirs[e.resolve(path)] }
