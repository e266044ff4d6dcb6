package main

import (
	"testing"

	"kiban.dev/kiban/lifecycle/render"
)

func TestPipelineSites(t *testing.T) {
	list := siteList{Sites: []siteRow{{Name: "lab", Wave: 1, Labels: map[string]string{"tier": "staging"}}, {Name: "broken"}}}
	got, err := pipelineSites(list)
	if err != nil || len(got) != 2 || got[0] != (render.PipelineSite{Name: "lab", Wave: 1, Tier: "staging"}) || got[1].Name != "broken" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, name := range []string{"$(id)", "a b", "-x", "a;b", "", "A"} {
		if _, err := pipelineSites(siteList{Sites: []siteRow{{Name: name}}}); err == nil {
			t.Errorf("%q became part of a script", name)
		}
	}
}
