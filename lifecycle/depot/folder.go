package depot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// folder is a path on this machine. It is not made: where a mount is missing, what would be written below is no backup that outlives
// anything.
type folder string

func (f folder) there() error {
	st, err := os.Stat(string(f))
	if err == nil && !st.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return fmt.Errorf("is it mounted? %w", err)
	}
	return nil
}

func (f folder) put(_ context.Context, name string, content io.Reader, size int64) error {
	if err := f.there(); err != nil {
		return err
	}
	return atomicfile.Fill(filepath.Join(string(f), name), 0o600, func(file *os.File) error {
		n, err := io.Copy(file, content)
		if err == nil && n != size {
			err = fmt.Errorf("%d bytes came, %d were announced", n, size)
		}
		return err
	})
}

func (f folder) open(_ context.Context, name string) (io.ReadCloser, error) {
	if err := f.there(); err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(string(f), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errMissing
	}
	return file, err
}

func (f folder) list(context.Context) ([]lifecycle.StoredFile, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fmt.Errorf("is it mounted? %w", err)
	}
	var out []lifecycle.StoredFile
	for _, e := range entries {
		if st, err := e.Info(); err == nil && st.Mode().IsRegular() {
			out = append(out, lifecycle.StoredFile{Name: e.Name(), Size: st.Size()})
		}
	}
	return out, nil
}

func (f folder) remove(_ context.Context, name string) error {
	if err := f.there(); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(string(f), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
