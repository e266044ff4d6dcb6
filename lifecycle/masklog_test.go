package lifecycle

import (
	"strings"
	"testing"
)

func TestMaskLog(t *testing.T) {
	long := strings.Repeat("H4sIAAAAAAAC/2xV", 8)
	for line, want := range map[string]string{
		"Error: join token " + long + "= is bad":                            "Error: join token (masked) is bad",
		"the token rejected: token id 1a2b3c.0123456789abcdef expired":      "the token rejected: token id (masked) expired",
		`password="hunter2hunter2" user=x`:                                  `password="(masked)" user=x`,
		"Authorization: Bearer abcdefgh":                                    "Authorization: (masked)",
		"proxy http://me:hunter22@proxy:3128/":                              "proxy http://me:(masked)@proxy:3128/",
		"open /var/lib/k0s/kubelet/pods/0a1b2c3d-1111-2222/volumes/thing/x": "open /var/lib/k0s/kubelet/pods/0a1b2c3d-1111-2222/volumes/thing/x",
		"image sha256:" + strings.Repeat("0a", 32):                          "image sha256:" + strings.Repeat("0a", 32),
	} {
		if got := MaskLog(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}
