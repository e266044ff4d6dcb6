package lifecycle

import "testing"

func TestPhrases(t *testing.T) {
	for got, want := range map[string]string{
		Count(0, "worker"): "0 workers", Count(1, "worker"): "1 worker", Count(4, "more field"): "4 more fields",
		Enumerate([]string{"a"}): "a", Enumerate([]string{"a", "b"}): "a and b", Enumerate([]string{"a", "b", "c"}): "a, b and c",
		ShortRevision("3f2a1c9d5e6f708192a3"): "3f2a1c9d5e", ShortRevision("3f2a1c9d5e6f708192a3-dirty"): "3f2a1c9d5e-dirty",
		ShortRevision("v1"):    "v1",
		Shorten("machines", 8): "machines", Shorten("machines", 7): "machin…", Shorten("machines", 1): "", Shorten("über", 3): "üb…",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if Enumerate(nil) != "" || ShortRevision("") != "" {
		t.Error("nothing is told of nothing")
	}
}
