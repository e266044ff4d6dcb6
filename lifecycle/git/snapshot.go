package git

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"kiban.dev/kiban/lifecycle"
)

// History is the repository of a fleet, to be asked what the fleet was at several revisions: what they have in common is read once. Its
// methods, and those of its snapshots, may be called at once.
type History struct {
	repository
	fleet string
	// mu guards the rest, and the repository: go-git's storage is not made for several readers.
	mu      sync.Mutex
	folders map[plumbing.Hash]folder
	plain   map[plumbing.Hash]bool // below these is no link
}

// folder is what one tree of git holds.
type folder struct {
	entries []object.TreeEntry
	// files and folders are, by their names, what git calls their contents; links and submodules are in neither.
	files, folders map[string]string
}

// Snapshot is a fleet as a commit has it. Nothing is written out but what is asked for.
type Snapshot struct {
	of       *History
	revision string // as it was asked for
	commit   plumbing.Hash
	root     plumbing.Hash
}

// Open opens the repository that a fleet is in. What stops it is a lifecycle.Diagnostic.
func Open(fleet string) (*History, error) {
	r, err := open(fleet)
	if err != nil {
		return nil, err
	}
	return &History{repository: r, fleet: fleet, folders: map[plumbing.Hash]folder{}, plain: map[plumbing.Hash]bool{}}, nil
}

// At is the fleet at a revision. What stops it is a lifecycle.Diagnostic, which names the fetch that is missing if one is: symbolic links
// and submodules among the declarations do, for they lead to what the commit does not hold.
func (h *History) At(revision string) (*Snapshot, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	commit, err := h.resolve(revision)
	if err != nil {
		return nil, err
	}
	tree, err := h.fleetAt(commit)
	switch {
	case errors.Is(err, object.ErrDirectoryNotFound):
		return nil, lifecycle.Errorf("", "there was no fleet at %s", revision).
			Because(fmt.Sprintf("Commit %s has no folder %s.", short(commit.Hash), h.prefix)).
			Try("Name a later revision.").
			From(err)
	case err != nil:
		return nil, h.unreadable(revision, commit.Hash, err)
	}
	s := &Snapshot{of: h, revision: revision, commit: commit.Hash, root: tree.Hash}
	links, err := h.links(tree.Hash, "")
	if err != nil {
		return nil, h.unreadable(revision, commit.Hash, err)
	}
	if len(links) > 0 {
		return nil, refuse(revision, links)
	}
	return s, nil
}

// Revision is the commit's full name.
func (s *Snapshot) Revision() string { return s.commit.String() }

// Entries are the files and folders right below a folder of the fleet, "" being the fleet's own, with what git calls what they hold: the
// same name is the same content. There are none where the commit has no such folder. The maps are not to be changed.
func (s *Snapshot) Entries(dir string) (files, folders map[string]string, err error) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	hash, found, err := s.find(dir)
	if err != nil || !found {
		return nil, nil, s.unreadable(err)
	}
	f, err := s.of.folder(hash)
	return f.files, f.folders, s.unreadable(err)
}

// Content is a file's, as Write writes it. It is not whole where it is kept by Git LFS, and not in this clone.
func (s *Snapshot) Content(name string) (content []byte, whole bool, err error) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	hash, found, err := s.find(parent(name))
	if err != nil {
		return nil, false, s.unreadable(err)
	}
	f, err := s.of.folder(hash)
	blob, is := f.files[path.Base(name)]
	if err != nil || !found || !is {
		return nil, false, errors.Join(s.unreadable(err), fmt.Errorf("commit %s has no file %s", short(s.commit), name))
	}
	content, whole, err = s.of.content(plumbing.NewHash(blob))
	return content, whole, s.unreadable(err)
}

// Write writes what the commit has at and below the named files and folders, "" being all, into a folder. Nothing is written outside of
// it, whatever a tree calls its files. Declarations that are kept by Git LFS, and not in this clone, are a lifecycle.Diagnostic.
func (s *Snapshot) Write(into string, names ...string) error {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer root.Close()
	var pointers []string
	for _, name := range names {
		left, err := s.write(root, name)
		if err != nil {
			return s.unreadable(err)
		}
		pointers = append(pointers, left...)
	}
	if len(pointers) > 0 {
		return s.of.refusePointers(s.revision, s.commit, pointers)
	}
	return nil
}

// write writes a file, or all below a folder, and gives the declarations that are not whole.
func (s *Snapshot) write(root *os.Root, name string) (pointers []string, err error) {
	if hash, found, err := s.find(name); found || err != nil {
		return s.writeBelow(root, name, hash, err)
	}
	hash, found, err := s.find(parent(name))
	if err != nil || !found {
		return nil, err
	}
	f, err := s.of.folder(hash)
	for _, e := range f.entries {
		if e.Name == path.Base(name) && isFile(e) {
			return s.writeFile(root, name, e)
		}
	}
	return nil, err
}

func (s *Snapshot) writeBelow(root *os.Root, name string, hash plumbing.Hash, err error) (pointers []string, _ error) {
	if err != nil {
		return nil, err
	}
	f, err := s.of.folder(hash)
	if err != nil {
		return nil, err
	}
	for _, e := range f.entries {
		var left []string
		switch below := path.Join(name, e.Name); {
		case e.Mode == filemode.Dir:
			left, err = s.writeBelow(root, below, e.Hash, nil)
		case isFile(e):
			left, err = s.writeFile(root, below, e)
		}
		if err != nil {
			return pointers, err
		}
		pointers = append(pointers, left...)
	}
	return pointers, nil
}

// writeFile writes a file as a checkout would. Where Git LFS keeps it, and what is kept is not here, it has what git has.
func (s *Snapshot) writeFile(root *os.Root, name string, e object.TreeEntry) (pointers []string, err error) {
	content, whole, err := s.of.content(e.Hash)
	if err != nil {
		return nil, err
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return nil, err
	}
	mode := os.FileMode(0o644)
	if e.Mode == filemode.Executable {
		mode = 0o755
	}
	if !whole && (strings.HasPrefix(name, "clusters/") || strings.HasPrefix(name, "overlays/")) {
		pointers = []string{name}
	}
	return pointers, root.WriteFile(name, content, mode)
}

// Beside are the names right below the fleet's folder that are there and not git's: neither the commit nor HEAD has them. kiban's own
// .kiban/ is not among them.
func (s *Snapshot) Beside() ([]string, error) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	entries, err := os.ReadDir(s.of.fleet)
	if err != nil {
		return nil, err
	}
	held := map[string]bool{".git": true, ".kiban": true, "clusters": true, "overlays": true, lifecycle.FleetFile: true}
	f, err := s.of.folder(s.root)
	if err != nil {
		return nil, s.unreadable(err)
	}
	of := slices.Clone(f.entries)
	if head := s.of.fleetAtHead(); head != nil {
		of = append(of, head.Entries...)
	}
	for _, e := range of {
		held[e.Name] = true
	}
	var out []string
	for _, e := range entries {
		if !held[e.Name()] {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// link makes what lies beside the commit reachable from a folder that it was written into.
func (s *Snapshot) link(into string) error {
	full, err := filepath.Abs(s.of.fleet)
	if err != nil {
		return err
	}
	names, err := s.Beside()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Symlink(filepath.Join(full, name), filepath.Join(into, name)); err != nil {
			return err
		}
	}
	return nil
}

// find is what git calls a folder of the fleet.
func (s *Snapshot) find(dir string) (hash plumbing.Hash, found bool, err error) {
	hash = s.root
	if dir == "" {
		return hash, true, nil
	}
	for name := range strings.SplitSeq(dir, "/") {
		f, err := s.of.folder(hash)
		is, found := f.folders[name]
		if err != nil || !found {
			return hash, false, err
		}
		hash = plumbing.NewHash(is)
	}
	return hash, true, nil
}

// unreadable says of an error that it is in the way of reading the commit.
func (s *Snapshot) unreadable(err error) error {
	if err == nil {
		return nil
	}
	return s.of.unreadable(s.revision, s.commit, err)
}

func (h *History) folder(hash plumbing.Hash) (folder, error) {
	if f, known := h.folders[hash]; known {
		return f, nil
	}
	tree, err := object.GetTree(h.Storer, hash)
	if err != nil {
		return folder{}, err
	}
	f := folder{entries: tree.Entries, files: map[string]string{}, folders: map[string]string{}}
	for _, e := range tree.Entries {
		switch {
		case e.Mode == filemode.Dir:
			f.folders[e.Name] = e.Hash.String()
		case isFile(e):
			f.files[e.Name] = e.Hash.String()
		}
	}
	h.folders[hash] = f
	return f, nil
}

func isFile(e object.TreeEntry) bool {
	return e.Mode != filemode.Dir && e.Mode != filemode.Symlink && e.Mode != filemode.Submodule
}

// content is a blob's; what Git LFS keeps elsewhere comes from there.
func (h *History) content(hash plumbing.Hash) (content []byte, whole bool, err error) {
	blob, err := h.BlobObject(hash)
	if err != nil {
		return nil, false, err
	}
	text, err := (&object.File{Blob: *blob}).Contents()
	if err != nil {
		return nil, false, err
	}
	content, whole = h.unpointed([]byte(text))
	return content, whole, nil
}

// links are the symbolic links and submodules among the declarations.
func (h *History) links(hash plumbing.Hash, dir string) (out []string, err error) {
	if h.plain[hash] && dir != "" {
		return nil, nil
	}
	f, err := h.folder(hash)
	if err != nil {
		return nil, err
	}
	for _, e := range f.entries {
		name := path.Join(dir, e.Name)
		switch {
		case dir == "" && name != "clusters" && name != "overlays":
		case e.Mode == filemode.Dir:
			below, err := h.links(e.Hash, name)
			if err != nil {
				return nil, err
			}
			out = append(out, below...)
		case !isFile(e) && dir != "":
			out = append(out, name)
		}
	}
	h.plain[hash] = dir != "" && len(out) == 0
	return out, nil
}

// Blob is what git calls a content.
func Blob(content []byte) string { return plumbing.ComputeHash(plumbing.BlobObject, content).String() }

// parent is the folder of a file; "" is the fleet's own.
func parent(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}
