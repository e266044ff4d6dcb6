package lifecycle

import (
	"slices"
	"testing"
)

func TestParseVersion(t *testing.T) {
	tests := []struct{ in, kubernetes, kubelet string }{
		{"v1.36.3+k0s.2", "v1.36.3", "v1.36.3+k0s"},
		{"v1.34.10+k0s.0", "v1.34.10", "v1.34.10+k0s"},
		{"v1.35.0-rc.1+k0s.0", "v1.35.0-rc.1", "v1.35.0-rc.1+k0s"},
	}
	for _, tt := range tests {
		v, err := ParseVersion(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if v.String() != tt.in || v.Kubernetes() != tt.kubernetes || v.Kubelet() != tt.kubelet {
			t.Errorf("%s reads as %s, %s, %s", tt.in, v, v.Kubernetes(), v.Kubelet())
		}
	}
	for _, bad := range []string{"", "latest", "1.36", "v1.36.3", "1.36.3+k0s.2", "v1.36.3+k0s", "v1.36.3+k3s.1", "v1.36+k0s.0",
		"v1.36.3-rc1+k0s.0", "v1.36.3+k0s.2 ", "v1.36.3+k0s.x"} {
		if v, err := ParseVersion(bad); err == nil {
			t.Errorf("%q was read as %s", bad, v)
		}
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	want := []string{"v1.34.10+k0s.0", "v1.35.0-alpha.2+k0s.0", "v1.35.0-beta.1+k0s.0", "v1.35.0-rc.2+k0s.0", "v1.35.0-rc.10+k0s.0",
		"v1.35.0+k0s.0", "v1.35.0+k0s.1", "v1.35.10+k0s.0", "v1.36.1+k0s.0"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, func(a, b string) int { return mustParse(t, a).Compare(mustParse(t, b)) })
	if !slices.Equal(got, want) {
		t.Errorf("sorted: %v\nwant:   %v", got, want)
	}
	if n := mustParse(t, "v1.36.1+k0s.0").MinorsAhead(mustParse(t, "v1.34.10+k0s.0")); n != 2 {
		t.Errorf("1.36 is %d minors ahead of 1.34", n)
	}
}

func mustParse(t *testing.T, s string) Version {
	t.Helper()
	v, err := ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Whatever is accepted is printed as it was read, and text round-trips.
func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"v1.36.3+k0s.2", "v1.35.0-rc.1+k0s.0", "v0.0.0+k0s.0", "v01.2.3+k0s.4", "latest",
		"v1.99999999999999999999.3+k0s.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseVersion(s)
		if err != nil || v.IsZero() {
			return
		}
		again, err := ParseVersion(v.String())
		if err != nil || again != v {
			t.Fatalf("%q reads as %s, which reads as %s, %v", s, v, again, err)
		}
		if v.Compare(again) != 0 || v.Less(again) {
			t.Fatalf("%s is not equal to itself", v)
		}
	})
}
