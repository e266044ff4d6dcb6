package supply

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

var sum = "sha256:" + strings.Repeat("ab", 32)

func samplePins() lifecycle.Pins {
	return lifecycle.Pins{
		Charts: []lifecycle.ChartPin{
			{Repo: "oci://registry.example/charts", Name: "web", Version: "1.0.0", Digest: sum},
			{Repo: "https://charts.example", Name: "metallb", Version: "0.16.2", Digest: sum},
		},
		Manifests: []lifecycle.ManifestPin{{URL: "https://x.example/b.yaml", Digest: sum}, {URL: "https://x.example/a.yaml", Digest: sum}},
		K0s:       map[string]string{"v1.36.3+k0s.2/arm64": sum, "v1.36.3+k0s.2/amd64": sum},
	}
}

func TestWriteAndRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), lifecycle.PinsFile)
	if p, err := ReadPins(file); p != nil || err != nil {
		t.Fatalf("no file: %v, %v", p, err)
	}
	if err := WritePins(file, samplePins()); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadPins(file)
	if err != nil {
		t.Fatal(err)
	}
	want := samplePins()
	sortPins(&want)
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	if err := WritePins(file, *got); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(file); string(first) != string(second) {
		t.Errorf("the same pins give\n%s\nand\n%s", first, second)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("something is left behind: %v", entries)
	}
	_, lines, err := ParsePins("x", first)
	if err != nil || lines["v1.36.3+k0s.2/amd64"] == 0 || lines[ChartKey(want.Charts[0])] != 3 {
		t.Errorf("lines are %v, %v", lines, err)
	}
}

func TestBrokenLockFiles(t *testing.T) {
	for content, want := range map[string]string{
		"a: b":         `x:1: a lock file has no field "a"`,
		"[a]":          "x:1: a lock file must be a mapping",
		"charts: a":    "x:1: charts must be a list",
		"charts:\n- a": "x:2: a pin must be a mapping",
		"charts:\n- {repo: a, name: b, version: c}":                                    "x:2: a pin without digest",
		"charts:\n- {repo: a, name: b, version: c, digest: sha256:12}":                 `x:2: "sha256:12" is no digest`,
		"manifests:\n- {url: u, digest: " + sum + ", size: 1}":                         `x:2: a pin can't hold "size"`,
		"manifests:\n- {url: u, digest: " + sum + "}\n- {url: u, digest: " + sum + "}": "x:3: pinned twice",
		"k0s: {latest: " + sum + "}":                                                   `x:1: "latest" does not say which binary it is for`,
		"k0s: {v1.36.3+k0s.2/amd64: abc}":                                              `x:1: "abc" is no digest`,
		"k0s: []":                                                                      "x:1: k0s must be a mapping",
		"charts:\n  - a\n - b":                                                         "x: this is not YAML",
	} {
		p, _, err := ParsePins("x", []byte(content))
		if p != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", content, err, want)
		}
	}
	for _, content := range []string{"", "# nothing\n"} {
		if p, _, err := ParsePins("x", []byte(content)); err != nil || p == nil {
			t.Errorf("%q: %v, %v", content, p, err)
		}
	}
}
