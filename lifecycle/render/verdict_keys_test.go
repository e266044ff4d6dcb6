package render

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// One is told as one.
func TestKeysVerdict(t *testing.T) {
	one, two := make([]lifecycle.HostKey, 1), make([]lifecycle.HostKey, 2)
	failed := lifecycle.Diagnostics{lifecycle.Errorf("w-1", "not reached")}
	for want, got := range map[string]string{
		"1 host key written to known_hosts.":                  KeysVerdict(lifecycle.HostKeys{Keys: two}, one, failed, "known_hosts"),
		"2 host keys written to known_hosts.":                 KeysVerdict(lifecycle.HostKeys{Keys: two}, two, nil, "known_hosts"),
		"No key was written to known_hosts.":                  KeysVerdict(lifecycle.HostKeys{}, nil, failed, "known_hosts"),
		"Nothing to do: 1 host key, already in known_hosts.":  KeysVerdict(lifecycle.HostKeys{Keys: one}, nil, nil, "known_hosts"),
		"Nothing to do: 2 host keys, already in known_hosts.": KeysVerdict(lifecycle.HostKeys{Keys: two}, nil, nil, "known_hosts"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
