package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
)

// errLeash is why a verb ends whose standard input has.
var errLeash = errors.New("standard input has ended")

// leashed has a verb end when its standard input does: with whoever started it and holds the other end of a pipe, however that one ends.
// What reads nothing from there loses nothing.
func leashed(c *cobra.Command) {
	ctx, cancel := context.WithCancelCause(c.Context())
	c.SetContext(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, c.InOrStdin()) // an input that can't be read has ended
		cancel(errLeash)
	}()
}
