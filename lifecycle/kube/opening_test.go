package kube

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// askedAtOnce sends requests side by side, and gives their errors.
func askedAtOnce(t *testing.T, way to, n int) []error {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api/version", nil)
			if err != nil {
				errs[i] = err
				return
			}
			resp, err := way.RoundTrip(r)
			if err != nil {
				errs[i] = err
				return
			}
			errs[i] = resp.Body.Close()
		})
	}
	wg.Wait()
	return errs
}

// What is asked at once at the beginning shares one connection: each handshake costs the server and kiban as much as several answers.
func TestFirstRequestsShareAConnection(t *testing.T) {
	var connections, asked atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	s.EnableHTTP2 = true
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.StartTLS()
	defer s.Close()
	address := strings.TrimPrefix(s.URL, "https://")
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true} //nolint:gosec // of the test
	defer transport.CloseIdleConnections()
	way := to{transport, address, &opening{done: make(chan struct{})}}
	if err := errors.Join(askedAtOnce(t, way, 20)...); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 20 || connections.Load() != 1 {
		t.Errorf("%d requests took %d connections", asked.Load(), connections.Load())
	}
}

// Where the connection can't be made, those that wait for it are told at once, and whoever asks later tries anew.
func TestFirstRequestsShareARefusal(t *testing.T) {
	var dialled atomic.Int64
	begun, refuse := make(chan struct{}), make(chan struct{})
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		if dialled.Add(1) == 1 {
			close(begun)
			<-refuse
		}
		return nil, dialError{errors.New("refused")}
	}}
	way := to{transport, "127.0.0.1:1", &opening{done: make(chan struct{})}}
	first := make(chan []error)
	go func() { first <- askedAtOnce(t, way, 1) }()
	<-begun
	waiting := make(chan []error)
	go func() { waiting <- askedAtOnce(t, way, 1) }()
	ctx, gone := context.WithCancel(t.Context())
	gone()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := way.RoundTrip(r); !errors.Is(err, context.Canceled) { //nolint:bodyclose // there is none
		t.Errorf("who gives up waits on: %v", err)
	}
	close(refuse)
	for _, err := range append(<-first, <-waiting...) {
		if !neverSent(err) {
			t.Errorf("got %v", err)
		}
	}
	before := dialled.Load()
	if err := askedAtOnce(t, way, 1)[0]; !neverSent(err) || dialled.Load() == before {
		t.Errorf("later: %v, after %d attempts", err, dialled.Load())
	}
}
