package forge

import (
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// TestA3_LaterProductionWaits: a site that a schedule takes up waits for somebody where the change that it carries out would have had it
// wait.
func TestA3_LaterProductionWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		now    string
		before fleet.Brought
		manual bool
	}{
		"production":               {"production", fleet.Brought{Known: true, Labels: map[string]string{"tier": "production"}}, true},
		"it became production":     {"production", fleet.Brought{Known: true, Labels: map[string]string{"tier": "lab"}}, true},
		"it was production":        {"lab", fleet.Brought{Known: true, Labels: map[string]string{"tier": "production"}}, true},
		"it was new":               {"lab", fleet.Brought{}, true},
		"its change was not found": {"lab", fleet.Brought{Unknown: "none changed it"}, true},
		"neither":                  {"lab", fleet.Brought{Known: true, Labels: map[string]string{"tier": "lab"}}, false},
	} {
		site := lifecycle.Site{Name: "a", Labels: map[string]string{"tier": tt.now}}
		former := formerOf(map[string]fleet.Brought{"a": tt.before})
		got, err := PipelineSites(lifecycle.PipelineApply, []lifecycle.Site{site}, nil, former)
		if err != nil || got[0].Manual != tt.manual || got[0].Tier != tt.now {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestOneFile: as many sites as GitLab takes in one pipeline, the first ones; a schedule has no parts, for it comes again.
func TestOneFile(t *testing.T) {
	site := func(name string) lifecycle.PipelineSite { return lifecycle.PipelineSite{Name: name} }
	p := lifecycle.Pipeline{Sites: []lifecycle.PipelineSite{site("a"), site("b"), site("c"), site("d"), site("e")}}
	takes := func(most int) func(lifecycle.Pipeline) (string, []lifecycle.PipelinePart, error) {
		return func(p lifecycle.Pipeline) (string, []lifecycle.PipelinePart, error) {
			var names []string
			for _, s := range p.Sites {
				names = append(names, s.Name)
			}
			if len(names) > most {
				return "", make([]lifecycle.PipelinePart, 2), nil
			}
			return strings.Join(names, ""), nil, nil
		}
	}
	for most, want := range map[int][2]string{9: {"abcde", ""}, 5: {"abcde", ""}, 4: {"ab", "cde"}, 1: {"a", "bcde"}} {
		text, left, err := OneFile(p, takes(most))
		if err != nil || text != want[0] || strings.Join(left, "") != want[1] {
			t.Errorf("%d: %q, %q, %v", most, text, left, err)
		}
	}
	if text, left, err := OneFile(lifecycle.Pipeline{}, takes(3)); err != nil || text != "" || len(left) > 0 {
		t.Errorf("none: %q, %q, %v", text, left, err)
	}
	bad := errors.New("no")
	fails := func(lifecycle.Pipeline) (string, []lifecycle.PipelinePart, error) { return "", nil, bad }
	if _, _, err := OneFile(p, fails); !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
}
