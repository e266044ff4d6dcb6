package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// writeback is when the kernel has written to the disk by itself what a program wrote to a file (vm.dirty_expire_centisecs).
const writeback = 30 * time.Second

// wrote notes that a file holds what a power cut would take. It is told by inode, so that it stays with the file when that is renamed.
func (d *Disk) wrote(f *os.File) {
	if fi, err := f.Stat(); err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.unsynced[inode(fi)] = time.Now()
	}
}

// inode is a file's number on the real file system.
func inode(fi fs.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// Sync makes last what the files at these paths hold; with none, what all files do.
func (v View) Sync(paths ...string) error {
	d := v.disk
	if len(paths) == 0 {
		d.mu.Lock()
		defer d.mu.Unlock()
		clear(d.unsynced)
		return nil
	}
	for _, p := range paths {
		q, err := v.resolve(p, true)
		if err != nil {
			return fail("open", p, err)
		}
		fi, err := os.Lstat(d.Real(q))
		if err != nil {
			continue // a generated file
		}
		d.mu.Lock()
		delete(d.unsynced, inode(fi))
		d.mu.Unlock()
	}
	return nil
}

// LoseUnsynced is what a power cut does to the disk: a file that was written a moment ago, and not synced, is there under the name that it
// has, and empty. That is what file systems leave that write names before contents. What lies under /run was memory, and is gone. It gives
// the files that were lost.
func (d *Disk) LoseUnsynced() ([]string, error) {
	d.mu.Lock()
	lost := d.unsynced
	d.unsynced = map[uint64]time.Time{}
	d.mu.Unlock()
	var paths []string
	err := filepath.WalkDir(d.root, func(real string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		path := strings.TrimPrefix(real, d.root)
		if strings.HasPrefix(path, "/run/") {
			return os.Remove(real)
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		if at, ok := lost[inode(fi)]; !ok || fi.Size() == 0 || time.Since(at) > writeback {
			return nil
		}
		paths = append(paths, path)
		return os.Truncate(real, 0)
	})
	slices.Sort(paths)
	return paths, err
}
