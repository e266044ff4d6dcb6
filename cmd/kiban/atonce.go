package main

import (
	"context"
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// atOnce does something n times, as many at a time as there are processors. What each one comes to, it writes into a place of its own. The
// error is that of an interrupt, and then some were left out.
func atOnce(ctx context.Context, n int, do func(i int)) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { do(i); return nil })
	}
	return errors.Join(g.Wait(), ctx.Err())
}
