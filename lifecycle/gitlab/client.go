package gitlab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

// How long a server that fails, or limits the rate, is asked again.
const (
	retries   = 5
	firstWait = time.Second
	longWait  = time.Minute
)

// Client is a GitLab server, as one user sees it.
type Client struct {
	api *gitlab.Client
	log *slog.Logger
	url string
	// plain asks without the token: for what is everybody's to know.
	plain *http.Client
	// wait is the first pause before something is asked again.
	wait time.Duration
}

// New makes ready to speak to a server. Nothing is asked yet.
// Log is told of retries; nil: nobody is.
func New(server lifecycle.ForgeServer, log *slog.Logger) (*Client, error) {
	return newClient(server, log, firstWait)
}

func newClient(server lifecycle.ForgeServer, log *slog.Logger, wait time.Duration) (*Client, error) {
	if server.Token == "" {
		return nil, noToken()
	}
	c := &Client{log: log, url: server.URL, wait: wait}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	transport, err := transport(server.CAFile)
	if err != nil {
		return nil, err
	}
	c.plain = &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	c.api, err = gitlab.NewClient(server.Token,
		gitlab.WithBaseURL(server.URL),
		gitlab.WithHTTPClient(&http.Client{Transport: transport, Timeout: 2 * time.Minute, CheckRedirect: keepToken}),
		gitlab.WithCustomRetryMax(retries),
		gitlab.WithCustomRetryWaitMinMax(wait, longWait),
		gitlab.WithCustomRetry(c.again),
		gitlab.WithCustomBackoff(pause),
		gitlab.WithUserAgent("kiban"),
	)
	if err != nil {
		return nil, lifecycle.Errorf(server.URL, "the address of GitLab's API is none").
			Try("In a pipeline GitLab sets CI_API_V4_URL, such as https://gitlab.example.com/api/v4.").
			From(err)
	}
	return c, nil
}

// keepToken follows a redirect to another server, such as one that keeps artifacts, without the token.
func keepToken(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	if req.URL.Host != via[0].URL.Host {
		req.Header.Del("Private-Token")
	}
	return nil
}

func transport(caFile string) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if caFile == "" {
		return t, nil
	}
	bad := func(why string, cause error) error {
		return lifecycle.Errorf(caFile, "the certificate authorities of GitLab can't be read").
			Because(why).
			Try("GitLab's runner sets CI_SERVER_TLS_CA_FILE when the server has a certificate of its own.").
			Hiding(cause)
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, bad(err.Error(), err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, bad("it holds no PEM certificate", nil)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}

// again decides whether a request is sent once more. One that was refused for its rate was not carried out, so any is. After another
// failure nobody knows, so what would be made twice is not: UpsertNote looks first.
func (c *Client) again(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, lifecycle.WhyEnded(ctx)
	}
	if err != nil {
		// A certificate that is not trusted stays so.
		if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
			return false, nil
		}
		return repeatable(err), nil
	}
	limited := resp.StatusCode == http.StatusTooManyRequests
	broken := resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented
	if limited || broken && resp.Request.Method != http.MethodPost {
		c.log.Debug("GitLab asks for patience", "status", resp.Status, "path", resp.Request.URL.Path)
		return true, nil
	}
	return false, nil
}

// pause is how long to wait before the next attempt: as long as the server says, up to a minute, or else twice as long as before.
func pause(shortest, longest time.Duration, attempt int, resp *http.Response) time.Duration {
	wait := min(shortest<<attempt, longest)
	if resp == nil {
		return wait
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
		return min(time.Duration(s)*time.Second, longest)
	}
	if at, err := http.ParseTime(resp.Header.Get("Retry-After")); err == nil {
		return min(max(time.Until(at), 0), longest)
	}
	return wait
}
