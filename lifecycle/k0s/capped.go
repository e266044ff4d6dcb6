package k0s

import (
	"context"
	"io"
	"sync"
)

// outputs are where a command's output goes. They travel with its context, past the library, which would hand a copy to its log: a line
// that is too long for that is waited for without end, whatever the time limit.
type outputs struct {
	stdout, stderr io.Writer
}

type outputsKey struct{}

func withOutputs(ctx context.Context, o outputs) context.Context {
	return context.WithValue(ctx, outputsKey{}, o)
}

// outputsOf are those of the command's context, or else the library's own, bounded to less than a line that its log can take; over is told
// when there is more.
func outputsOf(ctx context.Context, stdout, stderr io.Writer, over func()) outputs {
	if o, ok := ctx.Value(outputsKey{}).(outputs); ok {
		return o
	}
	return outputs{capWriter(stdout, maxLibrary, over), capWriter(stderr, maxLibrary, over)}
}

// capped hands on what is written to it, up to a limit. Then over is told, once, and the rest is dropped: whoever waits for the command is
// to stop waiting, not to keep what it says. It belongs around every writer that libraries give, for they keep all of it.
type capped struct {
	mu   sync.Mutex
	w    io.Writer
	left int
	over func()
}

// capWriter bounds a writer; where there is none, nothing is kept.
func capWriter(w io.Writer, limit int, over func()) io.Writer {
	if w == nil {
		return nil
	}
	return &capped{w: w, left: limit, over: over}
}

func (c *capped) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keep := p[:min(len(p), c.left)]
	c.left -= len(keep)
	if len(keep) < len(p) && c.over != nil {
		c.over()
		c.over = nil
	}
	if len(keep) == 0 {
		return len(p), nil
	}
	if n, err := c.w.Write(keep); err != nil {
		return n, err
	}
	return len(p), nil
}
