package fleet

import (
	"slices"
	"strings"
	"testing"
)

func TestReached(t *testing.T) {
	r := reaches{}
	for _, site := range []string{"alpha", "bravo", "charlie", "delta", "echo", "foxtrot"} {
		r.add(site, []string{"clusters/base"})
	}
	r.add("alpha", []string{"overlays/alpha", "clusters/components/metallb"})
	r.add("bravo", []string{"clusters/components/metallb", "charts/web"})
	rows := func(names ...string) (out []Row) {
		for _, n := range names {
			out = append(out, Row{Name: n})
		}
		return out
	}
	for _, tt := range []struct {
		name    string
		changed []Row
		unsure  []string
		want    []string
	}{
		{"some", rows("alpha"), nil, []string{
			"charts/web: read for bravo, and does not change it",
			"clusters/base: changes 1 of 6 sites that it is read for: alpha",
			"clusters/components/metallb: changes 1 of 2 sites that it is read for: alpha"}},
		{"all", rows("alpha", "bravo", "charlie", "delta", "echo", "foxtrot"), []string{"golf"}, []string{
			"charts/web: changes 1 site: bravo",
			"clusters/base: changes 6 sites: alpha, bravo, charlie, delta, echo and 1 more",
			"clusters/components/metallb: changes 2 sites: alpha, bravo",
			"Not counted here, for only building them tells what they are made of: golf"}},
		{"none", nil, nil, []string{
			"charts/web: read for bravo, and does not change it",
			"clusters/base: read for 6 sites, and changes none",
			"clusters/components/metallb: read for 2 sites, and changes none"}},
	} {
		got := List{Reach: r.of(tt.changed), Unsure: tt.unsure}.Reached()
		if want := strings.Join(tt.want, "\n") + "\n"; got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", tt.name, got, want)
		}
	}
	if got := (List{Unsure: []string{"golf"}}).Reached(); got != "" {
		t.Errorf("nothing shared has changed, and this is said: %s", got)
	}
	paths := []string{}
	for _, one := range r.of(nil) { // for programs a site's own overlay counts as well
		paths = append(paths, one.Path)
	}
	if !slices.Equal(paths, []string{"charts/web", "clusters/base", "clusters/components/metallb", "overlays/alpha"}) {
		t.Errorf("%v", paths)
	}
}
