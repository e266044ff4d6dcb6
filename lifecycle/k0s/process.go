package k0s

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/k0sproject/rig/v2/protocol"

	"kiban.dev/kiban/lifecycle"
)

// start runs a command. When ctx ends before the command does, Wait returns soon, whatever the host does (H34).
func (t *transport) start(ctx context.Context, command string, stdin io.Reader, stdout, stderr io.Writer) (protocol.Waiter, error) {
	release, err := t.session(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.connect(ctx); err != nil {
		release()
		return nil, err
	}
	if t.foreignShell.Load() {
		command = forAnyShell(command)
	}
	// the library keeps a goroutine until its context ends (H27): this one ends with the command
	ctx, cancel := context.WithCancel(ctx)
	w, err := t.conn.StartProcess(ctx, command, stdin, stdout, stderr)
	if err != nil {
		cancel()
		release()
		t.drop(false) // it may be half open; a later command is to begin with a fresh one
		if t.wasLost() {
			err = errLost
		}
		return nil, err
	}
	return &process{transport: t, inner: w, ctx: ctx, cancel: cancel, release: release}, nil
}

// process is a command under way.
type process struct {
	transport *transport
	inner     protocol.Waiter
	ctx       context.Context
	cancel    context.CancelFunc
	release   func()
}

// grace is how long a cancelled command has to end before its connection is closed.
const grace = 2 * time.Second

func (p *process) Wait() error {
	defer p.release()
	defer p.cancel()
	done := make(chan error, 1)
	go func() { done <- p.inner.Wait() }()
	select {
	case err := <-done:
		if err != nil && p.transport.wasLost() {
			return fmt.Errorf("%w (%w)", errLost, err)
		}
		return err
	case <-p.ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(grace):
		p.transport.drop(false)
		<-done
	}
	return lifecycle.WhyEnded(p.ctx)
}

// dial opens a connection from the host to an address, as seen from there.
func (t *transport) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d, ok := t.conn.(interface {
		Dial(network, addr string) (net.Conn, error)
	})
	if !ok {
		return (&net.Dialer{}).DialContext(ctx, network, addr) // the host is this machine
	}
	release := t.use()
	if err := t.connect(ctx); err != nil {
		release()
		return nil, err
	}
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		c, err := d.Dial(network, addr)
		done <- result{c, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			release()
			return nil, r.err
		}
		return &tunnel{Conn: r.conn, release: release}, nil
	case <-ctx.Done():
		go func() {
			if r := <-done; r.conn != nil {
				r.conn.Close()
			}
			release()
		}()
		return nil, lifecycle.WhyEnded(ctx)
	}
}

// tunnel is a connection through a host. While it is open, so is the host's.
type tunnel struct {
	net.Conn
	release func()
}

func (c *tunnel) Close() error {
	c.release()
	return c.Conn.Close()
}

// stepConnection lends a host's connection to rig for one step: what rig starts ends with the step, also where k0sctl gives no
// context of its own (H34).
type stepConnection struct {
	*transport
	step context.Context
	// host is the machine's name, lockDir where it keeps epochs; epoch is the lock's that commands are sent with, 0 for those that need
	// none; refused takes what it refused.
	host    string
	lockDir string
	epoch   func() int
	refused *refusals
}

func (c stepConnection) String() string       { return c.name }
func (c stepConnection) Protocol() string     { return c.conn.Protocol() }
func (c stepConnection) ProtocolName() string { return c.conn.ProtocolName() }
func (c stepConnection) IPAddress() string    { return c.conn.IPAddress() }
func (c stepConnection) IsConnected() bool    { return true }
func (c stepConnection) IsWindows() bool      { return false }

func (c stepConnection) StartProcess(ctx context.Context, command string, stdin io.Reader, stdout, stderr io.Writer) (protocol.Waiter,
	error) {
	if err := c.step.Err(); err != nil {
		return nil, fmt.Errorf("the step has ended: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(c.step, func() { cancel(nil) })
	out := outputsOf(ctx, stdout, stderr, func() { cancel(tooMuch{fmt.Sprintf("more than %d bytes", maxLibrary)}) })
	epoch, heard := c.epoch(), &overheard{next: out.stderr}
	if epoch > 0 {
		command, out.stderr = behindEpoch(epoch, c.lockDir, command), heard
	}
	w, err := c.start(ctx, command, stdin, out.stdout, out.stderr)
	if err != nil {
		release()
		cancel(nil)
		return nil, err
	}
	return waiter(func() error {
		defer cancel(nil)
		defer release()
		err := w.Wait()
		if cause := endless(ctx); cause != nil {
			return cause // also where the command ended well: what was kept is not all of it
		}
		if there, ok := heard.refused(); ok && exitStatus(err) == outrankedStatus {
			o := outranked{host: c.host, ours: epoch, there: there}
			c.refused.note(o)
			return o
		}
		return err
	}), nil
}

type waiter func() error

func (w waiter) Wait() error { return w() }
