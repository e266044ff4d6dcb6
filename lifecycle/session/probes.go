package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// probeTimeout bounds one answer of a probe.
const probeTimeout = 5 * time.Second

// webProber asks a site's probes. It reaches the declared addresses and nothing else: it follows no redirect and takes no proxy from the
// environment, and of an answer it reads no more than the code.
type webProber struct{ client *http.Client }

func newWebProber() webProber {
	return webProber{&http.Client{Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Ask asks once; an error says why that was no answer.
func (p webProber) Ask(ctx context.Context, address string) error {
	ctx, cancel := lifecycle.Within(ctx, probeTimeout, "no answer")
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "kiban")
	resp, err := p.client.Do(r)
	if u, ok := errors.AsType[*url.Error](err); ok { // the address is said already
		err = u.Err
	}
	if err != nil {
		return lifecycle.InTime(ctx, err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}
