package depottest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"kiban.dev/kiban/lifecycle"
)

// Memory is a place that lasts as long as the test. Its zero value is empty.
type Memory struct {
	// Fail, if not nil, is asked before each call, by the method's name and the file's; its error is the call's.
	Fail func(method, name string) error
	// Alter, if not nil, changes what is read back.
	Alter func(name string, content []byte) []byte

	mu    sync.Mutex
	files map[string][]byte
}

func (m *Memory) may(ctx context.Context, method, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Fail == nil {
		return nil
	}
	return m.Fail(method, name)
}

// Put stores a file.
func (m *Memory) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	if err := m.may(ctx, "put", name); err != nil {
		return err
	}
	b, err := io.ReadAll(content)
	if err == nil && int64(len(b)) != size {
		err = fmt.Errorf("%d bytes came, %d were announced", len(b), size)
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files == nil {
		m.files = map[string][]byte{}
	}
	m.files[name] = b
	return nil
}

// Open reads a file.
func (m *Memory) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := m.may(ctx, "open", name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.files[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if m.Alter != nil {
		b = m.Alter(name, b)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// List gives the files.
func (m *Memory) List(ctx context.Context) ([]lifecycle.StoredFile, error) {
	if err := m.may(ctx, "list", ""); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []lifecycle.StoredFile
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		out = append(out, lifecycle.StoredFile{Name: name, Size: int64(len(m.files[name]))})
	}
	return out, nil
}

// Remove removes a file.
func (m *Memory) Remove(ctx context.Context, name string) error {
	if err := m.may(ctx, "remove", name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, name)
	return nil
}

// Names are those of its files, sorted.
func (m *Memory) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files))
}

func (m *Memory) String() string { return "memory" }
