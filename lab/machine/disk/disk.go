package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// User is an account of the machine.
type User struct {
	Name     string
	UID, GID int
	Home     string
}

// Root is the superuser.
func Root() User { return User{Name: "root", Home: "/root"} }

// Change is one alteration of the machine's disk.
type Change struct {
	// Kind is create, write, remove, rename, mode, owner, time, folder or link.
	Kind string
	// Path is where; a rename is told for both of its names.
	Path string
}

// Generated supplies files that exist without lying on the disk: /proc, /dev, the programs of /usr/bin.
type Generated interface {
	// File returns the content and mode of a generated file, ok=false when there is none of that path.
	File(path string) (content []byte, mode fs.FileMode, ok bool)
	// Names lists the generated files of a folder.
	Names(dir string) []string
}

// Options of a new Disk.
type Options struct {
	// Root is the real folder. It must exist.
	Root string
	// Generated may be nil.
	Generated Generated
}

// Disk is one machine's file system. It is safe for concurrent use.
type Disk struct {
	root      string
	generated Generated
	full      atomic.Bool

	mu     sync.Mutex
	owners map[string]owner
	// unsynced are the files that a power cut would empty, by inode, and when they were written.
	unsynced map[uint64]time.Time
}

// owner is what the real file system does not hold for a path.
type owner struct {
	UID  int         `json:"uid,omitempty"`
	GID  int         `json:"gid,omitempty"`
	Mode fs.FileMode `json:"mode"` // permission, sticky, setuid and setgid bits
	// folder is not kept: root may enter any.
	folder bool
}

// New opens the disk in a real folder.
func New(o Options) *Disk {
	return &Disk{root: o.Root, generated: o.Generated, owners: map[string]owner{}, unsynced: map[uint64]time.Time{}}
}

// Real is where a path of the machine lies on the real file system. Links in it are not resolved.
func (d *Disk) Real(path string) string { return filepath.Join(d.root, filepath.Clean("/"+path)) }

// SetFull makes every further write fail with "no space left on device", or stops that.
func (d *Disk) SetFull(full bool) { d.full.Store(full) }

// Full reports whether the disk is full.
func (d *Disk) Full() bool { return d.full.Load() }

// modeBits are the bits of a mode that an owner may set.
const modeBits = fs.ModePerm | fs.ModeSticky | fs.ModeSetuid | fs.ModeSetgid

// ownerOf is the owner and mode of a resolved path whose real mode is known.
func (d *Disk) ownerOf(path string, real fs.FileMode) owner {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o, ok := d.owners[path]; ok {
		return o
	}
	return owner{Mode: real & modeBits}
}

// setOwner records owner and mode, on the real file too as far as the lab can still work with it.
func (d *Disk) setOwner(path string, o owner) error {
	fi, err := os.Lstat(d.Real(path))
	if err != nil {
		return err
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		d.mu.Lock()
		defer d.mu.Unlock()
		if o.Mode = fi.Mode() & modeBits; o.UID == 0 && o.GID == 0 {
			delete(d.owners, path)
		} else {
			d.owners[path] = o
		}
		return nil
	}
	real := o.Mode | 0o600
	if fi.IsDir() {
		real |= 0o700
	}
	if fi.Mode()&modeBits != real {
		if err := os.Chmod(d.Real(path), real); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.UID == 0 && o.GID == 0 && o.Mode == real {
		delete(d.owners, path) // the real file says it all
	} else {
		d.owners[path] = o
	}
	return nil
}

// shareOwner gives a file's second name what is recorded of the first.
func (d *Disk) shareOwner(name, second string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o, ok := d.owners[name]; ok {
		d.owners[second] = o
	} else {
		delete(d.owners, second)
	}
}

// forget drops what was recorded of a path and all below it.
func (d *Disk) forget(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for p := range d.owners {
		if within(p, path) {
			delete(d.owners, p)
		}
	}
}

// moveOwners follows a rename.
func (d *Disk) moveOwners(from, to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	moved := map[string]owner{}
	for p, o := range d.owners {
		switch {
		case within(p, from):
			moved[to+strings.TrimPrefix(p, from)] = o
			delete(d.owners, p)
		case within(p, to):
			delete(d.owners, p)
		}
	}
	for p, o := range moved {
		d.owners[p] = o
	}
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
