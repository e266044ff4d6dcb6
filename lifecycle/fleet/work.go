package fleet

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"kiban.dev/kiban/lifecycle"
)

// Work reads files of work trees for one verb, each once: sites share their bases. It is as old as its first question. The zero Work is
// ready, and its methods may be called at once.
type Work struct {
	known sync.Map // of a path, what gives what lies there
}

// contents are what lies at a path of a work tree: the names of all files below it, "." for a file itself, and what git calls each one's
// content. Where nothing is, they are none.
type contents struct {
	names []string
	blobs map[string]string
	// digest is of names and contents.
	digest string
	// err says why they are not known.
	err error
}

// at reads what lies at a path; blob is what git calls a content, nil where nobody asks.
func (w *Work) at(path string, blob func([]byte) string) contents {
	once, _ := w.known.LoadOrStore(path, sync.OnceValue(func() contents { return read(path, blob) }))
	return once.(func() contents)()
}

func read(path string, blob func([]byte) string) contents {
	names, err := filesBelow(path)
	if err != nil {
		return contents{err: err}
	}
	out, all := contents{names: names, blobs: make(map[string]string, len(names))}, sha256.New()
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			return contents{err: err}
		}
		fmt.Fprintf(all, "%q %d\n", name, len(content))
		all.Write(content)
		if blob != nil {
			out.blobs[filepath.ToSlash(name)] = blob(content)
		}
	}
	out.digest = lifecycle.DigestOf(all)
	return out
}
