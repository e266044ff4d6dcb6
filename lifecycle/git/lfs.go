package git

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"regexp"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"kiban.dev/kiban/lifecycle"
)

var pointer = regexp.MustCompile(`^version https://git-lfs\.github\.com/spec/v1\n(?:[a-z0-9.-]+ .*\n)*oid sha256:([0-9a-f]{64})\n`)

// unpointed gives what a pointer of Git LFS stands for, from where git-lfs keeps it in the clone. It is not whole when that is not there.
func (r repository) unpointed(content []byte) (out []byte, whole bool) {
	const longest = 1024 // by the specification of pointers
	m := pointer.FindSubmatch(content[:min(len(content), longest)])
	if m == nil {
		return content, true
	}
	store, onDisk := r.Storer.(*filesystem.Storage)
	if !onDisk {
		return content, false
	}
	oid := string(m[1])
	f, err := store.Filesystem().Open(fmt.Sprintf("lfs/objects/%s/%s/%s", oid[:2], oid[2:4], oid))
	if err != nil {
		return content, false
	}
	defer f.Close()
	kept, err := io.ReadAll(f)
	if sum := sha256.Sum256(kept); err != nil || !bytes.Equal([]byte(fmt.Sprintf("%x", sum)), m[1]) {
		return content, false
	}
	return kept, true
}

// refusePointers says which declarations are kept elsewhere.
func (r repository) refusePointers(revision string, commit plumbing.Hash, names []string) error {
	return lifecycle.Errorf(names[0], "declarations at %s are kept by Git LFS, and are not in this clone", revision).
		Because(names[:min(len(names), 5)]...).
		Try(fmt.Sprintf("git lfs fetch %s %s\nDeclarations are better kept by git itself: "+
			"git lfs migrate export --include=\"clusters/**,overlays/**\" takes them out.",
			r.remote(), commit))
}
