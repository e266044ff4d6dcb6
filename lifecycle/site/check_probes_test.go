package site

import "testing"

// TestProbesAreWholeAddresses: what is asked during a rollout can be asked as it stands, and is no place for a password.
func TestProbesAreWholeAddresses(t *testing.T) {
	for address, found := range map[string]int{
		"https://shop.example.org/healthz": 0, "http://10.0.0.5:8080": 0,
		"shop.example.org": 1, "ftp://shop.example.org": 1, "https://": 1, "file:///etc/passwd": 1,
		"https://u:p@shop.example.org": 1, "http://[": 1,
	} {
		if got := checkProbes([]string{address}); len(got) != found {
			t.Errorf("%s: %v", address, got)
		}
	}
}
