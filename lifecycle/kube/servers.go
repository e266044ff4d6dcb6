package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/version"

	"kiban.dev/kiban/lifecycle"
)

// readyTimeout bounds what one API server may take to say how it is. Its own health checks take milliseconds.
const readyTimeout = 4 * time.Second

// Servers asks each controller's API server by its own address, all at once, for /readyz and /version. One that does not
// answer is reported as not ready, with the reason. They are in the order that New was given. There are none while there is no API: what
// to make of a controller's absence is for the caller to judge.
func (c *Client) Servers(ctx context.Context) []lifecycle.APIServer {
	if c.connect(ctx) != nil {
		return nil
	}
	out := make([]lifecycle.APIServer, len(c.servers))
	var wg sync.WaitGroup
	for i, b := range c.servers {
		wg.Go(func() { out[i] = b.look(ctx) })
	}
	wg.Wait()
	return out
}

func (b *backend) look(ctx context.Context) lifecycle.APIServer {
	ctx, cancel := lifecycle.Within(ctx, readyTimeout, "no answer")
	defer cancel()
	s := lifecycle.APIServer{Host: b.Host}
	code, body, err := b.get(ctx, "/readyz?verbose")
	if err != nil {
		s.Why = err.Error()
		if u, ok := errors.AsType[*url.Error](err); ok { // the address says enough
			s.Why = inner(lifecycle.InTime(ctx, u.Err).Error())
		}
		return s
	}
	if s.Ready = code == http.StatusOK; !s.Ready {
		s.Why = failingChecks(code, body)
	}
	if code, body, err = b.get(ctx, "/version"); err == nil && code == http.StatusOK {
		var v version.Info
		if json.Unmarshal(body, &v) == nil {
			s.Version = v.GitVersion
			if v.EmulationMajor != "" && v.EmulationMinor != "" {
				s.Emulates = v.EmulationMajor + "." + v.EmulationMinor
			}
		}
	}
	return s
}

func (b *backend) get(ctx context.Context, path string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+b.Address+b.base+path, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 256<<10))
	return resp.StatusCode, body, err
}

// fewChecks is how many failing checks are named: an API server that starts fails a dozen.
const fewChecks = 4

// failingChecks reads the lines of /readyz?verbose: "[-]etcd failed: reason withheld".
func failingChecks(code int, body []byte) string {
	var failing []string
	for line := range strings.Lines(string(body)) {
		if name, ok := strings.CutPrefix(line, "[-]"); ok {
			name, _, _ = strings.Cut(name, " failed")
			failing = append(failing, strings.TrimSpace(name))
		}
	}
	if more := len(failing) - fewChecks; more > 0 {
		return fmt.Sprintf("failing checks: %s and %d more", strings.Join(failing[:fewChecks], ", "), more)
	}
	if len(failing) > 0 {
		return "failing checks: " + strings.Join(failing, ", ")
	}
	return fmt.Sprintf("/readyz answers %d %s", code, http.StatusText(code))
}
