package helm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// kind is what a cached file is: also the name of its folder.
type kind string

const (
	kindChart    kind = "charts"
	kindManifest kind = "manifests"
)

func (k kind) file(digest string) string {
	ext := ".tgz"
	if k == kindManifest {
		ext = ".yaml"
	}
	return path.Join(string(k), lifecycle.DigestHex(digest)+ext)
}

// key is what stands in the small file that leads from a source to its content.
type key struct {
	Source string `json:"source"`
	Digest string `json:"digest"`
}

// chartKey and manifestKey are how the cache calls a source.
func chartKey(c lifecycle.Chart) string { return c.Repo + " " + c.Name + " " + c.Version }

func manifestKey(url string) string { return url }

func (k kind) keyFile(source string) string {
	return path.Join(string(k), lifecycle.DigestHex(digest([]byte(source)))+".json")
}

// ChartFiles gets a chart as Chart does, for its digest and for the files, by name, that a bundle holds so that a store finds the chart
// in
// it.
func (s *Store) ChartFiles(ctx context.Context, dir string, c lifecycle.Chart, pins *lifecycle.Pins) (string, map[string][]byte, error) {
	a, err := s.Chart(ctx, dir, c, pins)
	if err != nil {
		return "", nil, err
	}
	entries, err := files(kindChart, chartKey(c), a.Bytes)
	return a.Digest, entries, err
}

// ManifestFiles gets a file of manifests as Manifest does, for its digest and for the files, by name, that a bundle holds so that a store
// finds it in it.
func (s *Store) ManifestFiles(ctx context.Context, dir, url string, pins *lifecycle.Pins) (string, map[string][]byte, error) {
	content, digest, err := s.Manifest(ctx, dir, url, pins)
	if err != nil {
		return "", nil, err
	}
	entries, err := files(kindManifest, manifestKey(url), content)
	return digest, entries, err
}

func files(k kind, source string, content []byte) (map[string][]byte, error) {
	entry, err := json.Marshal(key{Source: source, Digest: digest(content)})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{k.file(digest(content)): content, k.keyFile(source): entry}, nil
}

// cache keeps fetched files, in a folder and for the life of the process, and reads them from a bundle as well.
type cache struct {
	dir    string
	bundle fs.FS
	memory *sync.Map // file name to []byte; what was verified once is not read again
}

func newCache(dir string, bundle fs.FS) cache {
	return cache{dir: dir, bundle: bundle, memory: &sync.Map{}}
}

// find gives the digest that a source had, "" when it was not fetched before.
func (c cache) find(k kind, source string) string {
	content, _, err := c.open(k.keyFile(source))
	var found key
	if err != nil || json.Unmarshal(content, &found) != nil || found.Source != source {
		return "" // a key that cannot be read costs a download, no more
	}
	return found.Digest
}

// read gives the file of that digest, nil when there is none. A file whose bytes are others is an error: someone changed it.
func (c cache) read(k kind, want string) ([]byte, error) {
	name := k.file(want)
	content, where, err := c.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, lifecycle.Errorf(where, "a cached file cannot be read").
			Try("Delete it; it is fetched again").
			From(err)
	}
	if got := digest(content); got != want {
		d := lifecycle.Errorf(where, "a cached file is not what it was when it was fetched").
			Because(fmt.Sprintf("expected %s, found %s", want, got)).
			Try("Find out who changed it, and delete it: it is fetched again")
		if c.inBundle(name) {
			d.Hint = "The bundle is damaged or was changed: carry it over again, or make it again with kiban bundle"
		}
		return nil, d
	}
	c.memory.Store(name, content)
	return content, nil
}

// write keeps a file and how its source leads to it. Each is put in place whole, so that a killed run leaves nothing half.
func (c cache) write(k kind, source string, content []byte) error {
	all, err := files(k, source, content)
	if err != nil {
		return err
	}
	for name, b := range all {
		c.memory.Store(name, b)
		if c.dir == "" {
			continue
		}
		if err := replace(filepath.Join(c.dir, filepath.FromSlash(name)), b); err != nil {
			return lifecycle.Errorf(c.dir, "the cache cannot be written").
				Try("Make room, or give kiban the right to write there").
				From(err)
		}
	}
	return nil
}

// open reads a file from memory, the bundle or the folder, in that order, and says where it is.
func (c cache) open(name string) (content []byte, where string, err error) {
	if b, ok := c.memory.Load(name); ok {
		return b.([]byte), name, nil
	}
	if c.inBundle(name) {
		content, err = fs.ReadFile(c.bundle, name)
		return content, "bundle: " + name, err
	}
	if c.dir == "" {
		return nil, name, fs.ErrNotExist
	}
	where = filepath.Join(c.dir, filepath.FromSlash(name))
	content, err = os.ReadFile(where)
	return content, where, err
}

func (c cache) inBundle(name string) bool {
	if c.bundle == nil {
		return false
	}
	_, err := fs.Stat(c.bundle, name)
	return err == nil
}

// replace writes a file in the cache.
func replace(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(file, content, 0o600)
}
