package session

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestAPIPort(t *testing.T) {
	for config, want := range map[string]int{"": 6443, "spec: {api: {port: 7443}}": 7443, `{"spec":{"api":{}}}`: 6443, "[": 6443} {
		if got := apiPort(lifecycle.Host{Config: []byte(config)}); got != want {
			t.Errorf("%q: got %d, want %d", config, got, want)
		}
	}
}
