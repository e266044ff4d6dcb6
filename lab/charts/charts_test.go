package charts_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lab/charts"
)

func write(t *testing.T, o charts.Options) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := charts.Write(dir, o); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name()] = string(b)
	}
	return files
}

// content is a file of an archive.
func content(t *testing.T, archive, name string) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader([]byte(archive)))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == name {
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
}

func TestRepository(t *testing.T) {
	first, second := write(t, charts.Options{}), write(t, charts.Options{})
	if len(first) < 10 {
		t.Errorf("%d files", len(first))
	}
	for name, b := range first {
		if second[name] != b {
			t.Errorf("%s is not the same twice", name)
		}
		if chart := strings.TrimSuffix(name, ".tgz"); chart != name && !strings.Contains(first["index.yaml"], name) {
			t.Errorf("the index does not name %s", name)
		}
	}
	if c := content(t, first["datadog-3.150.1.tgz"], "datadog/Chart.yaml"); !strings.Contains(c, "version: 3.150.1\n") ||
		!strings.Contains(c, `appVersion: "7.73.1"`) {
		t.Error(c)
	}
}

func TestTakenBackAndAltered(t *testing.T) {
	was, is := write(t, charts.Options{}), write(t, charts.Options{Without: []string{"datadog-3.150.0"}, Altered: []string{"web-1.0.0"}})
	if _, ok := is["datadog-3.150.0.tgz"]; ok || strings.Contains(is["index.yaml"], "datadog-3.150.0") {
		t.Error("datadog 3.150.0 is still there")
	}
	if is["web-1.0.0.tgz"] == was["web-1.0.0.tgz"] || is["web-1.1.0.tgz"] != was["web-1.1.0.tgz"] {
		t.Error("web 1.0.0 alone was to be altered")
	}
}

func TestMetalLB(t *testing.T) {
	dir, err := charts.MetalLBChart(t.Context())
	if err != nil {
		t.Skip("its module cannot be had: ", err)
	}
	files := write(t, charts.Options{MetalLB: dir})
	for _, v := range []string{"0.16.2", "0.16.3"} {
		c := content(t, files["metallb-"+v+".tgz"], "metallb/Chart.yaml")
		if !strings.Contains(c, "\nversion: "+v+"\n") || !strings.Contains(c, "  version: 0.16.2\n") || !strings.Contains(c, `appVersion: "v`+v) {
			t.Errorf("%s:\n%s", v, c)
		}
		if content(t, files["metallb-"+v+".tgz"], "metallb/charts/crds/templates/crds.yaml") == "" {
			t.Error("without its definitions")
		}
	}
}
