package site

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestInputs(t *testing.T) {
	fleet := t.TempDir()
	overlay := filepath.Join(fleet, "overlays", "lab")
	put := func(name, content string) {
		t.Helper()
		file := filepath.Join(fleet, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("overlays/lab/plain.yaml", "a")
	put("charts/web/Chart.yaml", "b")
	put("charts/web/templates/web.yaml", "c")
	put("charts/db-1.0.0.tgz", "d")
	put("charts/db/Chart.yaml", "not read: the archive is")
	chart := func(name, repo string) *lifecycle.Chart {
		return &lifecycle.Chart{Repo: repo, Name: name, Version: "1.0.0"}
	}
	site := lifecycle.Site{Name: "lab", Dir: overlay, Addons: []lifecycle.Addon{
		{Name: "plain", Manifests: []string{"plain.yaml", "https://example.com/a.yaml", "gone.yaml"}},
		{Name: "web", Chart: chart("web", "../../charts/")},
		{Name: "db", Chart: chart("db", "../../charts")},
		{Name: "far", Chart: chart("far", "https://charts.example.com")},
	}}
	read := func() map[string]string {
		t.Helper()
		in, err := Inputs(site)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	first := read()
	for _, name := range []string{"plain.yaml", "../../charts/web", "../../charts/db-1.0.0.tgz"} {
		if first[name] == "" {
			t.Errorf("%s is not among %v", name, first)
		}
	}
	if sum, there := first["gone.yaml"]; !there || sum != "" || len(first) != 4 {
		t.Errorf("got %v, want gone.yaml without a digest, and four", first)
	}
	put("charts/db/Chart.yaml", "other")
	put("overlays/lab/unread.yaml", "x")
	if !maps.Equal(read(), first) {
		t.Error("what nobody reads makes a difference")
	}
	for file, key := range map[string]string{"overlays/lab/plain.yaml": "plain.yaml", "charts/web/templates/web.yaml": "../../charts/web",
		"charts/web/values.yaml": "../../charts/web",
		"charts/db-1.0.0.tgz":    "../../charts/db-1.0.0.tgz"} {
		before := read()
		put(file, "changed")
		after := read()
		if after[key] == before[key] {
			t.Errorf("%s changed, and %s has the same digest", file, key)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(fleet, "charts", "web", "files")); err != nil {
		t.Fatal(err)
	}
	if _, err := Inputs(site); err == nil {
		t.Error("a chart that leads out of the commit is taken")
	}
}
