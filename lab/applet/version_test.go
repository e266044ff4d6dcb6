package applet

import "testing"

func TestKubernetesVersion(t *testing.T) {
	for in, want := range map[string]string{
		"v1.36.3+k0s.2":       "v1.36.3+k0s 36",
		"v1.34.10+k0s.0":      "v1.34.10+k0s 34",
		"v1.37.0-rc.1+k0s.10": "",
		"v1.36.3":             "v1.36.3 36",
		"1.36.3+k0s.0":        "",
		"v2.0.0+k0s.0":        "",
		"latest":              "",
	} {
		full, minor, err := kubernetesVersion(in)
		got := full + " " + minor
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}
