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
	got, err := PipelineSites(lifecycle.PipelineApply, sites, load, nil)
	if err != nil || len(got) != 2 || got[0].Name != "far" || got[0].Wave != 2 || got[0].Tier != "production" || got[1].Name != "broken" {
		t.Errorf("got %v, %v", got, err)
	}
	if from := got[0].From; len(from) != 1 || from[0].Name != "lab" || from[0].Wave != 1 || from[0].Tier != "staging" {
		t.Errorf("it waits for %+v: whose environment is not its own", from)
	}
	loaded := 0
	counted := func(name string) lifecycle.Site { loaded++; return load(name) }
	both := []lifecycle.Site{{Name: "far", Promotion: waits}, {Name: "further", Promotion: waits}}
	if got, err := PipelineSites(lifecycle.PipelineApply, both, counted, nil); err != nil || loaded != 1 || len(got[1].From) != 1 {
		t.Errorf("the site that both wait for was read %d times: %+v, %v", loaded, got, err)
	}
	for _, name := range []string{"$(id)", "a b", "-x", "a;b", "", "A"} {
		if _, err := PipelineSites(lifecycle.PipelineApply, []lifecycle.Site{{Name: name}}, load, nil); err == nil {
			t.Errorf("%q became part of a script", name)
		}
		if _, err := PipelineSites(lifecycle.PipelineApply,
			[]lifecycle.Site{{Name: "far", Promotion: lifecycle.Promotion{From: []string{name}}}}, load, nil); err == nil {
			t.Errorf("%q, which another waits for, became part of a script", name)
		}
	}
}

// TestA3_TierIsTheTargetBranchs: a label of a merge request chooses no variables, and takes away nobody's say.
func TestA3_TierIsTheTargetBranchs(t *testing.T) {
	former := func(name string) (map[string]string, bool) {
		tier, known := map[string]string{"prod": "production", "lab": "lab", "plain": ""}[name]
		return map[string]string{"tier": tier}, known
	}
	for _, tt := range []struct {
		kind      lifecycle.PipelineKind
		name, now string
		former    FormerLabels
		tier      string
		isNew     bool
		manual    bool
	}{
		{lifecycle.PipelinePlan, "prod", "lab", former, "production", false, true},
		{lifecycle.PipelinePlan, "lab", "production", former, "lab", false, true},
		{lifecycle.PipelinePlan, "other", "production", former, "", true, true},
		{lifecycle.PipelinePlan, "other", "lab", former, "", true, true},
		{lifecycle.PipelinePlan, "plain", "production", former, "", false, true},
		{lifecycle.PipelinePlan, "prod", "production", nil, "production", false, true},
		{lifecycle.PipelineApply, "prod", "lab", former, "lab", false, true},
		{lifecycle.PipelineApply, "prod", "", former, "", false, true},
		{lifecycle.PipelineApply, "lab", "production", former, "production", false, true},
		{lifecycle.PipelineApply, "lab", "lab", former, "lab", false, false},
		{lifecycle.PipelineApply, "other", "lab", former, "lab", false, true},
		{lifecycle.PipelineApply, "lab", "lab", nil, "lab", false, false},
		{lifecycle.PipelineDrift, "lab", "lab", nil, "lab", false, false},
	} {
		declared := func(name string) lifecycle.Site {
			return lifecycle.Site{Name: name, Labels: map[string]string{"tier": tt.now}}
		}
		asked := declared("waits")
		asked.Promotion.From = []string{tt.name}
		got, err := PipelineSites(tt.kind, []lifecycle.Site{declared(tt.name), asked}, declared, tt.former)
		if err != nil {
			t.Fatal(err)
		}
		want := lifecycle.PipelineSite{Name: tt.name, Tier: tt.tier, New: tt.isNew, Manual: tt.manual}
		for _, s := range []lifecycle.PipelineSite{got[0], got[1].From[0]} {
			if s.Tier != want.Tier || s.New != want.New || s.Manual != want.Manual {
				t.Errorf("%s, %s labelled %q: got %+v, want %+v", tt.kind, tt.name, tt.now, s, want)
			}
		}
	}
}

func TestPipelineGone(t *testing.T) {
	if got := PipelineGone([]string{"oslo", "$(id)", "-x", "a.b"}); !slices.Equal(got, []string{"oslo", "a.b"}) {
		t.Errorf("got %q", got)
	}
}

func TestLabImage(t *testing.T) {
	for image, want := range map[string]string{
		"": "", "registry.example.com:5000/kiban": "registry.example.com:5000/kiban", "kiban:1.0.0": "kiban:1.0.0-lab",
		"registry.example.com:5000/kiban:1.0.0@sha256:aa": "registry.example.com:5000/kiban:1.0.0-lab", "kiban:1.0.0-lab": "kiban:1.0.0-lab",
	} {
		if got := LabImage(image); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
}
