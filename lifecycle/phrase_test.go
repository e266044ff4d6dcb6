package lifecycle

import (
	"testing"
	"time"
)

func TestPhrases(t *testing.T) {
	for got, want := range map[string]string{
		Count(0, "worker"): "0 workers", Count(1, "worker"): "1 worker", Count(4, "more field"): "4 more fields",
		Enumerate([]string{"a"}): "a", Enumerate([]string{"a", "b"}): "a and b", Enumerate([]string{"a", "b", "c"}): "a, b and c",
		ShortRevision("3f2a1c9d5e6f708192a3"): "3f2a1c9d5e", ShortRevision("3f2a1c9d5e6f708192a3-dirty"): "3f2a1c9d5e-dirty",
		ShortRevision("v1"):    "v1",
		Shorten("machines", 8): "machines", Shorten("machines", 7): "machin…", Shorten("machines", 1): "", Shorten("über", 3): "üb…",
		Span(5*24*time.Hour + 19*time.Hour + 29*time.Minute): "5 days 19 h", Span(24 * time.Hour): "1 day", Span(139 * time.Hour): "5 days 19 h",
		Span(3*time.Hour + 20*time.Minute): "3 h 20 min", Span(2 * time.Hour): "2 h", Span(89 * time.Second): "1 min",
		Span(23*time.Hour + 59*time.Minute + 40*time.Second): "1 day", Span(29 * time.Second): "less than a minute",
		Span(-time.Hour): "less than a minute",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if Enumerate(nil) != "" || ShortRevision("") != "" {
		t.Error("nothing is told of nothing")
	}
}
