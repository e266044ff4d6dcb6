package session

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestProbesReachWhatIsDeclaredAndNothingElse: a redirect is an answer, and is not followed; a code from 400 on is none.
func TestProbesReachWhatIsDeclaredAndNothingElse(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	code := http.StatusOK
	declared := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(code)
	}))
	defer declared.Close()
	t.Setenv("HTTP_PROXY", other.URL)
	for c, answers := range map[int]bool{200: true, 204: true, 302: true, 404: false, 503: false} {
		code = c
		if err := newWebProber().Ask(t.Context(), declared.URL); (err == nil) != answers {
			t.Errorf("%d: %v", c, err)
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("another address was reached")
	}
	declared.Close()
	if newWebProber().Ask(t.Context(), declared.URL) == nil {
		t.Error("nobody listens, and it answers")
	}
}

// What does not answer in time is told so, without the address again, which the gate says before it.
func TestProbesSayWhatDidNotAnswer(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	ctx, cancel := lifecycle.Within(t.Context(), 100*time.Millisecond, "no answer")
	defer cancel()
	if err := newWebProber().Ask(ctx, silent.URL); err == nil || err.Error() != "no answer within 100ms" {
		t.Errorf("got %v", err)
	}
}
