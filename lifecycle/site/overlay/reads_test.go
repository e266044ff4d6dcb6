package overlay

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReads: whatever decides about an overlay is among what it says, or it says that it cannot tell.
func TestReads(t *testing.T) {
	base := map[string]string{
		"overlays/lab/kustomization.yaml":       "resources: [../../clusters/base, site.yaml]\ncomponents: [../../clusters/component]\n",
		"overlays/lab/site.yaml":                "kind: Site\nmetadata: {name: lab}\n# see ../../docs\n",
		"clusters/base/kustomization.yaml":      "resources: [../deep]\n",
		"clusters/deep/kustomization.yaml":      "resources: [a.yaml]\n",
		"clusters/deep/a.yaml":                  "kind: A\nmetadata: {name: a}\nspec: {url: \"https://x.example/a\", range: 10.0.0.1-10.0.0.9}\n",
		"clusters/component/kustomization.yaml": "kind: Component\n",
		"charts/web/Chart.yaml":                 "name: web\n", "my/x": "x",
		"clusters/base/r.yaml": "[]\n",
	}
	always := []string{"clusters/base", "clusters/component", "clusters/deep", "overlays/lab"}
	for _, tt := range []struct {
		name  string
		files map[string]string
		more  []string
		told  bool
	}{
		{"folders", nil, nil, true},
		{"a chart elsewhere", map[string]string{"overlays/lab/site.yaml": "kind: Site\nspec: {repo: ../../charts}\n"}, []string{"charts"}, true},
		{"written with escapes", map[string]string{"overlays/lab/site.yaml": "kind: Site\nspec: {repo: \"\\x2e./../charts/web\"}\n"},
			[]string{"charts/web"}, true},
		{"in an inline patch", map[string]string{"clusters/component/kustomization.yaml": "kind: Component\npatches:\n- target: {kind: A}\n" +
			"  patch: |-\n    - {op: add, path: /spec/repo, value: ../../charts/}\n"},
			[]string{"charts"}, true},
		{"by a wildcard", map[string]string{"overlays/lab/site.yaml": "kind: Site\nspec: {src: ../../charts/web/*.yaml}\n"},
			[]string{"charts/web"}, true},
		{"by a wildcard below the fleet", map[string]string{"overlays/lab/site.yaml": "kind: Site\nspec: {src: ../../ch*}\n"}, nil, false},
		{"what is not there yet", map[string]string{"overlays/lab/site.yaml": "kind: Site\nspec: {src: ../../charts/new/a.tgz}\n"},
			[]string{"charts/new"}, true},
		{"a name with a space", map[string]string{"overlays/lab/site.yaml": "kind: Site\nspec: {src: ../../my charts/x}\n"}, nil, false},
		{"outside the fleet", map[string]string{"overlays/lab/site.yaml": "kind: Site\nspec: {src: ../../../x}\n"}, nil, false},
		{"put together from pieces", map[string]string{"overlays/lab/site.yaml": "kind: Site\nspec: {src: ../../charts}\n",
			"clusters/base/kustomization.yaml": "resources: [../deep]\nreplacements: [{path: r.yaml}]\n"}, nil, false},
		{"pieces, but no path", map[string]string{"clusters/base/kustomization.yaml": "resources: [../deep]\nreplacements: [{path: r.yaml}]\n"},
			nil, true},
		{"something missing", map[string]string{"clusters/base/kustomization.yaml": "resources: [../gone]\n"}, nil, false},
	} {
		fleet := t.TempDir()
		for _, files := range []map[string]string{base, tt.files} {
			for name, content := range files {
				file := filepath.Join(fleet, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, told := Read(filepath.Join(fleet, "overlays", "lab")).Reads()
		want := append(slices.Clone(always), tt.more...)
		slices.Sort(want)
		if told != tt.told || (told && !slices.Equal(got, want)) {
			t.Errorf("%s: %v, %s; want %v, %s", tt.name, told, strings.Join(got, " "), tt.told, strings.Join(want, " "))
		}
	}
}
