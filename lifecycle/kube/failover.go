package kube

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// suspectFor is how long a server that failed is tried last.
const suspectFor = 5 * time.Second

// failover sends each request to the server that answered last, and to the others when that one does not. Requests that may
// have had an effect already are repeated only when they change nothing; the callers of the others repeat them knowingly.
type failover struct {
	backends []*backend
	log      *slog.Logger

	mu      sync.Mutex
	last    int
	suspect map[*backend]time.Time // until when
}

func (f *failover) RoundTrip(r *http.Request) (*http.Response, error) {
	order := f.order(time.Now())
	for i, b := range order {
		attempt, err := again(r, i)
		if err != nil {
			return nil, err
		}
		resp, err := b.send(attempt)
		lastTry := i == len(order)-1
		switch {
		case err == nil && !unwilling(r, resp):
			f.good(b)
			return plain(r, resp), nil
		case err == nil && lastTry:
			return plain(r, resp), nil
		case err == nil:
			discard(resp)
		case errors.Is(r.Context().Err(), context.Canceled):
			return nil, err
		case lastTry, r.Context().Err() != nil, !neverSent(err) && !readOnly(r):
			f.bad(b, err)
			return nil, lifecycle.InTime(r.Context(), err)
		}
		f.bad(b, err)
	}
	return nil, errors.New("no API server is known")
}

// order is the last good server first, then the others, those that failed a moment ago last.
func (f *failover) order(now time.Time) []*backend {
	f.mu.Lock()
	defer f.mu.Unlock()
	order := slices.Concat(f.backends[f.last:], f.backends[:f.last])
	rank := func(b *backend) int {
		if now.Before(f.suspect[b]) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b *backend) int { return rank(a) - rank(b) })
	return order
}

func (f *failover) good(b *backend) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = slices.Index(f.backends, b)
	delete(f.suspect, b)
}

func (f *failover) bad(b *backend, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.suspect == nil {
		f.suspect = map[*backend]time.Time{}
	}
	f.suspect[b] = time.Now().Add(suspectFor)
	f.log.Debug("API server does not answer, trying another", "host", b.Host, "address", b.Address, "error", err)
}

// again is the request for its n-th attempt, with a body that has not been read.
func again(r *http.Request, n int) (*http.Request, error) {
	if n == 0 || r.Body == nil || r.GetBody == nil {
		return r, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.Body = body
	return out, nil
}

// readOnly reports whether a request changes nothing: it reads, or asks what a change would do.
func readOnly(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.URL.Query().Get("dryRun") == "All"
}

// unwilling reports whether another server should be asked: this one is stopping, overloaded, or has no one behind it. Such a
// request was not served, so that any may be repeated, unless it may have been served in part (a gateway's timeout).
func unwilling(r *http.Request, resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return !eviction(r) // there it is a budget's answer, the same from every server
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return readOnly(r)
	}
	return false
}

// plain takes away what would make client-go sleep within a request: a budget that refuses an eviction is asked again by the
// drain, at the policy's pace.
func plain(r *http.Request, resp *http.Response) *http.Response {
	if eviction(r) {
		resp.Header.Del("Retry-After")
	}
	return resp
}

func eviction(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/eviction") }

// discard reads an answer to its end, so that its connection can be used again.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
}
