package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// errInterrupted is the cause of a context that an interrupt ended.
var errInterrupted = errors.New("interrupted")

// interrupts turns signals into what they mean: for a verb that can stop at a good place, the first asks it to and the second ends it;
// for any other the first ends it. One more leaves at once: what the verb is in cannot be stopped.
type interrupts struct {
	mu     sync.Mutex
	gentle chan struct{} // closed by the first signal; nil unless a verb has asked
	cancel context.CancelCauseFunc
	say    io.Writer
	ended  bool          // the verb was told to end
	leave  func(int)     // ends the process; nil: nothing does
	over   chan struct{} // closed when the verb has ended
}

// watch begins to listen. The returned context ends when the verb must.
func watch(ctx context.Context, s Streams) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancelCause(ctx)
	i := &interrupts{cancel: cancel, say: s.Err, leave: s.Leave, over: make(chan struct{})}
	go func() {
		for {
			select {
			case <-i.over:
				return
			case <-s.Signals:
				i.interrupt()
			}
		}
	}()
	return ctx, i
}

// graceful gives the channel that the first interrupt closes. say is where the operator is told.
func (i *interrupts) graceful(say io.Writer) <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.gentle, i.say = make(chan struct{}), say
	return i.gentle
}

func (i *interrupts) interrupt() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.gentle != nil {
		close(i.gentle)
		i.gentle = nil
		fmt.Fprintln(i.say, "Interrupted: the steps in hand finish, no other starts. Once more to stop now.")
		return
	}
	if i.ended && i.leave != nil {
		i.leave(exitInterrupted)
		return
	}
	i.ended = true
	fmt.Fprintln(i.say, "Interrupted: stopping now.")
	i.cancel(errInterrupted)
}

// stop ends the listening.
func (i *interrupts) stop() {
	close(i.over)
	i.cancel(nil)
}

// interruptedBy says of an error that an interrupt was its cause, if it was.
func interruptedBy(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errInterrupted) {
		return errors.Join(errInterrupted, err)
	}
	return err
}
