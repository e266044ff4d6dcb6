package readiness

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness/risks"
)

// TestWay: a version that is minors away is judged by way of each minor between, the declared one where there is one.
func TestWay(t *testing.T) {
	v := func(minor, patch int) lifecycle.Version {
		return lifecycle.Version{Major: 1, Minor: minor, Patch: patch}
	}
	newest := risks.Newest(1, 35)
	if newest.Patch == 0 || newest.Minor != 35 {
		t.Fatalf("the newest of v1.35 is %s", newest)
	}
	for name, c := range map[string]struct {
		declared      []lifecycle.Version
		from, to      lifecycle.Version
		path, assumed int
	}{
		"the next minor":            {nil, v(34, 1), v(35, 1), 0, 0},
		"minors between":            {nil, v(34, 1), v(37, 1), 2, 2},
		"one is declared":           {[]lifecycle.Version{v(35, 2)}, v(34, 1), v(37, 1), 2, 1},
		"one beyond is left out":    {[]lifecycle.Version{v(38, 0)}, v(36, 1), v(37, 1), 0, 0},
		"nothing runs":              {nil, lifecycle.Version{}, v(37, 1), 0, 0},
		"minors that nobody knows":  {nil, v(40, 0), v(42, 0), 1, 1},
		"nothing newer is asked of": {nil, v(37, 0), v(37, 2), 0, 0},
	} {
		path, assumed := Way(c.declared, c.from, c.to)
		if len(path) != c.path || len(assumed) != c.assumed {
			t.Errorf("%s: %v, assumed %v", name, path, assumed)
		}
	}
	if path, _ := Way([]lifecycle.Version{v(36, 1)}, v(34, 1), v(37, 1)); path[0] != newest || path[1] != v(36, 1) {
		t.Errorf("the path is %v", path)
	}
}
