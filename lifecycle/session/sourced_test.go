package session_test

import (
	"context"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness"
	"kiban.dev/kiban/lifecycle/session"
)

// TestWhatTheSourceLacksIsInTheWay: however a release is written, that the source of k0s does not have it is a finding beside all others,
// with what it has instead; a minor release is judged as such; of a source that is out of reach nothing is known.
func TestWhatTheSourceLacksIsInTheWay(t *testing.T) {
	v135 := lifecycle.Version{Major: 1, Minor: 35, Patch: 3}
	seen := lifecycle.State{Hosts: []lifecycle.HostState{{Name: "c1", Arch: "amd64", Binary: v135, Running: v135,
		ServiceName: "k0scontroller"}}}
	const lacks = "the source of k0s has no "
	for _, c := range []struct {
		to, declared string
		has          string // "" for nothing, else what the source has; "away" is one that is out of reach
		want, seen   string
	}{
		{"1.36.9", "", "v1.36.1+k0s.0", lacks + "v1.36.9+k0s.0", "what it has of v1.36: v1.36.1+k0s.0"},
		{"v1.36.9", "", "v1.36.1+k0s.0", lacks + "v1.36.9+k0s.0", "what it has of v1.36: v1.36.1+k0s.0"},
		{"v1.36.9+k0s.0", "", "v1.36.1+k0s.0", lacks + "v1.36.9+k0s.0", "what it has of v1.36: v1.36.1+k0s.0"},
		{"1.36.9", "", "", lacks + "v1.36.9+k0s.0", "not there"},
		{"1.36.1", "", "v1.36.1+k0s.0", "", ""},
		{"1.36", "", "", "", ""},
		{"", "", "", "", ""},
		{"", "v1.36.9+k0s.0", "", lacks + "v1.36.9+k0s.0", "not there"},
		{"1.35.3", "", "", "", ""}, // it is installed
		{"1.36.9", "", "away", "not known", ""},
	} {
		site := lifecycle.Site{Name: "lab"}
		if c.declared != "" {
			site.Cluster.Version, _ = lifecycle.ParseVersion(c.declared)
		}
		s := session.With(site, session.Options{}, session.Parts{Site: seenSite{seen}, Plans: session.Planners{
			Make: func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
				return lifecycle.Plan{Site: "lab"}
			},
			Ready: func(in readiness.Input) lifecycle.Readiness {
				return lifecycle.Readiness{Site: in.Site.Name, To: in.Target}
			}},
			Missing: func(_ context.Context, v lifecycle.Version, _ string) (lifecycle.Diagnostic, bool) {
				if c.has == "away" {
					return lifecycle.Warnf("lab", "the mirror is not here").Hiding(lifecycle.ErrNotHere), true
				}
				return lifecycle.Warnf("lab", lacks+"%s", v).Because("not there").Try("Declare another."), v.String() != c.has
			}})
		to, exact, err := lifecycle.ParseTarget(c.to)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Ready(t.Context(), to, exact)
		if err != nil {
			t.Errorf("--to %q: %v", c.to, err)
			continue
		}
		got := ""
		for _, f := range r.Of(lifecycle.RankBlocks) {
			got += f.Summary
			if c.seen != "" && !strings.Contains(strings.Join(f.Seen, "\n"), c.seen) {
				t.Errorf("--to %q: seen: %q", c.to, f.Seen)
			}
		}
		if len(r.Unseen) > 0 {
			got = "not known"
		}
		if got != c.want {
			t.Errorf("--to %q with %q: %q, want %q", c.to, c.has, got, c.want)
		}
	}
}
