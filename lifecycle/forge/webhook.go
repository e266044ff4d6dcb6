package forge

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// How long a receiver is asked again, and how long one attempt may take.
const (
	attempts    = 4
	firstWait   = time.Second
	attemptTime = 10 * time.Second
)

// PostWebhook sends a message's text, in Slack's form of markup. The proxy is the environment's. A receiver that fails or limits the rate
// is asked again, as late as it says, as far as ctx allows; one that did not answer is not, for it may have the message:
// lifecycle.ErrMayBeTold. Errors are Diagnostics without the address.
func PostWebhook(ctx context.Context, address, text string) error {
	return poster{client: webhookClient(attemptTime), wait: firstWait}.post(ctx, address, text)
}

type poster struct {
	client *http.Client
	// wait is the first pause before another attempt.
	wait time.Duration
}

func webhookClient(limit time.Duration) *http.Client {
	return &http.Client{
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		Timeout:   limit,
		// Nobody but the receiver that was named is told.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (p poster) post(ctx context.Context, address, text string) error {
	to, err := parseWebhook(address)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return webhookFinding("the message can't be written", err.Error(), "")
	}
	for attempt := 0; ; attempt++ {
		wait, err := p.once(ctx, to, body)
		if err == nil || wait < 0 || attempt == attempts-1 {
			return err
		}
		if wait == 0 {
			wait = p.wait << attempt
		}
		if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < wait {
			return err // what it asks for is more than there is
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// once makes one attempt. After an error, wait is how long the receiver asks to be left alone, 0 when it does not say, and negative when
// another attempt is of no use, or could tell it twice.
func (p poster) once(ctx context.Context, to *url.URL, body []byte) (wait time.Duration, err error) {
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return -1, malformedWebhook()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "kiban")
	resp, err := p.client.Do(req)
	if err != nil {
		return unreachedWebhook(err, connected.Load(), to)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 512)) // only what it adds to its status
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return 0, nil
	case resp.StatusCode == http.StatusTooManyRequests:
		d := webhookFinding("the webhook's receiver limits the rate of messages", webhookAnswer(resp, said, to),
			"Retry the job later: what was told is not told again.")
		wait := retryAfter(resp, time.Now())
		if wait > 0 {
			d.Detail += " It wants to be left alone for " + wait.Round(time.Second).String() + "."
		}
		return wait, d
	case resp.StatusCode >= 500:
		return retryAfter(resp, time.Now()), webhookFinding("the webhook's receiver fails", webhookAnswer(resp, said, to),
			"Retry the job: what was told is not told again.")
	}
	return -1, webhookFinding("the webhook's receiver refuses the message", webhookAnswer(resp, said, to),
		"Make the webhook anew if it was revoked or its channel is gone, and put its address into the masked variable KIBAN_WEBHOOK.")
}

// parseWebhook reads the address. It says nothing of what it reads.
func parseWebhook(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, malformedWebhook()
	}
	return u, nil
}

func malformedWebhook() error {
	return webhookFinding("KIBAN_WEBHOOK is no address",
		"It has to begin with https:// and to name a host. It is not shown, because it is a secret.",
		"Copy the webhook's address again, without quotes.")
}

func webhookFinding(summary, detail, hint string) lifecycle.Diagnostic {
	return lifecycle.Errorf("", "%s", summary).Because(detail).Try(hint)
}

var codeWord = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)

// webhookAnswer is what the receiver answered with. Of its body only a code such as no_service is shown, which is no part of the address.
func webhookAnswer(resp *http.Response, said []byte, to *url.URL) string {
	out := resp.Status
	if code := strings.TrimSpace(string(said)); len(code) <= 60 && codeWord.MatchString(code) && !strings.Contains(to.String(), code) {
		out += ": " + code
	}
	return "It answered " + out + "."
}

// unreachedWebhook says why there was no answer. Over a connection that stood, the message may have arrived; a certificate that is not
// trusted stays so.
func unreachedWebhook(err error, connected bool, to *url.URL) (time.Duration, error) {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // without the address
	}
	d := webhookFinding("the webhook's receiver could not be reached", hideWebhook(lifecycle.InWords(err), to),
		"Check the way from the runner to it; HTTPS_PROXY and NO_PROXY are heeded.")
	d.Cause = err
	if connected {
		d.Summary = "the webhook's receiver did not answer"
		d.Hint = "It may have the message all the same, so it was not sent again. Look there, and retry the job later if it is missing."
		d.Cause = errors.Join(lifecycle.ErrMayBeTold, err)
		return -1, d
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return -1, d
	}
	return 0, d
}

// hideWebhook takes the address, and what of it is secret, out of a text.
func hideWebhook(text string, to *url.URL) string {
	for _, part := range []string{to.String(), to.RequestURI(), to.EscapedPath(), to.Path, to.RawQuery, to.User.String()} {
		if len(part) > 1 {
			text = strings.ReplaceAll(text, part, "…")
		}
	}
	return text
}

// retryAfter is how long the receiver asks to be left alone; 0 when it does not say.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	after := resp.Header.Get("Retry-After")
	if s, err := strconv.Atoi(after); err == nil && s > 0 && s < 1<<20 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
