package kube

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// The metrics of an API server that tell of requests for deprecated APIs, and when it started. They are Kubernetes' own
// (k8s.io/apiserver, pkg/endpoints/metrics); the first is stable.
const (
	metricDeprecated = "apiserver_requested_deprecated_apis"
	metricRequests   = "apiserver_request_total"
	metricStart      = "process_start_time_seconds"
)

// What one answer of /metrics may have: bytes in all, and APIs of each kind. A busy server of a large cluster has 20 MB.
const (
	maxMetrics     = 256 << 20
	mostDeprecated = 500
	mostCounted    = 20_000
)

// APIRequests asks each API server by its own address which deprecated APIs it was asked for since it started, all at once. Answers are in
// the order that New was given.
func (c *Client) APIRequests(ctx context.Context) []lifecycle.From[[]lifecycle.APIRequest] {
	if err := c.connect(ctx); err != nil {
		return []lifecycle.From[[]lifecycle.APIRequest]{{Name: "the API", Answer: lifecycle.Answer[[]lifecycle.APIRequest]{
			Unknown: err.Error()}}}
	}
	out := make([]lifecycle.From[[]lifecycle.APIRequest], len(c.servers))
	var wg sync.WaitGroup
	for i, b := range c.servers {
		wg.Go(func() {
			out[i].Name = b.Host
			var err error
			if out[i].Value, err = c.requestsOf(ctx, b); err != nil {
				out[i].Answer = lifecycle.Answer[[]lifecycle.APIRequest]{Unknown: err.Error()}
			}
		})
	}
	wg.Wait()
	return out
}

// RequestsOf asks the API server of one host.
func (c *Client) RequestsOf(ctx context.Context, host string) ([]lifecycle.APIRequest, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	for _, b := range c.servers {
		if b.Host == host {
			return c.requestsOf(ctx, b)
		}
	}
	return nil, fmt.Errorf("%s has no API server", host)
}

// requestsOf are those that an API server counts. Which of them this client made itself, too, is marked.
func (c *Client) requestsOf(ctx context.Context, b *backend) ([]lifecycle.APIRequest, error) {
	requests, err := b.deprecated(ctx)
	return c.own.mark(requests, time.Now()), err
}

func (b *backend) deprecated(ctx context.Context) ([]lifecycle.APIRequest, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+b.Address+b.base+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/plain;version=0.0.4")
	resp, err := b.client.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok { // the address says enough
			err = lifecycle.InTime(ctx, u.Err)
		}
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden, http.StatusUnauthorized:
		return nil, errors.New("its metrics are forbidden to kiban's user")
	default:
		return nil, fmt.Errorf("/metrics answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	requests, err := readRequests(resp.Body, time.Now())
	if err != nil {
		return nil, fmt.Errorf("its metrics: %w", lifecycle.InTime(ctx, err))
	}
	for i := range requests {
		requests[i].Server = b.Host
	}
	return requests, nil
}

// readRequests reads metrics line by line; most lines are none of its business.
func readRequests(body io.Reader, at time.Time) ([]lifecycle.APIRequest, error) {
	var (
		found  []lifecycle.APIRequest
		counts = map[[4]string]int64{}
		start  time.Time
		limit  = &io.LimitedReader{R: body, N: maxMetrics}
		lines  = bufio.NewReaderSize(limit, 64<<10)
	)
	for {
		line, more, err := lines.ReadLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		text := string(line)
		for more && err == nil { // a line longer than any of those
			_, more, err = lines.ReadLine()
		}
		switch {
		case strings.HasPrefix(text, metricDeprecated+"{"):
			if len(found) >= mostDeprecated {
				continue
			}
			if l, value := sample(text); value != 0 {
				found = append(found, lifecycle.APIRequest{Group: l["group"], Version: l["version"], Resource: l["resource"],
					Subresource: l["subresource"], Removed: l["removed_release"], Until: at, Read: at})
			}
		case strings.HasPrefix(text, metricRequests+"{"):
			l, value := sample(text)
			key := [4]string{l["group"], l["version"], l["resource"], l["subresource"]}
			if _, known := counts[key]; known || len(counts) < mostCounted {
				counts[key] += int64(value)
			}
		case strings.HasPrefix(text, metricStart+" "):
			if _, value := sample(text); value > 0 {
				start = time.Unix(int64(value), 0).UTC()
			}
		}
	}
	if limit.N <= 0 {
		return nil, fmt.Errorf("there are more than %d MiB", maxMetrics>>20)
	}
	if start.IsZero() {
		return nil, errors.New("they do not say when the server started") // no API server's, or cut off
	}
	for i := range found {
		f := &found[i]
		f.Since, f.Start = start, start
		f.Count = counts[[4]string{f.Group, f.Version, f.Resource, f.Subresource}]
	}
	return found, nil
}

// sample reads a line of Prometheus' text format: name{label="value",...} number. What is not of that form has no labels and is 0.
func sample(line string) (labels map[string]string, value float64) {
	labels = map[string]string{}
	_, rest, labelled := strings.Cut(line, "{")
	if !labelled {
		_, rest, _ = strings.Cut(line, " ")
	}
	for labelled {
		name, after, ok := strings.Cut(rest, `="`)
		if !ok {
			return nil, 0
		}
		text, after, ok := quoted(after)
		if !ok {
			return nil, 0
		}
		labels[strings.TrimLeft(name, ", ")] = text
		if rest, ok = strings.CutPrefix(after, "}"); ok {
			break
		}
		rest = after
	}
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ") // a time may follow
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return nil, 0
	}
	return labels, value
}

// quoted reads a label's value up to its quote, where \\, \" and \n stand for what they say.
func quoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
			if s[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
