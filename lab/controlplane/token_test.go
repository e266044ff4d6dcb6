package controlplane

import (
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestTokenRoundTrip(t *testing.T) {
	for _, role := range []string{"worker", "controller"} {
		want := Token{ID: "abcdef", Secret: "0123456789abcdef", Role: role, Server: "https://127.66.0.11:6443", CA: []byte("ca")}
		got, err := ParseToken("\n" + want.String() + "\n")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", role, got, err)
		}
	}
	for name, s := range map[string]string{
		"nothing": "", "text": "a token", "base64 of text": "YSB0b2tlbg==",
		"another user": strings.TrimSpace(Token{ID: "a", Secret: "b", Role: "admin", Server: "https://x"}.String()),
		"a torn one":   Token{Role: "worker", Server: "https://x"}.String()[:40],
	} {
		if _, err := ParseToken(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestAdmits(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	secret := func(role string, expiry time.Duration) *corev1.Secret {
		s := tokenSecret(Token{ID: "abcdef", Secret: "right", Role: role}, expiry, now)
		s.Data = map[string][]byte{}
		for k, v := range s.StringData { // as the API server stores it
			s.Data[k] = []byte(v)
		}
		return s
	}
	for name, c := range map[string]struct {
		secret *corev1.Secret
		bearer string
		after  time.Duration
		why    string
	}{
		"a good one":        {secret("controller", time.Hour), "right", time.Minute, ""},
		"one without end":   {secret("controller", 0), "right", 9000 * time.Hour, ""},
		"an expired one":    {secret("controller", time.Hour), "right", time.Hour, "expired"},
		"a worker's":        {secret("worker", time.Hour), "right", 0, "not for controllers"},
		"the wrong secret":  {secret("controller", time.Hour), "wrong", 0, "not known"},
		"some other Secret": {&corev1.Secret{Data: secret("controller", 0).Data}, "right", 0, "not known"},
	} {
		err := admits(c.secret, c.bearer, now.Add(c.after))
		if got := ""; err != nil {
			got = err.Error()
			if c.why == "" || !strings.Contains(got, c.why) {
				t.Errorf("%s: %v", name, err)
			}
		} else if c.why != "" {
			t.Errorf("%s is let in", name)
		}
	}
}
