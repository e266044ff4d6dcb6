package kube

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// shared lets callers that ask for the same thing at once share one answer. Nobody gets an answer that was begun before they
// asked, so that a gate never decides on what was true before its step.
type shared[T any] struct {
	turn chan struct{}
	last *answer[T]
}

type answer[T any] struct {
	begun time.Time
	value T
	err   error
}

func newShared[T any]() shared[T] {
	return shared[T]{turn: make(chan struct{}, 1), last: &answer[T]{}}
}

// get waits for its turn, and asks unless the one before asked on its behalf too.
func (s *shared[T]) get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	came := time.Now()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		var none T
		return none, lifecycle.WhyEnded(ctx)
	}
	defer func() { <-s.turn }()
	if s.last.err == nil && s.last.begun.After(came) {
		return s.last.value, nil
	}
	a := &answer[T]{begun: time.Now()}
	a.value, a.err = ask(ctx)
	s.last = a
	return a.value, a.err
}
