package kube

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// errNoAPI is why nothing can be asked while the source has no credentials.
var errNoAPI = errors.New("no controller runs k0s")

// link is whether a client is connected. A way to the API that was found once is kept; failing to find one is not.
type link struct {
	made   atomic.Bool
	making sync.Mutex
	// turn is held by whoever asks the source; failed is how the last one who asked fared.
	turn   chan struct{}
	failed *failure
}

type failure struct {
	begun time.Time
	err   error
}

func newLink() link { return link{turn: make(chan struct{}, 1), failed: &failure{}} }

func (l *link) up() bool { return l.made.Load() }

// Connected reports whether a way to the API has been found. Nothing is asked.
func (c *Client) Connected() bool { return c.link.up() }

// connect makes the client ready for a call: every exported method begins with it. The source is asked by one caller at a time, and those
// who waited for it meanwhile take its answer, an error as well; whoever comes later asks again.
func (c *Client) connect(ctx context.Context) error {
	if c.link.up() {
		return nil
	}
	came := time.Now()
	select {
	case c.link.turn <- struct{}{}:
	case <-ctx.Done():
		return lifecycle.WhyEnded(ctx)
	}
	defer func() { <-c.link.turn }()
	if c.link.up() {
		return nil
	}
	if last := c.link.failed; last.err != nil && last.begun.After(came) {
		return last.err
	}
	now := &failure{begun: time.Now()}
	now.err = c.ask(ctx)
	if ctx.Err() == nil { // else it is this caller's own end
		c.link.failed = now
	}
	return now.err
}

// ask gets credentials from the source and connects with them.
func (c *Client) ask(ctx context.Context) error {
	from, err := c.source(ctx)
	if err != nil {
		return err
	}
	if from.IsZero() {
		return errNoAPI
	}
	return c.Connect(from)
}

// Connect makes the client ready with credentials that are at hand, so that the source need not be asked. One that is ready stays as it is.
func (c *Client) Connect(from lifecycle.Credentials) error {
	c.link.making.Lock()
	defer c.link.making.Unlock()
	if c.link.up() {
		return nil
	}
	if err := c.build(from); err != nil {
		return err
	}
	c.link.made.Store(true)
	return nil
}
