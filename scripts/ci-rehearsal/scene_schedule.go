package main

import (
	"context"
	"fmt"
	"strings"
)

// schedule: nothing has drifted.
func (r *rehearsal) schedule(ctx context.Context) error {
	return r.step("its pipeline is green: "+site+" is as declared, and nobody is told", func() (string, error) {
		r.heard = len(r.project.messages(0))
		if err := r.scheduled(ctx, "success"); err != nil {
			return "", err
		}
		if said := r.project.messages(r.heard); len(said) > 0 {
			return "", fmt.Errorf("people were told:\n%s", strings.Join(said, "\n\n"))
		}
		return "", nil
	})
}
