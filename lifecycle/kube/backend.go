package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"

	"kiban.dev/kiban/lifecycle"
)

// How long a connection may be silent in each of its phases. A controller that is switched off must cost little, and an API
// server that stops must be noticed while a request waits for it.
const (
	dialTimeout    = 2 * time.Second
	tunnelTimeout  = 5 * time.Second // a Dial hook may have to open its SSH connection first
	tlsTimeout     = 3 * time.Second
	headerTimeout  = 12 * time.Second // longer than an admission webhook's default of 10 s
	pingAfter      = 3 * time.Second
	pingTimeout    = 2 * time.Second
	idleTimeout    = 30 * time.Second
	keepAlivePause = 5 * time.Second
)

// backend is the way to one API server.
type backend struct {
	Server
	way       to
	transport *http.Transport
	// base is what comes before the API's own paths in the kubeconfig's URL, "" for most.
	base string
	// client asks this one server only, with the administrator's credentials.
	client *http.Client
}

// dialError marks an attempt that ended before anything was sent, so that any request may be repeated elsewhere.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

func newBackend(cfg *rest.Config, s Server, hook func(ctx context.Context, host, network, addr string) (net.Conn, error)) (*backend,
	error) {
	tlsConfig, err := rest.TLSConfigFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	dial := (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlivePause}).DialContext
	if hook != nil {
		dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := lifecycle.Within(ctx, tunnelTimeout, "no answer")
			defer cancel()
			conn, err := hook(ctx, s.Host, network, addr)
			return conn, lifecycle.InTime(ctx, err)
		}
	}
	t := &http.Transport{
		Proxy: cfg.Proxy,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, dialError{err}
			}
			return conn, nil
		},
		TLSClientConfig:       tlsConfig,
		TLSHandshakeTimeout:   tlsTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       idleTimeout,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
	way := to{t, s.Address, &opening{done: make(chan struct{})}}
	wrapped, err := rest.HTTPWrappersForConfig(cfg, way)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	b := &backend{Server: s, way: way, transport: t, client: &http.Client{Transport: wrapped}}
	if u, err := url.Parse(cfg.Host); err == nil {
		b.base = strings.TrimSuffix(u.Path, "/")
	}
	return b, nil
}

// send makes one attempt at this server.
func (b *backend) send(r *http.Request) (*http.Response, error) {
	return b.way.RoundTrip(r)
}

// to sends requests to one address, whichever host they name.
type to struct {
	transport *http.Transport
	address   string
	opening   *opening
}

// opening lets the first request open the connection to a server. Those that come meanwhile wait for it, since HTTP/2 carries them all on
// one: without that each would open its own, with all that costs both sides, and all but one be dropped.
type opening struct {
	begun atomic.Bool
	done  chan struct{} // closed when the connection is there, or can't be made
	err   error         // why it can't be made; read after done by those that waited
}

// through sends a request, once the connection is there. Where it can't be made, those that waited for it are told the same: each of them
// would wait as long again to find out.
func (o *opening) through(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	if o.begun.Swap(true) {
		select {
		case <-o.done:
			return send(r)
		default:
		}
		select {
		case <-o.done:
			if o.err != nil {
				return nil, o.err
			}
		case <-r.Context().Done(): // sending says so
		}
		return send(r)
	}
	connected := false
	over := sync.OnceFunc(func() { close(o.done) })
	defer over()
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true; over() }}
	resp, err := send(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil && !connected && r.Context().Err() == nil {
		o.err = err
	}
	return resp, err
}

func (t to) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = "https", t.address, ""
	resp, err := t.opening.through(out, t.transport.RoundTrip)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols && r.URL.Query().Get("watch") == "" {
		resp.Body = &bounded{resp.Body, maxBody}
	}
	return resp, err
}

// maxBody bounds one answer of an API server, unpacked. A page of a list has a few MiB; all releases that Helm ever made may have hundreds.
const maxBody = 512 << 20

// bounded is an answer that ends with an error where it is longer than any sound server's: clients read all of it into memory.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the API server's answer has more than %d MiB", maxBody>>20)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func neverSent(err error) bool {
	_, ok := errors.AsType[dialError](err)
	return ok
}
