package apply

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// permitted reports whether the run may still act.
func (r *run) permitted(ctx context.Context) error {
	if r.Fence == nil {
		return nil
	}
	return r.Fence(ctx)
}

// guarded carries out the step, and ends it when the lock is lost meanwhile; then the error is the fence's.
func (r *run) guarded(ctx context.Context, s lifecycle.Step) (lost bool, err error) {
	if r.Lost == nil {
		return false, r.act(ctx, s)
	}
	acting, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.Lost:
			cancel()
		case <-acting.Done():
		}
	}()
	err = r.act(acting, s)
	if err != nil && acting.Err() != nil && ctx.Err() == nil {
		if refusal := r.permitted(ctx); refusal != nil {
			return true, refusal
		}
	}
	return false, err
}
