package session

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// probeTimeout bounds one answer of a probe.
const probeTimeout = 5 * time.Second

// webProber asks a site's probes. It reaches the declared addresses and nothing else: it follows no redirect and takes no proxy from the
// environment, and of an answer it reads no more than the code.
type webProber struct{ client *http.Client }

func newWebProber() webProber {
	transport := &http.Transport{DisableKeepAlives: true, TLSHandshakeTimeout: probeTimeout, ResponseHeaderTimeout: probeTimeout}
	return webProber{&http.Client{Timeout: probeTimeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Ask asks once; an error says why that was no answer.
func (p webProber) Ask(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "kiban")
	resp, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}
