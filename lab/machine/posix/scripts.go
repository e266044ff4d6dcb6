package posix

import (
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// Scripts keeps what shell texts were read as: a thousand machines are asked with the same one. Nil keeps nothing.
type Scripts struct {
	mu   sync.Mutex
	read map[string]parsed
}

// parsed is a script that many may run at once: whoever runs it changes nothing in it.
type parsed struct {
	file *syntax.File
	// functions are those that it declares.
	functions map[string]bool
}

// maxScripts bounds what is kept. The oldest are worth no more than others: all are dropped at once.
const maxScripts = 200

func (s *Scripts) parse(text string) (parsed, error) {
	if s == nil {
		return parse(text)
	}
	s.mu.Lock()
	p, ok := s.read[text]
	s.mu.Unlock()
	if ok {
		return p, nil
	}
	p, err := parse(text)
	if err != nil {
		return p, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil || len(s.read) >= maxScripts {
		s.read = map[string]parsed{}
	}
	s.read[text] = p
	return p, nil
}

func parse(text string) (parsed, error) {
	f, err := parseScript(text)
	if err != nil {
		return parsed{}, err
	}
	return parsed{f, declared(f)}, nil
}
