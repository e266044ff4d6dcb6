package main

import (
	"slices"
	"testing"
)

// The fleet of docs/fleet.md: like machines in every wave, one in each and two in the last.
func TestMembers(t *testing.T) {
	for _, tt := range []struct {
		s    shape
		want []string
	}{
		{shape{net: "127.1.0", sites: 40, waves: 4, alike: 5, parallel: 4},
			[]string{"site-1-3", "site-2-3", "site-3-3", "site-4-3", "site-4-7"}},
		{shape{net: "127.1.0", sites: 8, waves: 4, alike: 4, parallel: 4}, []string{"site-1-0", "site-2-0", "site-3-0", "site-4-0"}},
		{shape{net: "127.1.0", sites: 8, waves: 4, alike: 5, parallel: 4},
			[]string{"site-1-0", "site-2-0", "site-3-0", "site-4-0", "site-4-1"}},
	} {
		if err := tt.s.check(); err != nil {
			t.Error(err)
		}
		var alike []string
		for _, m := range tt.s.members() {
			if m.alike {
				alike = append(alike, m.name)
			}
		}
		if !slices.Equal(alike, tt.want) {
			t.Errorf("%d sites: %v are alike, not %v", tt.s.sites, alike, tt.want)
		}
	}
	for _, bad := range []shape{{sites: 41, waves: 4, alike: 5, parallel: 1}, {sites: 60, waves: 4, alike: 5, parallel: 1},
		{sites: 8, waves: 4, alike: 9, parallel: 1}, {sites: 8, waves: 4, alike: 4, full: 9, parallel: 1}} {
		if bad.check() == nil {
			t.Errorf("%+v is let through", bad)
		}
	}
}

func TestDifferences(t *testing.T) {
	done, held := stand{turn: "done", version: next, ready: true}, stand{turn: "held", hold: "abc", version: next}
	want := map[string]stand{"a": done, "b": held}
	if d := differences(want, map[string]stand{"a": done, "b": held}); d != nil {
		t.Errorf("the same differs: %v", d)
	}
	got := differences(want, map[string]stand{"a": held, "b": held, "c": done})
	if len(got) != 2 || got[0] != "a: held abc, "+next+", not Ready, and not done, "+next+", Ready" {
		t.Errorf("%q", got)
	}
}

// What holding by likeness is held against.
func TestChecked(t *testing.T) {
	well, ill, before := stand{version: next, ready: true}, stand{version: next}, stand{version: former, ready: true}
	likeness := trial{end: map[string]stand{"a": ill, "b": well, "c": before}}
	waves := trial{end: map[string]stand{"a": ill, "b": before, "c": before}}
	nothing := trial{end: map[string]stand{"a": ill, "b": well, "c": ill}}
	if err := checked([]trial{likeness, waves, nothing}); err != nil {
		t.Error(err)
	}
	if checked([]trial{nothing, waves, nothing}) == nil || checked([]trial{waves, waves, nothing}) == nil {
		t.Error("more harm, or fewer sites, is let through")
	}
}
