package site

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/selector"
)

func selecting(t *testing.T, text string) selector.Selector {
	t.Helper()
	s, err := selector.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCheckGroups: what a site lists is what it belongs to, both ways.
func TestCheckGroups(t *testing.T) {
	groups := []group{
		{dir: "clusters/groups/broken", file: "clusters/groups/broken/kustomization.yaml"},
		{dir: "clusters/groups/production", source: "clusters/groups/production/kustomization.yaml:6", readable: true,
			selector: selecting(t, "tier=production")},
		{dir: "clusters/groups/tokyo", source: "clusters/groups/tokyo/kustomization.yaml:6", readable: true,
			selector: selecting(t, "region=tokyo,kiban.dev/wave>1")},
	}
	for _, tt := range []struct {
		name   string
		labels map[string]string
		wave   int
		lists  []string
		want   []string
	}{
		{"of none", map[string]string{"tier": "staging"}, 1, nil, nil},
		{"of one", map[string]string{"tier": "production"}, 2, []string{"clusters/groups/production"}, nil},
		{"of both", map[string]string{"tier": "production", "region": "tokyo"}, 2,
			[]string{"clusters/groups/production", "clusters/groups/tokyo"}, nil},
		{"of both, listing one", map[string]string{"tier": "production", "region": "tokyo"}, 2, []string{"clusters/groups/tokyo"},
			[]string{"error: nara belongs to the group production, and does not list it"}},
		{"by its wave", map[string]string{"region": "tokyo"}, 1, []string{"clusters/groups/tokyo"},
			[]string{"error: nara lists the group tokyo, and does not belong to it"}},
		{"the wrong one", map[string]string{"tier": "production"}, 1, []string{"clusters/groups/tokyo"},
			[]string{"error: nara belongs to the group production", "error: nara lists the group tokyo"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := checkGroups(groups, lifecycle.Site{Name: "nara", Labels: tt.labels, Wave: tt.wave},
				func(dir string) bool { return slices.Contains(tt.lists, dir) },
				func(string) string { return "overlays/nara/kustomization.yaml:3" })
			expect(t, found, tt.want...)
			for _, f := range found {
				if f.at.Subject != "overlays/nara/kustomization.yaml:3" || !strings.Contains(f.detail, "kustomization.yaml:6") ||
					!strings.Contains(f.hint, "`- ../../clusters/groups/") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// TestReadGroups: a group of which nobody can tell whose it is, is told by file and line, and is no group of nobody.
func TestReadGroups(t *testing.T) {
	const head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
	fleet := t.TempDir()
	if groups, ds := readGroups(fleet); groups != nil || ds != nil {
		t.Errorf("a fleet without groups: %v %v", groups, ds)
	}
	for name, content := range map[string]string{
		"a-well/kustomization.yaml":     head + "metadata:\n  annotations:\n    kiban.dev/group-selector: tier in (a, b)\n",
		"b-selector/kustomization.yaml": head + "metadata:\n  annotations:\n    kiban.dev/group-selector: tier=\"\n",
		"c-none/kustomization.yaml":     head + "metadata: {name: c}\n",
		"d-empty/kustomization.yaml":    head + "metadata: {annotations: {kiban.dev/group-selector: ''}}\n",
		"e-kind/kustomization.yaml":     "kind: Kustomization\n",
		"f-file/README.md":              "nothing\n",
		"g-yaml/kustomization.yaml":     "kind: [\n",
		"h-two/kustomization.yaml":      head + "---\n" + head,
		".hidden/x":                     "",
		"README.md":                     "What groups are.\n",
	} {
		write(t, filepath.Join(fleet, GroupsDir, name), content)
	}
	if err := os.Mkdir(filepath.Join(fleet, GroupsDir, "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "kustomization.yaml")
	write(t, outside, head+"metadata: {annotations: {kiban.dev/group-selector: tier=production}}\n")
	if err := os.Mkdir(filepath.Join(fleet, GroupsDir, "i-link"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(fleet, GroupsDir, "i-link", "kustomization.yaml")); err != nil {
		t.Fatal(err)
	}
	groups, ds := readGroups(fleet)
	var readable []string
	for _, g := range groups {
		if g.readable {
			readable = append(readable, g.dir+" "+g.selector.String()+" "+g.source)
		}
	}
	if want := []string{"clusters/groups/a-well tier in (a, b) clusters/groups/a-well/kustomization.yaml:5"}; !slices.Equal(readable, want) {
		t.Errorf("readable: %q", readable)
	}
	var subjects []string
	for _, d := range ds {
		subjects = append(subjects, d.Subject)
		if d.Hint == "" || d.Severity != lifecycle.SeverityError {
			t.Errorf("%+v", d)
		}
	}
	want := []string{"b-selector/kustomization.yaml:5", "c-none/kustomization.yaml", "d-empty/kustomization.yaml:3",
		"e-kind/kustomization.yaml",
		"f-file", "g-yaml/kustomization.yaml", "h-two/kustomization.yaml", "i-link/kustomization.yaml"}
	for i := range want {
		want[i] = GroupsDir + "/" + want[i]
	}
	if !slices.Equal(subjects, want) {
		t.Errorf("findings on\n%q, want\n%q", subjects, want)
	}
}

// TestRelist: the list of components is put right, and nothing else of the file changes; what can't be is left to people.
func TestRelist(t *testing.T) {
	const head = "# The site.\nresources:\n- ../../clusters/base # ours\n"
	for _, tt := range []struct{ name, file, missing, excess, want string }{
		{"added to the end", head + "components:\n  - ../../clusters/components/a\n  - ../../clusters/components/b # b\nlabels: []\n",
			"production tokyo", "",
			head + "components:\n  - ../../clusters/components/a\n  - ../../clusters/components/b # b\n  - ../../clusters/groups/production\n" +
				"  - ../../clusters/groups/tokyo\nlabels: []\n"},
		{"no components yet", head, "tokyo", "", head + "components:\n- ../../clusters/groups/tokyo\n"},
		{"no line end", strings.TrimSpace(head), "tokyo", "", strings.TrimSpace(head) + "\ncomponents:\n- ../../clusters/groups/tokyo\n"},
		{"the last line without an end", "components:\n- ../../clusters/components/a", "tokyo", "",
			"components:\n- ../../clusters/components/a\n- ../../clusters/groups/tokyo\n"},
		{"one out, one in", "components:\n- ../../clusters/groups/osaka/\n- ../../clusters/components/a\nresources: []\n", "tokyo", "osaka",
			"components:\n- ../../clusters/components/a\n- ../../clusters/groups/tokyo\nresources: []\n"},
		{"the last one out, one in", "components:\n- ../../clusters/components/a\n- ../../clusters/groups/osaka\n", "tokyo", "osaka",
			"components:\n- ../../clusters/components/a\n- ../../clusters/groups/tokyo\n"},
		{"on one line", "components: [../../clusters/components/a]\n", "tokyo", "", "error: its components, in line 1"},
		{"an empty list", "components: []\n", "tokyo", "", "error: its components, in line 1"},
		{"by way of a base", head, "", "osaka", "error: a group that is too much is listed elsewhere"},
		{"no YAML", "components: [\n", "tokyo", "", "error: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := relist([]byte(tt.file), lifecycle.Membership{Missing: strings.Fields(tt.missing), Excess: strings.Fields(tt.excess)})
			if want, bad := strings.CutPrefix(tt.want, "error: "); bad {
				if err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%v\n%s", err, got)
				}
				return
			}
			if err != nil || string(got) != tt.want {
				t.Errorf("%v\n%s\nwant\n%s", err, got, tt.want)
			}
		})
	}
}
