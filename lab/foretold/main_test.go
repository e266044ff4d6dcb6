package main

import (
	"slices"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	s := scenario{controllers: 1, canaries: 1, width: "2"}
	words := func(text string) []string { return strings.Fields(text) }
	for _, c := range []struct{ order, want string }{
		{"c w1 w3 w2 w5 w4", "c w1 w2 w3 w4 w5"},
		{"c w2 w1 w3", "c w2 w1 w3"},
		{"c w1 w4 w5 w2 w3", "c w1 w4 w5 w2 w3"},
		{"c", "c"},
	} {
		if got := s.turns(words(c.order)); !slices.Equal(got, words(c.want)) {
			t.Errorf("%s: %v", c.order, got)
		}
	}
	zones := scenario{controllers: 1, canaries: 1, ahead: 2, width: "2"}
	if got := zones.turns(words("c w1 w3 w4 w2")); !slices.Equal(got, words("c w1 w3 w2 w4")) {
		t.Errorf("of zones: %v", got)
	}
	whole := end{order: words("c w1"), steps: 20, done: 20, result: "done", took: 100}
	for name, c := range map[string]struct {
		change  func(*end)
		differs int
	}{
		"the same":                     {func(*end) {}, 0},
		"another order":                {func(e *end) { e.order = words("w1 c") }, 1},
		"another end, and fewer steps": {func(e *end) { e.result, e.done = "failed", 7 }, 2},
		"it stops elsewhere":           {func(e *end) { e.blocked = words("w1/drain") }, 1},
		"it never begins":              {func(e *end) { e.steps = 0 }, 0},
		"requests are lost":            {func(e *end) { e.lost = 3 }, 1},
		"a fifth longer":               {func(e *end) { e.took = 125 }, 0},
		"a third longer":               {func(e *end) { e.took = 133 }, 1},
	} {
		happened := whole
		c.change(&happened)
		if got := compare(whole, happened); len(got) != c.differs {
			t.Errorf("%s: %v", name, got)
		}
	}
}
