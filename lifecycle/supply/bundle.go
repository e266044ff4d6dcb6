package supply

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// format is the version of the form that this package writes, and the only one that it reads.
const format = 1

const (
	indexName = "index.json"
	// ImagesName is the file that lists container images, one a line.
	ImagesName = "images.txt"
	// K0sDir is the folder of k0s binaries.
	K0sDir = "k0s"
)

// Index is what a bundle says of itself.
type Index struct {
	// Format is the version of the form.
	Format int `json:"format"`
	// Site is the site that it was made for.
	Site string `json:"site"`
	// Arch are the architectures of its k0s binaries, sorted.
	Arch []string `json:"arch,omitempty"`
	// Pins are what the lock file said of what is in it.
	Pins lifecycle.Pins `json:"pins"`
	// Files are all others, sorted by path.
	Files []File `json:"files"`
}

// File is one file of a bundle.
type File struct {
	// Path is relative, with slashes.
	Path string `json:"path"`
	// Digest is "sha256:<hex>" of its Size bytes.
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

// Bundle is a bundle whose files were unpacked and verified.
type Bundle struct {
	Index
	// Dir is where they are.
	Dir string
}

// FS gives its files by their paths.
func (b Bundle) FS() fs.FS { return os.DirFS(b.Dir) }

// content is a file to be packed.
type content struct {
	File
	open func() (io.ReadCloser, error)
}

// inMemory is a file that is in memory.
func inMemory(name string, b []byte) content {
	return content{File{name, lifecycle.Digest(b), int64(len(b))},
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// onDisk is a file of this machine, whose digest is known.
func onDisk(name, file, digest string) (content, error) {
	info, err := os.Stat(file)
	if err != nil {
		return content{}, err
	}
	return content{File{name, digest, info.Size()}, func() (io.ReadCloser, error) { return os.Open(file) }}, nil
}

// k0sPath is where a bundle keeps a binary of k0s.
func k0sPath(v lifecycle.Version, arch string) string {
	return path.Join(K0sDir, v.String(), "k0s-"+v.String()+"-"+arch)
}

var (
	errPath  = errors.New("its path leads out of the bundle")
	errOther = errors.New("its content is not what the index says")
)

// inside reports whether a path of an index stays in the bundle, and is of a kind that bundles hold.
func inside(name string) bool {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\:") {
		return false
	}
	top, _, nested := strings.Cut(name, "/")
	switch top {
	case "charts", "manifests", K0sDir:
		return nested
	}
	return name == ImagesName
}
