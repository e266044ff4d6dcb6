package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// ErrInterrupted is the cause of a context that an interrupt ended.
var ErrInterrupted = errors.New("interrupted")

// Interrupts turns signals into what they mean: for a verb that can stop at a good place, the first asks it to and the second ends it;
// for any other the first ends it. One more leaves at once: what the verb is in cannot be stopped.
type Interrupts struct {
	mu     sync.Mutex
	gentle chan struct{} // closed by the first signal; nil unless a verb has asked
	cancel context.CancelCauseFunc
	say    io.Writer
	ended  bool          // the verb was told to end
	leave  func()        // ends the process; nil: nothing does
	over   chan struct{} // closed when the verb has ended
}

// Listen begins to listen to signals, of which nil brings none. The returned context ends when the verb must; say is where the operator is
// told, and leave ends the process, when the verb does not end by itself. Nil: nothing does.
func Listen(ctx context.Context, signals <-chan os.Signal, say io.Writer, leave func()) (context.Context, *Interrupts) {
	ctx, cancel := context.WithCancelCause(ctx)
	i := &Interrupts{cancel: cancel, say: say, leave: leave, over: make(chan struct{})}
	go func() {
		for {
			select {
			case <-i.over:
				return
			case <-signals:
				i.interrupt()
			}
		}
	}()
	return ctx, i
}

// Graceful gives the channel that the first interrupt closes. say is where the operator is told.
func (i *Interrupts) Graceful(say io.Writer) <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.gentle, i.say = make(chan struct{}), say
	return i.gentle
}

// Tell changes where the operator is told.
func (i *Interrupts) Tell(say io.Writer) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.say = say
}

func (i *Interrupts) interrupt() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.gentle != nil {
		close(i.gentle)
		i.gentle = nil
		fmt.Fprintln(i.say, "Interrupted: the steps in hand finish, no other starts. Once more to stop now.")
		return
	}
	if i.ended && i.leave != nil {
		i.leave()
		return
	}
	i.ended = true
	fmt.Fprintln(i.say, "Interrupted: stopping now.")
	i.cancel(ErrInterrupted)
}

// Stop ends the listening.
func (i *Interrupts) Stop() {
	close(i.over)
	i.cancel(nil)
}

// InterruptedBy says of an error that an interrupt was its cause, if it was.
func InterruptedBy(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrInterrupted) {
		return errors.Join(ErrInterrupted, err)
	}
	return err
}
