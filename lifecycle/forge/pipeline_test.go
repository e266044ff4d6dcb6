package forge

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestPipelineSites(t *testing.T) {
	load := func(name string) lifecycle.Site {
		return lifecycle.Site{Name: name, Wave: 1, Labels: map[string]string{"tier": "staging"}}
	}
	waits := lifecycle.Promotion{From: []string{"lab"}}
	sites := []lifecycle.Site{{Name: "far", Wave: 2, Labels: map[string]string{"tier": "production"}, Promotion: waits}, {Name: "broken"}}
	got, err := PipelineSites(sites, load)
	if err != nil || len(got) != 2 || got[0].Name != "far" || got[0].Wave != 2 || got[0].Tier != "production" || got[1].Name != "broken" {
		t.Errorf("got %v, %v", got, err)
	}
	if from := got[0].From; len(from) != 1 || from[0].Name != "lab" || from[0].Wave != 1 || from[0].Tier != "staging" {
		t.Errorf("it waits for %+v: whose environment is not its own", from)
	}
	for _, name := range []string{"$(id)", "a b", "-x", "a;b", "", "A"} {
		if _, err := PipelineSites([]lifecycle.Site{{Name: name}}, load); err == nil {
			t.Errorf("%q became part of a script", name)
		}
		if _, err := PipelineSites([]lifecycle.Site{{Name: "far", Promotion: lifecycle.Promotion{From: []string{name}}}}, load); err == nil {
			t.Errorf("%q, which another waits for, became part of a script", name)
		}
	}
}

func TestPipelineGone(t *testing.T) {
	if got := PipelineGone([]string{"oslo", "$(id)", "-x", "a.b"}); !slices.Equal(got, []string{"oslo", "a.b"}) {
		t.Errorf("got %q", got)
	}
}
