package k0s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/protocol"

	"kiban.dev/kiban/lifecycle"
)

// errLost: the host stopped answering while it was being used.
var errLost = errors.New("the connection is lost: the host does not answer any more")

// transport is the one connection to a host. It is made when first needed, and again when it broke.
type transport struct {
	conn      protocol.Connection
	timeout   time.Duration // of one attempt to connect
	keepAlive time.Duration

	mu   sync.Mutex
	stop context.CancelFunc // ends the watch; nil while there is no connection
	lost bool
}

func newTransport(h *cluster.Host, site lifecycle.SSH, log *slog.Logger) (*transport, error) {
	if h.SSH != nil {
		h.SSH.SetLogger(log)
	}
	conn, err := h.CompositeConfig.Connection()
	if err != nil {
		return nil, err
	}
	t := &transport{conn: conn, timeout: site.ConnectTimeout, keepAlive: site.KeepAlive}
	if t.timeout <= 0 {
		t.timeout = defaultConnectTimeout
	}
	if t.keepAlive <= 0 {
		t.keepAlive = defaultKeepAlive
	}
	return t, nil
}

// connect makes the connection unless there is one: one attempt, bounded by the site's connect timeout (H34).
func (t *transport) connect(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop != nil {
		return nil
	}
	c, ok := t.conn.(protocol.Connector)
	if ok {
		attempt, cancel := context.WithTimeout(ctx, t.timeout)
		defer cancel()
		if err := c.Connect(attempt); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
	}
	watched, stop := context.WithCancel(context.Background())
	t.stop, t.lost = stop, false
	if ok {
		go t.watch(watched)
	}
	return nil
}

// watch drops the connection when the host is silent for too long, which the library itself never does: whoever waits for
// a command would otherwise wait for ever.
func (t *transport) watch(ctx context.Context) {
	tick := time.NewTicker(t.keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		answered := make(chan bool, 1)
		go func() { answered <- t.conn.IsConnected() }()
		select {
		case <-ctx.Done():
			return
		case <-answered: // a connection that is closed shows itself to whoever uses it next
		case <-time.After(lostAfter * t.keepAlive):
			t.drop(true)
			return
		}
	}
}

// drop closes the connection. The next use makes a new one.
func (t *transport) drop(lost bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop != nil {
		t.stop()
		t.stop = nil
	}
	t.lost = t.lost || lost
	if d, ok := t.conn.(protocol.Disconnector); ok {
		d.Disconnect()
	}
}

func (t *transport) wasLost() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost
}

// start runs a command. When ctx ends before the command does, Wait returns soon, whatever the host does (H34).
func (t *transport) start(ctx context.Context, command string, stdin io.Reader, stdout, stderr io.Writer) (protocol.Waiter, error) {
	if err := t.connect(ctx); err != nil {
		return nil, err
	}
	// the library keeps a goroutine until its context ends (H27): this one ends with the command
	ctx, cancel := context.WithCancel(ctx)
	w, err := t.conn.StartProcess(ctx, command, stdin, stdout, stderr)
	if err != nil {
		cancel()
		t.drop(false) // it may be half open; a later command is to begin with a fresh one
		if t.wasLost() {
			err = errLost
		}
		return nil, err
	}
	return &process{transport: t, inner: w, ctx: ctx, cancel: cancel}, nil
}

// process is a command under way.
type process struct {
	transport *transport
	inner     protocol.Waiter
	ctx       context.Context
	cancel    context.CancelFunc
}

// grace is how long a cancelled command has to end before its connection is closed.
const grace = 2 * time.Second

func (p *process) Wait() error {
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
	return p.ctx.Err()
}

// dial opens a connection from the host to an address, as seen from there.
func (t *transport) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d, ok := t.conn.(interface {
		Dial(network, addr string) (net.Conn, error)
	})
	if !ok {
		return (&net.Dialer{}).DialContext(ctx, network, addr) // the host is this machine
	}
	if err := t.connect(ctx); err != nil {
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
		return r.conn, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.conn != nil {
				r.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// stepConnection lends a host's connection to rig for one step: what rig starts ends with the step, also where k0sctl gives no
// context of its own (H34).
type stepConnection struct {
	*transport
	step context.Context
}

func (c stepConnection) String() string       { return c.conn.String() }
func (c stepConnection) Protocol() string     { return c.conn.Protocol() }
func (c stepConnection) ProtocolName() string { return c.conn.ProtocolName() }
func (c stepConnection) IPAddress() string    { return c.conn.IPAddress() }
func (c stepConnection) IsConnected() bool    { return true }
func (c stepConnection) IsWindows() bool      { return false }

func (c stepConnection) StartProcess(ctx context.Context, command string, stdin io.Reader, stdout, stderr io.Writer) (protocol.Waiter, error) {
	if err := c.step.Err(); err != nil {
		return nil, fmt.Errorf("the step has ended: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(c.step, cancel)
	w, err := c.start(ctx, command, stdin, stdout, stderr)
	if err != nil {
		release()
		cancel()
		return nil, err
	}
	return waiter(func() error {
		defer cancel()
		defer release()
		return w.Wait()
	}), nil
}

type waiter func() error

func (w waiter) Wait() error { return w() }
