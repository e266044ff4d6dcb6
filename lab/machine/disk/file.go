package disk

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// File is an open file of the machine.
type File interface {
	io.ReadWriteCloser
	io.Seeker
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
}

// Open opens a file with os.O_ flags. A new one belongs to the user and has the mode that umask leaves of perm.
func (v View) Open(p string, flags int, perm fs.FileMode) (File, error) {
	f, err := v.open(p, flags, perm)
	return f, fail("open", p, err)
}

func (v View) open(p string, flags int, perm fs.FileMode) (File, error) {
	q, err := v.resolve(p, true)
	if err != nil {
		return nil, err
	}
	if f, ok := v.openGenerated(q, flags); ok {
		return f, nil
	}
	fi, err := os.Lstat(v.disk.Real(q))
	absent := err != nil
	if strings.HasSuffix(p, "/") && (absent && flags&os.O_CREATE != 0 || !absent && !fi.IsDir()) {
		return nil, syscall.ENOTDIR
	}
	if absent {
		if flags&os.O_CREATE == 0 {
			return nil, syscall.ENOENT
		}
		if err := v.mayAlter(q); err != nil {
			return nil, err
		}
	} else if err := v.mayOpen(q, fi, flags); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(v.disk.Real(q), flags, 0o600)
	if err != nil {
		return nil, err
	}
	if absent {
		if err := v.created(q, perm&^v.umask, "create"); err != nil {
			f.Close()
			return nil, err
		}
	}
	touched := absent
	if !absent && flags&os.O_TRUNC != 0 && fi.Size() > 0 {
		touched = true
		v.note(Change{"write", q})
	}
	return &file{File: f, view: v, path: q, noted: touched}, nil
}

func (v View) mayOpen(q string, fi fs.FileInfo, flags int) error {
	writes := flags&(os.O_WRONLY|os.O_RDWR|os.O_APPEND|os.O_TRUNC) != 0
	if fi.IsDir() && writes {
		return syscall.EISDIR
	}
	want := Read
	if writes {
		want = Write
	}
	if flags&os.O_RDWR != 0 {
		want = Read | Write
	}
	return v.may(v.disk.ownerOf(q, fi.Mode()), want)
}

// ReadFile reads a whole file.
func (v View) ReadFile(p string) ([]byte, error) {
	f, err := v.Open(p, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return b, fail("read", p, err)
}

// WriteFile creates or overwrites a file. perm counts for a new one only; the mask does not apply.
func (v View) WriteFile(p string, b []byte, perm fs.FileMode) error {
	f, err := v.WithUmask(0).Open(p, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return fail("write", p, err)
}

// file is a real file that counts its writes and obeys a full disk.
type file struct {
	*os.File
	view  View
	path  string
	noted bool
}

// Plain is the real file, for those that only read.
func (f *file) Plain() *os.File { return f.File }

func (f *file) write(n int) error {
	if n > 0 && f.view.disk.Full() {
		return syscall.ENOSPC
	}
	if !f.noted {
		f.noted = true
		f.view.note(Change{"write", f.path})
	}
	if f.view.forgets {
		f.view.disk.wrote(f.File)
	}
	return nil
}

func (f *file) Write(p []byte) (int, error) {
	if err := f.write(len(p)); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if err := f.write(len(p)); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

// ReadFrom hides the real file's own, which would bypass Write.
func (f *file) ReadFrom(r io.Reader) (int64, error) { return io.Copy(struct{ io.Writer }{f}, r) }

func (f *file) Truncate(size int64) error {
	if err := f.write(0); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (v View) openGenerated(q string, flags int) (File, bool) {
	if q == "/dev/null" {
		return &memory{Reader: bytes.NewReader(nil)}, true
	}
	if v.disk.generated == nil || flags&(os.O_WRONLY|os.O_RDWR) != 0 {
		return nil, false
	}
	b, _, ok := v.disk.generated.File(q)
	if !ok {
		return nil, false
	}
	return &memory{Reader: bytes.NewReader(b)}, true
}

// memory is an open generated file: it swallows what is written.
type memory struct{ *bytes.Reader }

func (m *memory) Write(p []byte) (int, error)            { return len(p), nil }
func (m *memory) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (m *memory) Truncate(int64) error                   { return nil }
func (m *memory) Close() error                           { return nil }

// Info describes a file with the machine's owner and mode.
type Info struct {
	fs.FileInfo
	name  string
	owner owner
}

func (i Info) Name() string      { return i.name }
func (i Info) Mode() fs.FileMode { return i.FileInfo.Mode()&^modeBits | i.owner.Mode }
func (i Info) UID() int          { return i.owner.UID }
func (i Info) GID() int          { return i.owner.GID }

func (v View) generatedInfo(q string) (Info, bool) {
	if v.disk.generated == nil {
		return Info{}, false
	}
	if q == "/dev/null" {
		return generatedInfo(q, 0, fs.ModeDevice|fs.ModeCharDevice|0o666), true
	}
	if b, mode, ok := v.disk.generated.File(q); ok {
		return generatedInfo(q, len(b), mode), true
	}
	if v.generatedBelow(q) {
		return generatedInfo(q, 0, fs.ModeDir|0o755), true
	}
	return Info{}, false
}

func generatedInfo(q string, size int, mode fs.FileMode) Info {
	return Info{FileInfo: plain{path.Base(q), int64(size), mode}, name: path.Base(q), owner: owner{Mode: mode & modeBits}}
}

type plain struct {
	name string
	size int64
	mode fs.FileMode
}

func (p plain) Name() string       { return p.name }
func (p plain) Size() int64        { return p.size }
func (p plain) Mode() fs.FileMode  { return p.mode }
func (p plain) ModTime() time.Time { return time.Unix(1700000000, 0) }
func (p plain) IsDir() bool        { return p.mode.IsDir() }
func (p plain) Sys() any           { return nil }
