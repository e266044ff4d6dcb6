package overlay

import (
	"bytes"
	"sync"
)

// maxShares is how many different parts in common are kept: a fleet has a handful, one for each list of components.
const maxShares = 32

// shares are the parts that builds of this process have in common.
type shares struct {
	mu  sync.Mutex
	all map[string]*share
	// order has the oldest first.
	order []string
}

// share is one part: made when a second overlay has it, and used when one overlay came out the same with it as without.
type share struct {
	mu     sync.Mutex
	tried  bool
	made   *made
	proven bool
}

// find gives the part that has a key; first: nobody had it before.
func (s *shares) find(key string) (sh *share, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh, ok := s.all[key]; ok {
		return sh, false
	}
	if s.all == nil {
		s.all = map[string]*share{}
	}
	if len(s.order) == maxShares {
		delete(s.all, s.order[0])
		s.order = s.order[1:]
	}
	s.all[key], s.order = &share{}, append(s.order, key)
	return s.all[key], true
}

// build builds an overlay: by what it has in common with others that were built before, or else whole. A process that builds a single site
// builds it whole; and of each part the first overlay that goes by it is built whole, too: where the two differ by a byte, nobody goes by
// it.
func (s *shares) build(c common, whole func() (Built, error)) (Built, error) {
	sh, first := s.find(c.key)
	if first {
		return whole()
	}
	m, proven := sh.part(c)
	if m == nil {
		return whole()
	}
	mine, ok := m.with(c)
	if proven && ok {
		return mine, nil
	}
	built, err := whole()
	if ok && err == nil {
		sh.prove(bytes.Equal(mine.All, built.All) && len(mine.Documents) == len(built.Documents))
	}
	return built, err
}

// part makes what is in common, once. Nil: it can't be made, or came out otherwise.
func (sh *share) part(c common) (*made, bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !sh.tried {
		sh.tried = true
		if m, err := makeCommon(c); err == nil {
			sh.made = m
		}
	}
	return sh.made, sh.proven
}

func (sh *share) prove(same bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.proven = same; !same {
		sh.made = nil
	}
}
