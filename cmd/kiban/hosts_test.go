package main

import (
	"context"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestTrustVerb: what is written, what is shown, and the exit code; only a terminal's "yes", or --yes, writes.
func TestTrustVerb(t *testing.T) {
	key := func(host string, s lifecycle.KeyStanding) lifecycle.HostKey {
		return lifecycle.HostKey{Host: host, Address: host + ":22", Type: "ssh-ed25519", Fingerprint: "SHA256:" + host, Standing: s}
	}
	fresh, known, changed, revoked := key("a", lifecycle.KeyNew), key("b", lifecycle.KeyKnown), key("c", lifecycle.KeyChanged),
		key("d", lifecycle.KeyRevoked)
	silent := []lifecycle.HostKeyFailure{{Host: "e", Address: "e:22", Why: "connection refused"}}
	for _, tt := range []struct {
		name    string
		seen    lifecycle.HostKeys
		answer  string // of a terminal; "" is none
		args    string
		code    int
		written string
		says    string
	}{
		{"nothing to do", lifecycle.HostKeys{Keys: []lifecycle.HostKey{known}}, "", "", exitDone, "", "Nothing to do"},
		{"nobody is here", lifecycle.HostKeys{Keys: []lifecycle.HostKey{fresh}}, "", "", exitFailed, "", "nobody is here to confirm"},
		{"a person says no", lifecycle.HostKeys{Keys: []lifecycle.HostKey{fresh}}, "no\n", "", exitFailed, "", "not confirmed"},
		{"a person says yes", lifecycle.HostKeys{Keys: []lifecycle.HostKey{known, fresh}}, "yes\n", "", exitDone, "a", "SHA256:a"},
		{"some changed", lifecycle.HostKeys{Keys: []lifecycle.HostKey{fresh, changed}}, "", "--yes", exitFailed, "a", "CHANGED"},
		{"all", lifecycle.HostKeys{Keys: []lifecycle.HostKey{fresh, changed}}, "", "--yes --all", exitDone, "a c", "CHANGED"},
		{"a revoked key is never taken", lifecycle.HostKeys{Keys: []lifecycle.HostKey{revoked}}, "", "--yes --all", exitFailed, "", "@revoked"},
		{"one does not answer", lifecycle.HostKeys{Keys: []lifecycle.HostKey{fresh}, Failed: silent}, "", "--yes -o json", exitFailed, "a",
			"connection refused"},
	} {
		f := &fakeSite{}
		s := f.services()
		s.HostKeys = func(context.Context, lifecycle.Site) (lifecycle.HostKeys, error) { return tt.seen, nil }
		var written []string
		s.TrustHosts = func(_ string, keys []lifecycle.HostKey) error {
			for _, k := range keys {
				written = append(written, k.Host)
			}
			return nil
		}
		var out, errs strings.Builder
		streams := Streams{In: strings.NewReader(tt.answer), InTTY: tt.answer != "", Out: &out, Err: &errs,
			Getenv: func(string) string { return "" }, Size: func() (int, int) { return 80, 24 }}
		code := run(t.Context(), streams, append([]string{"--fleet", t.TempDir(), "hosts", "trust", "lab"}, strings.Fields(tt.args)...), s)
		asked := strings.Contains(errs.String(), "Do the fingerprints match those on the machines' consoles? Only 'yes' is accepted:")
		if asked != (tt.answer != "") || !strings.Contains(out.String(), "SHA256:") && asked {
			t.Errorf("%s: asked %v\n%s%s", tt.name, asked, out.String(), errs.String())
		}
		if all := out.String() + errs.String(); code != tt.code || strings.Join(written, " ") != tt.written || !strings.Contains(all, tt.says) {
			t.Errorf("%s: exit %d, wrote %v\n%s", tt.name, code, written, all)
		}
	}
}
