package forge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestCheckAgainstOthers: sites that changed are checked by themselves and against those that did not, of which nothing else is said but
// that one could not be compared.
func TestCheckAgainstOthers(t *testing.T) {
	var together, charts []string
	by := Checks{Whole: true, Part: func(s lifecycle.Site) lifecycle.Site { return s },
		Others: func(context.Context) ([]lifecycle.Site, []string, error) {
			return []lifecycle.Site{{Name: "bravo"}, {Name: "charlie"}}, []string{"broken"}, nil
		},
		Load: func(_ context.Context, name string) (lifecycle.Site, lifecycle.Diagnostics) {
			return lifecycle.Site{Name: name}, lifecycle.Diagnostics{lifecycle.Warnf(name, "a doubt")}
		},
		Charts: func(_ context.Context, s lifecycle.Site) lifecycle.Diagnostics {
			charts = append(charts, s.Name)
			return nil
		},
		Fleet: func(sites []lifecycle.Site) lifecycle.Diagnostics {
			for _, s := range sites {
				together = append(together, s.Name)
			}
			return lifecycle.Diagnostics{lifecycle.Errorf("", "two sites claim one machine")}
		}}
	found, all, err := Check(t.Context(), []string{"alpha"}, by)
	if err != nil || len(found) != 2 || found[0].Site != "alpha" || found[1].Site != "" || found[1].Valid {
		t.Errorf("%+v %v", found, err)
	}
	if !slices.Equal(together, []string{"alpha", "bravo", "charlie"}) || !slices.Equal(charts, []string{"alpha"}) {
		t.Errorf("held against each other: %v; charts of %v", together, charts)
	}
	text := all.Error()
	if !strings.Contains(text, "1 site could not be compared with those that changed") ||
		len(all) != 3 {
		t.Errorf("%d: %s", len(all), text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	by.Charts = func(context.Context, lifecycle.Site) lifecycle.Diagnostics { cancel(); return nil }
	if _, _, err := Check(ctx, []string{"alpha"}, by); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt ended it with %v", err)
	}
}
