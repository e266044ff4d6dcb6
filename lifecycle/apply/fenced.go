package apply

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// Fence lets steps act only while the run has its site's lock.
type Fence interface {
	// Check is asked just before the effect of every step. Its error, such as that another run has taken the lock over, keeps the step from
	// being done and stops the run.
	Check(ctx context.Context, step lifecycle.Step) error
	// Guard gives a context for the effect. It ends as soon as the run may act no more, with a lifecycle.Diagnostic as its cause: what is
	// under way ends at once, as if the process had been killed.
	Guard(ctx context.Context, step lifecycle.Step) (context.Context, context.CancelFunc)
}

// permitted reports whether the run may still act.
func (r *run) permitted(ctx context.Context, s lifecycle.Step) error {
	if r.Fence == nil {
		return nil
	}
	return r.Fence.Check(ctx, s)
}

// guarded carries out the step, and ends it when the lock is lost meanwhile; then the error is the fence's.
func (r *run) guarded(ctx context.Context, s lifecycle.Step) (lost bool, err error) {
	if r.Fence == nil {
		return false, r.act(ctx, s)
	}
	acting, cancel := r.Fence.Guard(ctx, s)
	defer cancel()
	err = r.act(acting, s)
	if err != nil && acting.Err() != nil && ctx.Err() == nil {
		if refusal, ok := lifecycle.Refused(acting); ok {
			return true, refusal
		}
	}
	return false, err
}
