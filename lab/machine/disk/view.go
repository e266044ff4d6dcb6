package disk

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// View is a Disk as one user sees it from one working directory. Its errors are *fs.PathError with the path that was asked for.
type View struct {
	disk  *Disk
	user  User
	dir   string
	umask fs.FileMode
	note  func(Change)
	// forgets: what is written through it must be synced to last a power cut.
	forgets bool
}

// As is the disk as a user sees it. note hears of every change made through the view; it may be nil.
func (d *Disk) As(u User, note func(Change)) View {
	if note == nil {
		note = func(Change) {}
	}
	return View{disk: d, user: u, dir: "/", umask: 0o022, note: note}
}

// Forgetful is the view through which what is written must be synced to last a power cut.
func (v View) Forgetful() View { v.forgets = true; return v }

// In is the view from another working directory.
func (v View) In(dir string) View { v.dir = dir; return v }

// WithUmask is the view with another mask for the modes of new files.
func (v View) WithUmask(m fs.FileMode) View { v.umask = m; return v }

// Disk is the disk below.
func (v View) Disk() *Disk { return v.disk }

func fail(op, p string, err error) error {
	if err == nil {
		return nil
	}
	if pe, ok := err.(*fs.PathError); ok {
		err = pe.Err
	}
	if le, ok := err.(*os.LinkError); ok {
		err = le.Err
	}
	return &fs.PathError{Op: op, Path: p, Err: err}
}

// Resolve is the path without links.
func (v View) Resolve(p string) (string, error) {
	q, err := v.resolve(p, true)
	return q, fail("resolve", p, err)
}

// Stat describes a file, following links.
func (v View) Stat(p string) (Info, error) { return v.stat(p, true) }

// Lstat describes a file or the link itself.
func (v View) Lstat(p string) (Info, error) { return v.stat(p, false) }

func (v View) stat(p string, follow bool) (Info, error) {
	q, err := v.resolve(p, follow)
	if err != nil {
		return Info{}, fail("stat", p, err)
	}
	fi, err := v.describe(q)
	return fi, fail("stat", p, err)
}

// describe is what a path without links has.
func (v View) describe(q string) (Info, error) {
	fi, err := os.Lstat(v.disk.Real(q))
	if err != nil {
		if g, ok := v.generatedInfo(q); ok {
			return g, nil
		}
		return Info{}, err
	}
	return Info{FileInfo: fi, name: path.Base(q), owner: v.disk.ownerOf(q, fi.Mode())}, nil
}

// Access checks a permission on a file; nil means granted.
func (v View) Access(p string, want fs.FileMode) error {
	fi, err := v.Stat(p)
	if err != nil {
		return err
	}
	o := fi.owner
	o.folder = fi.IsDir()
	return fail("access", p, v.may(o, want))
}

// ReadDir lists a folder, sorted by name.
func (v View) ReadDir(p string) ([]Info, error) {
	q, names, err := v.list(p)
	if err != nil {
		return nil, err
	}
	var infos []Info
	for _, n := range names {
		if i, err := v.stat(path.Join(q, n), false); err == nil {
			infos = append(infos, i)
		}
	}
	return infos, nil
}

// list is the folder that a path leads to, and the names in it, sorted.
func (v View) list(p string) (folder string, names []string, err error) {
	q, err := v.resolve(p, true)
	if err != nil {
		return "", nil, fail("stat", p, err)
	}
	fi, err := v.describe(q)
	if err != nil {
		return "", nil, fail("stat", p, err)
	}
	if !fi.IsDir() {
		return "", nil, fail("open", p, syscall.ENOTDIR)
	}
	if err := v.may(fi.owner, Read); err != nil {
		return "", nil, fail("open", p, err)
	}
	if es, err := os.ReadDir(v.disk.Real(q)); err == nil {
		for _, e := range es {
			names = append(names, e.Name())
		}
	}
	if v.disk.generated != nil {
		names = append(names, v.disk.generated.Names(q)...)
	}
	slices.Sort(names)
	return q, slices.Compact(names), nil
}

// Entries lists a folder by name, as ReadDir does, without a look at what it holds.
func (v View) Entries(p string) ([]fs.DirEntry, error) {
	q, names, err := v.list(p)
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, len(names))
	for i, n := range names {
		entries[i] = entry{v, path.Join(q, n)}
	}
	return entries, nil
}

// entry is a file of a folder, described when it is asked for.
type entry struct {
	view View
	path string
}

func (e entry) Name() string               { return path.Base(e.path) }
func (e entry) IsDir() bool                { return e.Type().IsDir() }
func (e entry) Info() (fs.FileInfo, error) { return e.view.Lstat(e.path) }
func (e entry) Type() fs.FileMode {
	fi, err := e.Info()
	if err != nil {
		return fs.ModeIrregular // gone meanwhile
	}
	return fi.Mode().Type()
}

// Readlink is what a symbolic link holds.
func (v View) Readlink(p string) (string, error) {
	q, err := v.resolve(p, false)
	if err != nil {
		return "", fail("readlink", p, err)
	}
	s, err := os.Readlink(v.disk.Real(q))
	return s, fail("readlink", p, err)
}

// Mkdir creates a folder. The mask does not apply: the caller decides.
func (v View) Mkdir(p string, mode fs.FileMode) error {
	q, err := v.resolve(p, true)
	if err == nil {
		err = v.alter(q, func() error { return os.Mkdir(v.disk.Real(q), 0o700) })
	}
	if err == nil {
		err = v.created(q, mode, "folder")
	}
	return fail("mkdir", p, err)
}

// MkdirAll creates a folder and those above it.
func (v View) MkdirAll(p string, mode fs.FileMode) error {
	if fi, err := v.Stat(p); err == nil {
		if fi.IsDir() {
			return nil
		}
		return fail("mkdir", p, syscall.ENOTDIR)
	}
	if up := path.Dir(strings.TrimRight(p, "/")); up != p {
		if err := v.MkdirAll(up, 0o777&^v.umask); err != nil {
			return err
		}
	}
	return v.Mkdir(p, mode)
}

// Remove deletes a file or an empty folder.
func (v View) Remove(p string) error {
	q, err := v.resolve(strings.TrimRight(p, "/"), false)
	if fi, serr := os.Lstat(v.disk.Real(q)); err == nil && serr == nil && strings.HasSuffix(p, "/") && !fi.IsDir() {
		err = syscall.ENOTDIR
	}
	if err == nil {
		err = v.mayAlter(q)
	}
	if err == nil {
		err = os.Remove(v.disk.Real(q))
	}
	if err == nil {
		v.disk.forget(q)
		v.note(Change{"remove", q})
	}
	return fail("remove", p, err)
}

// RemoveAll deletes a file or a whole folder; what is not there is no error.
func (v View) RemoveAll(p string) error {
	q, err := v.resolve(p, false)
	if err == nil {
		if _, serr := os.Lstat(v.disk.Real(q)); serr != nil {
			return nil
		}
		err = v.mayAlter(q)
	}
	if err == nil {
		err = os.RemoveAll(v.disk.Real(q))
	}
	if err == nil {
		v.disk.forget(q)
		v.note(Change{"remove", q})
	}
	return fail("remove", p, err)
}

// Rename moves a file, replacing what has the new name.
func (v View) Rename(from, to string) error {
	a, err := v.resolve(from, false)
	if err != nil {
		return fail("rename", from, err)
	}
	b, err := v.resolve(to, false)
	if err == nil {
		err = v.mayAlter(a)
	}
	if err == nil {
		err = v.mayAlter(b)
	}
	if err == nil {
		err = syscall.Rename(v.disk.Real(a), v.disk.Real(b)) // os.Rename refuses what rename(2) does: take the place of an empty folder
	}
	if err == nil {
		v.disk.moveOwners(a, b)
		v.note(Change{"rename", a})
		v.note(Change{"rename", b})
	}
	return fail("rename", from, err)
}

// Symlink creates a symbolic link.
func (v View) Symlink(target, p string) error {
	q, err := v.resolve(p, false)
	if err == nil {
		err = v.alter(q, func() error { return os.Symlink(target, v.disk.Real(q)) })
	}
	if err == nil {
		err = v.created(q, fs.ModePerm, "link")
	}
	return fail("symlink", p, err)
}

// Link gives a file a second name.
func (v View) Link(from, to string) error {
	a, err := v.resolve(from, false)
	if err == nil {
		err = v.mayLink(a)
	}
	if err != nil {
		return fail("link", from, err)
	}
	b, err := v.resolve(to, false)
	if err == nil {
		err = v.alter(b, func() error { return os.Link(v.disk.Real(a), v.disk.Real(b)) })
	}
	if err == nil {
		v.disk.shareOwner(a, b)
		v.note(Change{"link", b})
	}
	return fail("link", to, err)
}

// mayLink is fs.protected_hardlinks, which Debian sets: others' files get no new name from those who may not read and write them.
func (v View) mayLink(q string) error {
	fi, err := os.Lstat(v.disk.Real(q))
	if err != nil || v.user.UID == 0 || fi.Mode()&fs.ModeSymlink != 0 {
		return err
	}
	o := v.disk.ownerOf(q, fi.Mode())
	if o.UID != v.user.UID && v.may(o, Read|Write) != nil {
		return syscall.EPERM
	}
	return nil
}

// Chmod sets a file's mode; only its owner and root may.
func (v View) Chmod(p string, mode fs.FileMode) error {
	return v.setOwner("chmod", "mode", p, true, func(o *owner) error {
		if v.user.UID != 0 && v.user.UID != o.UID {
			return syscall.EPERM
		}
		o.Mode = mode & modeBits
		return nil
	})
}

// Chown sets a file's owner (-1 leaves a part as it is); only root may.
func (v View) Chown(p string, uid, gid int) error { return v.chown(p, uid, gid, true) }

// Lchown is Chown of a link itself.
func (v View) Lchown(p string, uid, gid int) error { return v.chown(p, uid, gid, false) }

func (v View) chown(p string, uid, gid int, follow bool) error {
	return v.setOwner("chown", "owner", p, follow, func(o *owner) error {
		if v.user.UID != 0 {
			return syscall.EPERM
		}
		if uid >= 0 {
			o.UID = uid
		}
		if gid >= 0 {
			o.GID = gid
		}
		return nil
	})
}

func (v View) setOwner(op, kind, p string, follow bool, set func(*owner) error) error {
	q, err := v.resolve(p, follow)
	if err != nil {
		return fail(op, p, err)
	}
	fi, err := os.Lstat(v.disk.Real(q))
	if err != nil {
		return fail(op, p, err)
	}
	before := v.disk.ownerOf(q, fi.Mode())
	after := before
	if err := set(&after); err != nil {
		return fail(op, p, err)
	}
	if after == before {
		return nil
	}
	if err := v.disk.setOwner(q, after); err != nil {
		return fail(op, p, err)
	}
	v.note(Change{kind, q})
	return nil
}

// Chtimes sets when a file was read and written last; a zero time leaves what there is.
func (v View) Chtimes(p string, access, modify time.Time) error {
	q, err := v.resolve(p, true)
	if err == nil {
		err = os.Chtimes(v.disk.Real(q), access, modify)
	}
	if err == nil {
		v.note(Change{"time", q})
	}
	return fail("touch", p, err)
}

// alter runs something that adds an entry to a folder.
func (v View) alter(q string, do func() error) error {
	if err := v.mayAlter(q); err != nil {
		return err
	}
	return do()
}

func (v View) created(q string, mode fs.FileMode, kind string) error {
	v.note(Change{kind, q})
	return v.disk.setOwner(q, owner{UID: v.user.UID, GID: v.user.GID, Mode: mode & modeBits})
}
