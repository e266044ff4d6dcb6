package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Runs with every `make test`, which has no node: what the fleet's configuration holds is what the presets say.
func TestPresetsAreInlined(t *testing.T) {
	old, err := outdated("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name := range old {
		t.Errorf("%s is not current; run: go run ./scripts/renovate-check -write", name)
	}
	_, presetsExtended, _ := strings.Cut(content(t, "../../renovate/fleet.json5"), "extends:")
	at := -1
	for _, name := range presets() {
		next := strings.Index(presetsExtended, `"./`+name+`"`)
		if next <= at {
			t.Errorf("fleet.json5 does not extend %s, or not in the order that renovate.json5 has", name)
		}
		at = next
	}
}

// Renovate's image compiles regular expressions with RE2, as Go does; where it is missing, Renovate takes any, so that nobody would see a
// lookahead that fails in the scheduled job.
func TestExpressionsAreRE2(t *testing.T) {
	quoted := regexp.MustCompile(`"((?:[^"\\]|\\.)*\(\?(?:[^"\\]|\\.)*)"`)
	n := 0
	for _, m := range quoted.FindAllStringSubmatch(content(t, "../../"+configFile), -1) {
		n++
		text := strings.TrimPrefix(strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(m[1]), "regex:")
		if _, err := regexp.Compile(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if n < 5 {
		t.Errorf("%d expressions found; there are more", n)
	}
}

func TestInlineKeepsWhatIsTheFleetsOwn(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range presets() {
		put("renovate/"+name, "{\n  description: \"x\",\n}\n")
	}
	put("renovate/k0s.json5", "{\n  packageRules: [\n    // why\n    {a: 1},\n  ],\n  automerge: false,\n}\n")
	put(configFile, "{\n  // presets\n  stale: 1,\n  // end of presets: settings\n  customManagers: [\n    // presets\n"+
		"    // end of presets: customManagers\n  ],\n"+
		"  packageRules: [\n    // presets\n    // end of presets: packageRules\n    {own: 1},\n  ],\n}\n")
	_, got, err := inline(dir, configFile)
	want := "{\n  // presets\n  automerge: false,\n  // end of presets: settings\n  customManagers: [\n    // presets\n" +
		"    // end of presets: customManagers\n  ],\n" +
		"  packageRules: [\n    // presets\n    // renovate/k0s.json5\n    // why\n    {a: 1},\n    // end of presets: packageRules\n" +
		"    {own: 1},\n  ],\n}\n"
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
	put(configFile, "{}\n")
	if _, _, err := inline(dir, configFile); err == nil || !strings.Contains(err.Error(), "end of presets: settings") {
		t.Errorf("without marks: %v", err)
	}
}

func TestExpect(t *testing.T) {
	k0s := func(version string) dependency {
		return dependency{DepName: "k0s", CurrentValue: version, Datasource: "github-releases"}
	}
	days := func(n int) policy { return policy{age: time.Duration(n) * day} }
	there := []release{{"v1.34.1+k0s.0", 90 * day}, {"v1.34.1+k0s.1", 80 * day}, {"v1.34.3+k0s.0", 20 * day}, {"v1.34.4+k0s.0", day},
		{"v1.35.0-rc.1+k0s.0", 40 * day},
		{"v1.35.0+k0s.0", 30 * day}, {"v1.35.1+k0s.0", 8 * day}, {"v1.36.4+k0s.0", 30 * day}}
	for _, tt := range []struct {
		name string
		d    dependency
		p    policy
		want []string
	}{
		{"staging", k0s("v1.34.1+k0s.0"), days(3), []string{"v1.34.3+k0s.0", "v1.35.1+k0s.0"}},
		{"production", k0s("v1.34.1+k0s.0"), days(14), []string{"v1.34.3+k0s.0", "v1.35.0+k0s.0"}},
		{"a rebuild is newer", k0s("v1.34.1+k0s.0"), days(60), []string{"v1.34.1+k0s.1"}},
		{"nothing beyond the next minor", k0s("v1.35.1+k0s.0"), days(3), []string{"v1.36.4+k0s.0"}},
		{"never", k0s("v1.34.1+k0s.0"), policy{never: true}, nil},
		{"newest already", k0s("v1.36.4+k0s.0"), days(3), nil},
	} {
		if got := expect(tt.d, there, tt.p); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	chart := dependency{DepName: "argo-cd", CurrentValue: "8.3.0", Datasource: "helm"}
	charts := []release{{"8.3.0", 90 * day}, {"8.6.4", 20 * day}, {"9.0.0", 30 * day}, {"9.5.2", 16 * day}, {"10.0.0-rc.1", 60 * day}}
	if got := expect(chart, charts, days(14)); !slices.Equal(got, []string{"8.6.4", "9.5.2"}) {
		t.Errorf("charts: %v", got)
	}
}

// What the check must not let through: a version that is not found, and one that would take other sites along.
func TestComplete(t *testing.T) {
	found := []dependency{{File: "overlays/a/version.yaml", DepName: "k0s", CurrentValue: "v1"},
		{File: "clusters/components/m/addon.yaml", DepName: "m", CurrentValue: "2"}}
	if err := complete([]declared{{site: "a", name: "k0s", version: "v1"}}, found); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		d    declared
		want string
	}{
		{declared{site: "b", name: "k0s", version: "v1"}, "b: k0s v1 is not found by Renovate"},
		{declared{site: "a", name: "k0s", version: "v2"}, "a: k0s v2 is not found by Renovate"},
		{declared{site: "a", name: "m", version: "2"}, "state it in overlays/a"},
	} {
		if err := complete([]declared{tt.d}, found); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v", tt.d, err)
		}
	}
}

func TestCompareFails(t *testing.T) {
	there := world{"helm m": {{"1.0.0", 90 * day}, {"1.1.0", 20 * day}, {"1.2.0", 5 * day}}}
	sites := map[string]string{"a": "staging", "b": "production"}
	propose := func(site, version, branch string) dependency {
		d := dependency{File: "overlays/" + site + "/addons.yaml", DepName: "m", Datasource: "helm", CurrentValue: "1.0.0"}
		if version != "" {
			d.Updates = []update{{NewValue: version, BranchName: branch}}
		}
		return d
	}
	for _, tt := range []struct {
		name string
		all  []dependency
		want string
	}{
		{"as expected", []dependency{propose("a", "1.2.0", "a-m"), propose("b", "1.1.0", "b-m")}, ""},
		{"before its age", []dependency{propose("b", "1.2.0", "b-m")}, "proposed 1.2.0"},
		{"nothing where something is", []dependency{propose("a", "1.2.0", "a-m"), propose("b", "", "")}, "proposed nothing"},
		{"two sites in one branch", []dependency{propose("a", "1.2.0", "m"), propose("b", "1.1.0", "m")},
			"branch m changes overlays/a and overlays/b"},
		{"nothing at all", nil, "nothing is proposed at all"},
	} {
		_, err := compare(tt.all, there, sites)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestVersionsOfDocuments(t *testing.T) {
	got, err := versions("s", strings.Join([]string{
		"kind: Site\nmetadata: {labels: {tier: staging}}\nspec:\n  platform:\n    probeImage: r:5000/probe:1.4",
		"kind: Cluster\nspec: {k0s: {version: v1.35.7+k0s.0}}",
		"kind: Addon\nspec: {chart: {repo: r, name: m, version: 0.1.0}}",
		"kind: Addon\nspec: {manifests: [https://github.com/a/b/releases/download/v1.0.0/x.yaml, local.yaml]}",
		"kind: Pod\nspec:\n  containers:\n  - image: web:2.3.1\n    name: web",
	}, "\n---\n"))
	var list []string
	for _, d := range got {
		list = append(list, d.String())
	}
	want := []string{"s: r:5000/probe 1.4", "s: k0s v1.35.7+k0s.0", "s: m 0.1.0", "s: a/b v1.0.0", "s: web 2.3.1"}
	if err != nil || !slices.Equal(list, want) || got[0].tier != "staging" {
		t.Errorf("%v %q %+v", err, list, got)
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A warning is a failure: Renovate itself ends with 0.
func TestRead(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	put := func(lines ...string) {
		if err := os.WriteFile(log, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found := `{"level":30,"msg":"Extracted dependencies","packageFiles":{"jsonata":[{"packageFile":"overlays/a/version.yaml","deps":[{"depName":"k0s","currentValue":"v1"}]}]}}`
	put("npm says something", found, `{"level":40,"msg":"GitHub token is required for some dependencies"}`)
	if all, err := read(log); err != nil || len(all) != 1 || all[0].File != "overlays/a/version.yaml" || all[0].DepName != "k0s" {
		t.Errorf("%v %+v", err, all)
	}
	put(found, `{"level":40,"msg":"Package lookup failures","err":{"message":"no such host"}}`)
	if _, err := read(log); err == nil || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("with a warning: %v", err)
	}
	put(`{"level":30,"msg":"Renovate started"}`)
	if _, err := read(log); err == nil || !strings.Contains(err.Error(), "says nothing") {
		t.Errorf("with nothing: %v", err)
	}
}
