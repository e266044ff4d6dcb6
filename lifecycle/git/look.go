package git

import (
	"sync"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// Look asks each repository once, for whoever reads many sites in one go: what git says of a fleet costs as much as the fleet has files. It
// is as old as its first question, so it serves one verb, and none that changes the repository. Its methods may be called at once. The zero
// Look is ready.
type Look struct {
	mu    sync.Mutex
	repos map[string]*looked // by the root of the work tree
}

// looked is what one repository said.
type looked struct {
	revision func() string
	index    func() (*index.Index, error)
}

// at is what the repository said whose work tree has a root; of one without a work tree nothing is kept.
func (l *Look) at(repo *gogit.Repository) *looked {
	fresh := &looked{
		revision: sync.OnceValue(func() string { return revisionOf(repo) }),
		index:    sync.OnceValues(func() (*index.Index, error) { return repo.Storer.Index() }),
	}
	tree, err := repo.Worktree()
	if err != nil {
		return fresh
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	root := tree.Filesystem.Root()
	if was := l.repos[root]; was != nil {
		return was
	}
	if l.repos == nil {
		l.repos = map[string]*looked{}
	}
	l.repos[root] = fresh
	return fresh
}
