package site

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestHostKeys: what counts is which keys a host has, not where they stand in the file, or whose else they are.
func TestHostKeys(t *testing.T) {
	const file = `# comment
10.0.0.1,cp-1 ssh-ed25519 AAAA1
[10.0.0.2]:2222 ssh-ed25519 AAAA2 comment
*.example ssh-rsa AAAA3
@cert-authority *.example ssh-ed25519 CA
@revoked 10.0.0.1 ssh-rsa OLD
|1|MDEyMzQ1Njc4OWFiY2RlZmdoaWo=|Lyo1b/TdkJnPLeJnpSldqBtKhF8= ssh-rsa AAAA4
broken
`
	keys := lifecycle.ReadKnownHosts(file)
	for _, tt := range []struct {
		address string
		port    int
		want    []string
	}{
		{"10.0.0.1", 22, []string{"@revoked ssh-rsa OLD", "ssh-ed25519 AAAA1"}},
		{"10.0.0.1", 2222, []string{"@revoked ssh-rsa OLD", "ssh-ed25519 AAAA1"}}, // without a port, it speaks of all
		{"10.0.0.2", 2222, []string{"ssh-ed25519 AAAA2"}},
		{"w.example", 22, []string{"@cert-authority ssh-ed25519 CA", "ssh-rsa AAAA3"}},
		{"192.168.1.61", 22, []string{"ssh-rsa AAAA4"}}, // its name is hashed
	} {
		if got := keysOf(keys, tt.address, tt.port); !slices.Equal(got, tt.want) {
			t.Errorf("%s:%d has %q, want %q", tt.address, tt.port, got, tt.want)
		}
	}
}
