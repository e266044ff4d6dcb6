package session

import (
	"context"
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// Node carries out a task on one machine. A Result without a Run: there was nothing to do.
func (s *Session) Node(ctx context.Context, task lifecycle.NodeTask) (Result, error) {
	return s.converge(ctx, goal{
		doing:  fmt.Sprintf("node %s %s", task.Verb, task.Host),
		awaits: task.Awaits,
		plan:   func(seen lifecycle.State) lifecycle.Plan { return s.parts.Plans.Node(s.site, seen, task) },
	})
}
