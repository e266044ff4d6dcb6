package fleet

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// AtOnce does something n times, at most limit of them at a time. What each one comes to, it writes into a place of its own. The
// error is that of an interrupt, and then some were left out.
func AtOnce(ctx context.Context, n, limit int, do func(i int)) error {
	var g errgroup.Group
	g.SetLimit(limit)
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { do(i); return nil })
	}
	return errors.Join(g.Wait(), ctx.Err())
}
