package helm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const (
	// attemptTimeout bounds one download, attempts how often it is tried.
	attemptTimeout = 2 * time.Minute
	attempts       = 4
	// largest is the size of a file that is still believed to be an index, a chart or manifests.
	largest = 128 << 20
)

// web fetches files. Proxies are those of the environment.
type web struct {
	client *http.Client
	// pause is how long the second attempt waits; each further one waits twice as long.
	pause time.Duration
	log   *slog.Logger
}

func newWeb(log *slog.Logger) web {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: 30 * time.Second}
	return web{client: &http.Client{Transport: transport, Timeout: attemptTimeout, CheckRedirect: led}, pause: time.Second, log: log}
}

// led follows a server that sends us on, where that may be.
func led(req *http.Request, via []*http.Request) error {
	return lifecycle.MayLead(via[0].URL, req.URL, len(via))
}

// statusError is an answer that is no file.
type statusError struct {
	url  string
	code int
}

func (e statusError) Error() string {
	return fmt.Sprintf("%s answers %d %s", e.url, e.code, http.StatusText(e.code))
}

// status is the HTTP status in an error's chain, 0 when there is none.
func status(err error) int {
	if e, ok := errors.AsType[statusError](err); ok {
		return e.code
	}
	return 0
}

// get fetches a file, and tries again when the failure may pass.
func (w web) get(ctx context.Context, url string) ([]byte, error) {
	pause := w.pause
	for n := 1; ; n++ {
		content, err := w.once(ctx, url)
		if err == nil || n == attempts || ctx.Err() != nil || !passes(err) {
			return content, err
		}
		w.log.Debug("download failed, trying again", "url", url, "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return nil, lifecycle.WhyEnded(ctx)
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// passes reports whether a download may succeed when it is tried again: no answer, or one that speaks of the server's state.
func passes(err error) bool {
	switch code := status(err); code {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return !errors.Is(err, errTooLarge)
	default:
		return code >= 500
	}
}

var errTooLarge = errors.New("it is larger than 128 MiB")

func (w web) once(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "kiban")
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError{url: req.URL.Redacted(), code: resp.StatusCode}
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, largest+1))
	if err == nil && len(content) > largest {
		err = errTooLarge
	}
	return content, err
}
