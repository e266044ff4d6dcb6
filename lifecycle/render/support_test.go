package render

import (
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestSupportLine(t *testing.T) {
	state := func(versions ...string) lifecycle.State {
		var st lifecycle.State
		for _, s := range versions {
			v, err := lifecycle.ParseVersion(s)
			if err != nil {
				t.Fatal(err)
			}
			st.Hosts = append(st.Hosts, lifecycle.HostState{Running: v})
		}
		st.Hosts = append(st.Hosts, lifecycle.HostState{}) // one that was not reached
		return st
	}
	for _, tt := range []struct {
		name  string
		state lifecycle.State
		now   string
		want  string
	}{
		{"supported", state("v1.36.3+k0s.2"), "2026-11-22", ""},
		{"the oldest counts", state("v1.36.3+k0s.2", "v1.34.10+k0s.0", "v1.35.7+k0s.0"), "2026-11-22",
			"\nKubernetes 1.34, which runs here, gets no more patches since 2026-10-27.\n"},
		{"soon", state("v1.35.7+k0s.0"), "2027-01-01", "\nKubernetes 1.35, which runs here, gets patches until 2027-02-28 only.\n"},
		{"not known", state("v1.99.1+k0s.0"), "2030-01-01", ""},
		{"nothing runs", state(), "2030-01-01", ""},
	} {
		now, err := time.Parse(time.DateOnly, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := SupportLine(lifecycle.Fleet{}, tt.state, now); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
