package k0s

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
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
	name      string        // of the connection; the library makes it when it is first asked, which two steps at once may be
	timeout   time.Duration // of one attempt to connect
	sessions  chan struct{} // a place for each command under way
	keepAlive time.Duration
	// foreignShell: the login shell there does not read a POSIX shell's words.
	foreignShell atomic.Bool

	mu    sync.Mutex
	stop  context.CancelFunc // ends the watch; nil while there is no connection
	lost  bool
	users int       // commands and tunnels under way
	used  time.Time // when the last of them ended
}

// idleAfter is how long an unused connection is kept: a rollout over a thousand machines is not to end with a thousand connections.
const idleAfter = time.Minute

// maxSessions is how many commands a connection carries at once. sshd refuses the eleventh by default (MaxSessions of
// sshd_config(5)); two are left for those that end while the next begins.
const maxSessions = 8

// session takes a place for a command, when one is free.
func (t *transport) session(ctx context.Context) (release func(), err error) {
	select {
	case t.sessions <- struct{}{}:
	case <-ctx.Done():
		return nil, lifecycle.WhyEnded(ctx)
	}
	used := t.use()
	return sync.OnceFunc(func() { used(); <-t.sessions }), nil
}

// use marks the connection as in use until release is called.
func (t *transport) use() (release func()) {
	t.mu.Lock()
	t.users++
	t.mu.Unlock()
	return sync.OnceFunc(func() {
		t.mu.Lock()
		t.users--
		t.used = time.Now()
		t.mu.Unlock()
	})
}

func newTransport(h *cluster.Host, site lifecycle.SSH, log *slog.Logger) (*transport, error) {
	if h.SSH != nil {
		h.SSH.SetLogger(log)
	}
	conn, err := h.CompositeConfig.Connection()
	if err != nil {
		return nil, err
	}
	t := &transport{conn: conn, name: conn.String(), sessions: make(chan struct{}, maxSessions), timeout: site.ConnectTimeout,
		keepAlive: site.KeepAlive}
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
		attempt, cancel := lifecycle.Within(ctx, t.timeout, "no connection")
		defer cancel()
		if err := c.Connect(attempt); err != nil {
			if ctx.Err() != nil {
				return lifecycle.WhyEnded(ctx)
			}
			return lifecycle.InTime(attempt, err)
		}
	}
	watched, stop := context.WithCancel(context.Background())
	t.stop, t.lost, t.used = stop, false, time.Now()
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
		if t.dropIdle() {
			return
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
	t.close(lost)
}

// dropIdle closes a connection that nobody has used for a while.
func (t *transport) dropIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.users > 0 || time.Since(t.used) < idleAfter {
		return false
	}
	t.close(false)
	return true
}

// close needs the lock.
func (t *transport) close(lost bool) {
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
