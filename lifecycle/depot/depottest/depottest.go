// Package depottest holds what every place for backups must do, and a place in memory for tests of those who use one.
package depottest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Place is what the suite asks of a place.
type Place interface {
	Put(ctx context.Context, name string, content io.Reader, size int64) error
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	List(ctx context.Context) ([]lifecycle.StoredFile, error)
	Remove(ctx context.Context, name string) error
	String() string
}

// name is one as backups have them: the plus sign is what some places cannot keep.
const name = "tokyo-prod-v1.35.7+k0s.0-20261121T120000Z.tar.gz.age"

// Conform holds a place, which is empty, to what it must do.
func Conform(t *testing.T, p Place) {
	ctx := t.Context()
	if got, err := p.List(ctx); err != nil || len(got) > 0 {
		t.Fatalf("an empty place has %v, %v", got, err)
	}
	if _, err := p.Open(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening what is not there: %v", err)
	}
	if err := p.Remove(ctx, name); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
	large := make([]byte, 33<<20) // more than one part, one packet, one buffer
	_, _ = rand.Read(large)       // never fails
	contents := map[string][]byte{name: large, name + ".json": []byte(`{"format":1}`), "other-v1.36.3+k0s.2-20261121T120000Z.tar.gz": {0}}
	for name, content := range contents {
		put(t, p, name, content)
	}
	for name, content := range contents {
		holds(t, p, name, content)
	}
	lists(t, p, contents)

	contents[name+".json"] = []byte(`{"format":1,"size":2}`) // the same name again
	put(t, p, name+".json", contents[name+".json"])
	holds(t, p, name+".json", contents[name+".json"])
	lists(t, p, contents)

	if err := p.Put(ctx, "broken-v1.35.7+k0s.0-20261121T120000Z.tar.gz", &breaksOff{}, 1<<20); err == nil {
		t.Error("a content that breaks off was stored")
	}
	lists(t, p, contents)

	for range 2 {
		if err := p.Remove(ctx, name); err != nil {
			t.Error(err)
		}
	}
	delete(contents, name)
	lists(t, p, contents)
	if p.String() == "" {
		t.Error("it has no name for people")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := p.List(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("it does not end with its context: %v", err)
	}
}

func put(t *testing.T, p Place, name string, content []byte) {
	t.Helper()
	if err := p.Put(t.Context(), name, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, p Place, name string, content []byte) {
	t.Helper()
	r, err := p.Open(t.Context(), name)
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%s: %d bytes came back of %d, %v", name, len(got), len(content), err)
	}
}

func lists(t *testing.T, p Place, contents map[string][]byte) {
	t.Helper()
	got, err := p.List(t.Context())
	if err != nil {
		t.Error(err)
	}
	for name, content := range contents {
		if !slices.Contains(got, lifecycle.StoredFile{Name: name, Size: int64(len(content))}) {
			t.Errorf("%s of %d bytes is not among %v", name, len(content), got)
		}
	}
	if len(got) != len(contents) {
		t.Errorf("%d files are listed, there are %d: %v", len(got), len(contents), got)
	}
}

// breaksOff is a content that ends too early.
type breaksOff struct{ read int }

var errBroken = errors.New("it breaks off")

func (b *breaksOff) Read(p []byte) (int, error) {
	if b.read > 1000 {
		return 0, errBroken
	}
	b.read += len(p)
	return len(p), nil
}

// Seek makes it a content that may be read twice.
func (b *breaksOff) Seek(int64, int) (int64, error) { b.read = 0; return 0, nil }
