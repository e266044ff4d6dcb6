// Package atomicfile writes files that are there whole or as they were, whatever happens meanwhile: the content goes to a file beside the
// place, reaches the disk, and takes its place by a rename, which reaches the disk as well.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Unfinished matches the names of files that a process which was killed left behind.
const Unfinished = ".new-*"

// Write puts content in a file, in the place of what is there. The folder must be there.
func Write(file string, content []byte, mode fs.FileMode) error {
	return Fill(file, mode, bytes(content))
}

// Fill is Write with a content that fill makes. fill may read what it wrote; its error leaves the place as it was, and is returned as it
// is.
func Fill(file string, mode fs.FileMode, fill func(*os.File) error) error {
	return put(file, mode, fill, os.Rename)
}

// Add is Write where there is no file yet: when there is one, the error is fs.ErrExist.
func Add(file string, content []byte, mode fs.FileMode) error {
	return put(file, mode, bytes(content), os.Link)
}

// Try is why a file could not be put there, as far as that can be told before; nil where it can. Nothing is left of it.
func Try(file string) error {
	switch st, err := os.Stat(file); {
	case err == nil && st.IsDir():
		return &fs.PathError{Op: "write", Path: file, Err: syscall.EISDIR}
	case err == nil && !st.Mode().IsRegular(): // a rename would take the place of a device
		return &fs.PathError{Op: "write", Path: file, Err: errors.New("it is no ordinary file")}
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), Unfinished)
	if err != nil {
		return err
	}
	return errors.Join(tmp.Close(), os.Remove(tmp.Name()))
}

func bytes(content []byte) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.Write(content)
		return err
	}
}

func put(file string, mode fs.FileMode, fill func(*os.File) error, place func(from, to string) error) error {
	dir := filepath.Dir(file)
	tmp, err := os.CreateTemp(dir, Unfinished)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when it was renamed
	defer func() { _ = tmp.Close() }()           // again, where it did not come to the end
	if err := fill(tmp); err != nil {
		return err
	}
	if err := errors.Join(tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := place(tmp.Name(), file); err != nil {
		return err
	}
	return SyncDir(dir)
}

// sweepAfter is how old a file must be for nobody to be writing it any more.
const sweepAfter = time.Hour

// Sweep removes what processes that were killed left behind in a folder. What is younger than an hour may still be written.
func Sweep(dir string, now time.Time) error {
	half, err := filepath.Glob(filepath.Join(dir, Unfinished))
	for _, path := range half {
		if st, statErr := os.Lstat(path); statErr == nil && now.Sub(st.ModTime()) > sweepAfter {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// SyncDir makes what was created, renamed or removed in a folder reach the disk.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
