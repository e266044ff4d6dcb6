package lifecycle

import (
	"fmt"
	"strings"
	"testing"
)

// Which lines of known_hosts speak of a machine is as OpenSSH has it. What ssh itself says of these forms is held in package k0s.
func TestKnownHosts(t *testing.T) {
	known := ReadKnownHosts(`
# 10.0.0.9 ssh-ed25519 AAAA
10.0.0.1,Node-1 ssh-ed25519 AAAA
[10.0.0.2]:2222 ssh-ed25519 AAAA
10.0.1.? ssh-ed25519 AAAA
[10.0.2.*]:2222 ssh-ed25519 AAAA
@cert-authority *.example.com,!b.example.com ssh-ed25519 AAAA
@revoked 10.0.0.8 ssh-ed25519 AAAA
10.0.0.7
|1|dGVzdHNhbHR0ZXN0c2FsdDEy|1Z0T3FfMZC4+dsA0F6XNMl0yVCI= ssh-ed25519 AAAA
@unknown 10.0.0.6 ssh-ed25519 AAAA
10.1.*,!10.1.9.*,!10.1.8.8 ssh-ed25519 AAAA
[10.2.0.1]:22* ssh-ed25519 AAAA
[10.3.0.1]:22 ssh-ed25519 AAAA
!10.4.0.1 ssh-ed25519 AAAA
fd00::1 ssh-ed25519 AAAA
`)
	for at, want := range map[string]bool{
		"10.0.0.1 22": true, "node-1 22": true, "NODE-1 22": true,
		"10.0.0.1 2222": true, // ssh looks without the port where nothing has it
		"10.0.0.2 2222": true, "10.0.0.2 22": false, "10.0.1.7 22": true, "10.0.1.77 22": false, "10.0.1.7 2022": true,
		"10.0.2.77 2222": true, "w.example.com 22": true, "a.b.example.com 22": true, "b.example.com 22": false, "w.example.com 2222": true,
		"10.0.0.6 22": false, "10.0.0.7 22": false, "10.0.0.8 22": false, "10.0.0.9 22": false,
		"hashed.example.net 22": true, "Hashed.example.net 22": true, "other.example.net 22": false,
		"10.1.1.1 22": true, "10.1.9.1 22": false, "10.1.8.8 22": false, "10.1.8.80 22": true,
		"10.2.0.1 2222": true, "10.2.0.1 22": true, "10.2.0.1 2322": false, "10.3.0.1 22": true, "10.4.0.1 22": false, "10.4.0.2 22": false,
		"fd00::1 22": true, "fd00::1 2222": true, "fd00::11 22": false,
	} {
		var address string
		var port int
		if _, err := fmt.Sscan(at, &address, &port); err != nil {
			t.Fatal(err)
		}
		if got := known.Knows(address, port); got != want {
			t.Errorf("%s: %v, want %v: %+v", at, got, want, known.Of(address, port))
		}
	}
}

func TestMatches(t *testing.T) {
	for pattern, names := range map[string]string{
		"*": " a ab", "?": "a b", "a*b*c": "abc aXbYc aabbcc", "a?c": "abc", "**": " a", "a*": "a ab", "*b": "b ab abb", "[a]:*": "[a]:22",
	} {
		for _, name := range strings.Split(names, " ") {
			if !matches(pattern, name) {
				t.Errorf("%q does not match %q", pattern, name)
			}
		}
	}
	for pattern, name := range map[string]string{"?": "", "a": "b", "a*b": "abc", "a?": "a", "": "a", "*b": "ba", "[a]:*": "a:22",
		"[ab]": "a"} {
		if matches(pattern, name) {
			t.Errorf("%q matches %q", pattern, name)
		}
	}
	if long := strings.Repeat("a", 5000); matches(strings.Repeat("a*", 500)+"b", long) {
		t.Error("a long pattern matches what it should not")
	}
}

// A line whose key is none of the type that it names is damaged; comments, options of ours and the first protocol's keys are not.
func TestDamagedKnownHosts(t *testing.T) {
	const key = "AAAAC3NzaC1lZDI1NTE5AAAAIJ3z1Y0e1Yf3mE0n8u3C9l0g1b7o0Qw1r2s3t4u5v6w7"
	for line, damaged := range map[string]bool{
		"a ssh-ed25519 " + key:                   false,
		"a ssh-ed25519 " + key + " a comment":    false,
		"@cert-authority *.a ssh-ed25519 " + key: false,
		"@revoked * ssh-ed25519 " + key:          false,
		"# a ssh-ed25519 x":                      false,
		"a 1024 35 12345":                        false,
		"a ssh-ed25591 " + key:                   true,
		"a ssh-rsa " + key:                       true,
		"a ssh-ed25519 " + key[:30] + "!":        true,
		"a ssh-ed25519 AAAA":                     true,
		"a ssh-ed25519 AAAAC3NzaC1lZDI1NTE5":     true,
		"@revoked * ssh-rsa " + key:              true,
	} {
		if got := len(ReadKnownHosts("\n" + line).Damaged()); got != map[bool]int{true: 1}[damaged] {
			t.Errorf("%s: %d damaged", line, got)
		}
	}
}
