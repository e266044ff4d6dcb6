package depot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

var errSilent = errors.New("it is silent")

// watch is a context that ends when nothing was heard for a while.
type watch struct {
	context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration

	mu    sync.Mutex
	timer *time.Timer
}

func (d *Depot) watch(ctx context.Context) *watch {
	w := &watch{limit: d.silence}
	w.Context, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(w.limit, func() {
		w.cancel(fmt.Errorf("%w: nothing came from it, and nothing could be sent, for %s", errSilent, w.limit))
	})
	return w
}

// touch says that something was heard.
func (w *watch) touch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Err() == nil {
		w.timer.Reset(w.limit)
	}
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// wait does something that may hang, and leaves it behind when it does: a mount that is gone cannot be interrupted.
func (w *watch) wait(do func() error) error {
	if w.Err() != nil {
		return w.why(w.Err())
	}
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return w.why(err)
	case <-w.Done():
		select {
		case err := <-done:
			return w.why(err)
		case <-time.After(time.Second): // whoever listens to the context needs a moment
			return context.Cause(w)
		}
	}
}

// why tells of an error what the cause was.
func (w *watch) why(err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(w); errors.Is(cause, errSilent) {
		return cause
	} else if cause != nil {
		return w.Context.Err()
	}
	if errors.Is(err, errMissing) {
		return missing{err}
	}
	return err
}

// missing is fs.ErrNotExist, too.
type missing struct{ error }

func (m missing) Unwrap() []error { return []error{m.error, fs.ErrNotExist} }

// reader tells of each byte that is read from it.
type reader struct {
	io.Reader
	touch func()
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.touch()
	return n, err
}

// opened is a file of a place while it is read.
type opened struct {
	io.ReadCloser
	w *watch
	d *Depot
}

func (o *opened) Read(p []byte) (n int, err error) {
	buf := make([]byte, len(p)) // a read that is left behind must not write into the caller's
	err = o.w.wait(func() (err error) { n, err = o.ReadCloser.Read(buf); return err })
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, o.d.failed("the backup cannot be read from "+o.d.String(), err)
	}
	copy(p, buf[:n])
	o.w.touch()
	return n, err
}

func (o *opened) Close() error {
	o.w.stop()
	return o.ReadCloser.Close()
}
