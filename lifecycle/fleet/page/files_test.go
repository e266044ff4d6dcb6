package page

import (
	"strings"
	"testing"
)

// waysOf are the ways to change a site, by title.
func waysOf(s Section) map[string]Way {
	out := map[string]Way{}
	for _, w := range s.Ways {
		out[w.Title] = w
	}
	return out
}

// A button leads to the file where a thing stands: one that the overlay has not is begun, and never opened as if it were there.
func TestButtonsLeadToFilesThatAreThere(t *testing.T) {
	c := well(t, "tokyo", 1, nil)
	in := Input{Repository: Repository{URL: "https://gitlab.example.com/infra/fleet", Branch: "main"}}
	tests := map[string]struct {
		files                      []string
		version, addons, component string
	}{
		"not known": {nil, "/-/edit/main/overlays/tokyo/version.yaml", "/-/edit/main/overlays/tokyo/addons.yaml",
			"/-/edit/main/overlays/tokyo/kustomization.yaml"},
		"all": {[]string{"kustomization.yaml", "version.yaml", "addons.yaml"}, "/-/edit/main/overlays/tokyo/version.yaml",
			"/-/edit/main/overlays/tokyo/addons.yaml", "/-/edit/main/overlays/tokyo/kustomization.yaml"},
		"one file": {[]string{"kustomization.yml", "cluster.yaml"}, "/-/edit/main/overlays/tokyo/cluster.yaml",
			"/-/new/main?commit_message=", "/-/edit/main/overlays/tokyo/kustomization.yml"},
		"another's": {[]string{"Kustomization"}, "/-/tree/main/overlays/tokyo", "/-/new/main?",
			"/-/edit/main/overlays/tokyo/Kustomization"},
	}
	for name, tt := range tests {
		if in.Files = (Files{}); tt.files != nil {
			in.Files.Overlays = map[string][]string{"tokyo": tt.files}
		}
		ways := waysOf(siteOf(c).change(in, []string{"datadog", "metallb"}))
		for title, want := range map[string]string{"Take v1.37.1+k0s.0": tt.version, "Another version of an addon": tt.addons,
			"Add a component": tt.component} {
			if !strings.HasPrefix(ways[title].Link, in.Repository.URL+want) {
				t.Errorf("%s: %s leads to %q, not %s", name, title, ways[title].Link, want)
			}
		}
	}
	in.Files = Files{}
	ways := waysOf(siteOf(c).change(in, []string{"datadog", "metallb"}))
	if text := ways["Take v1.37.1+k0s.0, at a terminal"].Text; !strings.Contains(text,
		`sed -i 's/version: v1\.36\.3+k0s\.2$/version: v1.37.1+k0s.0/' overlays/tokyo/version.yaml`) {
		t.Error(text)
	}
	if text := ways["Another version of an addon"].Text; strings.Count(text, "kind: Addon") != 2 ||
		!strings.Contains(text, "name: metallb") {
		t.Errorf("an addon is left out: %s", text)
	}
	if text := ways["Add a component"].Text; text != "- ../../clusters/components/datadog" {
		t.Error(text)
	}
}

// The catalogue has what no site has yet, and all files of a new site, of which all but the first go into its branch.
func TestCatalogueIsWhole(t *testing.T) {
	in := story(t, 3)
	in.Repository = Repository{URL: "https://gitlab.example.com/infra/fleet", Branch: "main"}
	in.Files.Components = map[string][]string{"datadog": {"addon.yaml"}, "metallb": nil}
	in.NewSite = []NewFile{{"kustomization.yaml", "a: <b>\n"}, {"cluster.yaml", "b\n"}, {"site.yaml", "c\n"}}
	files := written(t, in)
	text := textOf(files["catalogue.html"])
	for _, want := range []string{"datadog: 0 sites with it, 3 without", "metallb: 3 sites with it", "file 3 of 3: site.yaml",
		"a: &lt;b&gt;"} {
		if !strings.Contains(text, want) {
			t.Errorf("the catalogue does not say %q", want)
		}
	}
	for want, n := range map[string]int{"/-/new/main?": 1, "/-/new/add-new-site?": 2} {
		if got := strings.Count(files["catalogue.html"], want); got != n {
			t.Errorf("%d links to %s, want %d", got, want, n)
		}
	}
	if !strings.Contains(files["site/osaka-lab-0001.html"], "- ../../clusters/components/datadog") {
		t.Error("a site can't be given what no site has")
	}
	if v := NewestDeclared(in.Sites); v.String() != storyNew {
		t.Error(v)
	}
}
