package fleet

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestReckoning: a site is reckoned with those that it waits for, which are read once for all who ask at the same time; one that can't be
// read, or that waits for itself, ends nothing.
func TestReckoning(t *testing.T) {
	v := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	site := func(name string, from ...string) lifecycle.Site {
		s := lifecycle.Site{Name: name, Cluster: lifecycle.Cluster{Version: v, Hosts: make([]lifecycle.Host, 3)}}
		if s.Promotion.From = from; len(from) > 0 {
			s.Promotion.Soak = 72 * time.Hour
		}
		return s
	}
	sites := map[string]lifecycle.Site{"lab": site("lab"), "staging": site("staging", "lab", "broken", "prod")}
	var reads atomic.Int64
	source := Source{Load: func(_ context.Context, _, name, _ string) (lifecycle.Site, lifecycle.Diagnostics) {
		reads.Add(1)
		if s, there := sites[name]; there {
			return s, nil
		}
		return lifecycle.Site{}, lifecycle.Diagnostics{lifecycle.Errorf(name, "it can't be read")}
	}}
	r := source.Reckon(t.Context(), t.TempDir())
	firsts := make([]string, 8)
	var all sync.WaitGroup
	for i := range firsts {
		all.Go(func() {
			if e, ok := r.Due(site("prod", "staging"), v, nil, noon); ok {
				firsts[i] = e.First
			}
		})
	}
	all.Wait()
	if reads.Load() != 3 || slices.ContainsFunc(firsts, func(f string) bool { return f != "lab" }) {
		t.Errorf("%d reads, first to go: %v", reads.Load(), firsts)
	}
	alone, _ := r.Due(site("lab"), v, nil, noon)
	behind, _ := r.Due(site("prod", "staging"), v, nil, noon)
	if !behind.OpenBy.Before(alone.OpenBy) {
		t.Errorf("behind others %s, alone %s", behind.OpenBy, alone.OpenBy)
	}
}
