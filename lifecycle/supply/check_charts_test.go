package supply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// rendered are charts that render as their addons' names say.
type rendered struct{ Charts }

func (rendered) Render(_ context.Context, _ lifecycle.Site, a lifecycle.Addon, _ lifecycle.Capabilities) (lifecycle.Rendering, error) {
	switch a.Name {
	case "broken":
		return lifecycle.Rendering{}, errors.New("values don't meet the schema")
	case "absent", "gone":
		return lifecycle.Rendering{}, fmt.Errorf("chart of %s: %w", a.Name, lifecycle.ErrNotCached)
	}
	return lifecycle.Rendering{}, nil
}

// What can't be rendered is an error of its addon; what is not here is one warning for all, and no error.
func TestCheckCharts(t *testing.T) {
	for _, tt := range []struct {
		addons []string
		want   []string
		valid  bool
	}{
		{[]string{"fine"}, nil, true},
		{[]string{"absent", "fine", "gone"}, []string{"values of addons were not checked: absent, gone"}, true},
		{[]string{"broken", "absent"}, []string{"addon broken cannot be rendered", "were not checked: absent"}, false},
	} {
		site := lifecycle.Site{Name: "lab"}
		for _, name := range tt.addons {
			site.Addons = append(site.Addons, lifecycle.Addon{Name: name})
		}
		ds := CheckCharts(t.Context(), site, rendered{})
		if len(ds) != len(tt.want) || (ds.Err() == nil) != tt.valid {
			t.Errorf("%v: got %v", tt.addons, ds)
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(ds[i].Error(), want) {
				t.Errorf("%v: got %v, want %q", tt.addons, ds[i], want)
			}
		}
	}
}
