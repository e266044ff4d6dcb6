package forge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// secret is the part of the address that nobody may read.
const secret = "/services/T0AAAA/B0BBBB/x8Zq_secret"

// hookServer keeps what it was sent; answer, when set, answers in its place: it gives true.
type hookServer struct {
	*httptest.Server
	mu     sync.Mutex
	texts  []string
	calls  int
	answer func(w http.ResponseWriter, call int) bool
}

func newHookServer(t *testing.T, answer func(http.ResponseWriter, int) bool) *hookServer {
	r := &hookServer{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(r.handle))
	t.Cleanup(r.Close)
	return r
}

func (r *hookServer) handle(w http.ResponseWriter, req *http.Request) {
	var in map[string]string
	err := json.NewDecoder(req.Body).Decode(&in)
	r.mu.Lock()
	r.calls++
	call := r.calls
	if err != nil || len(in) != 1 || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" ||
		req.URL.Path != secret {
		r.texts = append(r.texts, "not what Slack takes: "+req.Method+" "+req.URL.Path)
	} else {
		r.texts = append(r.texts, in["text"])
	}
	r.mu.Unlock()
	if r.answer == nil || !r.answer(w, call) {
		_, _ = w.Write([]byte("ok"))
	}
}

func says(code int, header, body string) func(http.ResponseWriter, int) bool {
	return func(w http.ResponseWriter, _ int) bool {
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// first is an answer to the first attempts only.
func first(n int, answer func(http.ResponseWriter, int) bool) func(http.ResponseWriter, int) bool {
	return func(w http.ResponseWriter, call int) bool { return call <= n && answer(w, call) }
}

func TestPost(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter, int) bool
		calls  int
		want   string // summary; "" is success
		detail string
		may    bool
	}{
		{"well", nil, 1, "", "", false},
		{"limited at first", first(2, says(429, "0", "rate_limited")), 3, "", "", false},
		{"broken at first", first(3, says(503, "", "")), 4, "", "", false},
		{"limited for good", says(429, "0", "rate_limited"), 4, "the webhook's receiver limits the rate of messages",
			"429 Too Many Requests: rate_limited", false},
		{"limited for an hour", says(429, "3600", ""), 1, "the webhook's receiver limits the rate of messages", "left alone for 1h0m0s", false},
		{"broken for good", says(500, "", "oops at "+secret), 4, "the webhook's receiver fails", "500 Internal Server Error.", false},
		{"refused", says(403, "", "no_service"), 1, "the webhook's receiver refuses the message", "403 Forbidden: no_service", false},
		{"refused with its own address", says(404, "", "no such hook: "+secret), 1, "the webhook's receiver refuses the message",
			"404 Not Found.", false},
		{"refused with a part of its address", says(404, "", "x8_secret"), 1, "the webhook's receiver refuses the message", "404 Not Found.",
			false},
		{"moved", says(302, "", ""), 1, "the webhook's receiver refuses the message", "302 Found.", false},
		{"cut off", func(http.ResponseWriter, int) bool { panic(http.ErrAbortHandler) }, 1, "the webhook's receiver did not answer", "", true},
		{"hangs", nil, 1, "the webhook's receiver did not answer", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newHookServer(t, tt.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			began := time.Now()
			patience := 10 * time.Minute
			if tt.name == "hangs" {
				over := make(chan struct{})
				t.Cleanup(func() { close(over) })
				patience, r.answer = 200*time.Millisecond, func(http.ResponseWriter, int) bool { <-over; return false }
			}
			err := poster{client: webhookClient(patience), wait: time.Millisecond}.post(ctx, r.URL+secret, "hello")
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %s", took)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.calls != tt.calls || r.texts[0] != "hello" {
				t.Errorf("%d attempts, want %d: %q", r.calls, tt.calls, r.texts)
			}
			d, ok := errors.AsType[lifecycle.Diagnostic](err)
			if tt.want == "" && err != nil || tt.want != "" &&
				(!ok || d.Summary != tt.want || !strings.Contains(d.Detail, tt.detail) || d.Hint == "") {
				t.Errorf("got %#v, want %q", err, tt.want)
			}
			if errors.Is(err, lifecycle.ErrMayBeTold) != tt.may {
				t.Errorf("it may have arrived: %v, want %v", !tt.may, tt.may)
			}
			unsaid(t, err, r.URL+secret)
		})
	}
}

// unsaid holds that no word of an error shows the address, or the secret part of it.
func unsaid(t *testing.T, err error, address string) {
	t.Helper()
	if err == nil {
		return
	}
	d, _ := errors.AsType[lifecycle.Diagnostic](err)
	for _, text := range []string{err.Error(), d.Hint, d.Subject} {
		if strings.Contains(text, address) || strings.Contains(text, secret) || strings.Contains(text, "secret") &&
			!strings.Contains(text, "it is a secret") {
			t.Errorf("the address is shown: %s", text)
		}
	}
}

func TestUnreached(t *testing.T) {
	gone := newHookServer(t, nil)
	address := gone.URL + secret
	gone.Close()
	untrusted := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer untrusted.Close()
	untrusted.Config.ErrorLog = nil
	for _, address := range []string{address, untrusted.URL + secret} {
		err := poster{client: webhookClient(time.Minute), wait: time.Millisecond}.post(t.Context(), address, "hello")
		if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || d.Summary != "the webhook's receiver could not be reached" ||
			errors.Is(err, lifecycle.ErrMayBeTold) {
			t.Errorf("got %#v", err)
		}
		unsaid(t, err, address)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := PostWebhook(ctx, newHookServer(t, nil).URL+secret, "hello"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want an interruption to end it at once", err)
	}
}

func TestNoAddress(t *testing.T) {
	for _, address := range []string{"", "hooks.example.com" + secret, "ftp://hooks.example.com" + secret, "https://" + secret,
		"https://a b" + secret, "%zz" + secret, `"https://hooks.example.com` + secret + `"`} {
		err := PostWebhook(t.Context(), address, "hello")
		if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || d.Summary != "KIBAN_WEBHOOK is no address" {
			t.Errorf("%q: got %v", address, err)
		}
		unsaid(t, err, secret)
	}
}

func TestAddressMayEndInANewline(t *testing.T) {
	r := newHookServer(t, nil)
	if err := PostWebhook(t.Context(), r.URL+secret+"\n", "hello"); err != nil {
		t.Error(err)
	}
}

func TestProxyIsTheEnvironments(t *testing.T) {
	transport, ok := webhookClient(time.Second).Transport.(*http.Transport)
	if !ok || transport.Proxy == nil {
		t.Error("no proxy is asked for")
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "0": 0, "-3": 0, "soon": 0, "99999999999": 0,
		"Sun, 22 Nov 2026 05:00:30 GMT": 30 * time.Second, "Sun, 06 Nov 1994 08:49:37 GMT": 0} {
		if got := retryAfter(&http.Response{Header: http.Header{"Retry-After": {header}}}, now); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
}
