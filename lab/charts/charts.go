// Package charts makes a Helm chart repository that needs no network: small charts with the moving parts of those that sites use, and
// MetalLB's real one.
package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed all:sources
var sources embed.FS

// release is one version of a chart.
type release struct{ chart, version, app string }

// standIns are the versions of the charts in sources, among them those of the fleet's components. Datadog's 3.151.0 and web's 1.2.0 never
// become Ready, web's 1.3.0 takes 15 s.
func standIns() []release {
	return []release{
		{"argo-cd", "10.1.0", "v3.5.6"}, {"argo-cd", "10.1.1", "v3.5.6"}, {"argo-cd", "10.2.0", "v3.5.7"},
		{"datadog", "3.150.0", "7.73.0"}, {"datadog", "3.150.1", "7.73.1"}, {"datadog", "3.151.0", "7.74.0"}, {"datadog", "3.240.0", "7.79.0"},
		{"web", "1.0.0", "1"}, {"web", "1.1.0", "2"}, {"web", "1.2.0", "3"}, {"web", "1.3.0", "4"},
	}
}

// metalLB are the versions of MetalLB's chart: the one of its module, and the same with another number.
func metalLB() []release {
	return []release{{"metallb", "0.16.2", "v0.16.2"}, {"metallb", "0.16.3", "v0.16.3"}}
}

// Options say what a repository holds.
type Options struct {
	// MetalLB is the folder of MetalLB's chart; empty leaves it out.
	MetalLB string
	// Without are the versions that were taken back: "datadog-3.150.0".
	Without []string
	// Altered are versions whose archives are not what they were when they were published.
	Altered []string
}

// Write puts a chart repository into dir: an archive for each version, and index.yaml. The same options give the same bytes.
func Write(dir string, o Options) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var entries []entry
	for _, r := range slices.Concat(standIns(), metalLB()) {
		if slices.Contains(o.Without, r.name()) || r.chart == "metallb" && o.MetalLB == "" {
			_ = os.Remove(filepath.Join(dir, r.file())) // it may be of a former time, or never have been
			continue
		}
		archive, err := r.archive(o)
		if err != nil {
			return fmt.Errorf("chart %s: %w", r.name(), err)
		}
		if err := replace(filepath.Join(dir, r.file()), archive); err != nil {
			return err
		}
		entries = append(entries, entry{r, archive})
	}
	return replace(filepath.Join(dir, "index.yaml"), index(entries))
}

// replace writes a file whole or not at all: somebody may be reading it.
func replace(file string, content []byte) error {
	if err := os.WriteFile(file+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func (r release) name() string { return r.chart + "-" + r.version }
func (r release) file() string { return r.name() + ".tgz" }

// archive is the chart as Helm packs it.
func (r release) archive(o Options) ([]byte, error) {
	tree, err := fs.Sub(sources, "sources/"+r.chart)
	if err != nil {
		return nil, err
	}
	if r.chart == "metallb" {
		tree = os.DirFS(o.MetalLB)
	}
	files := map[string][]byte{}
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(tree, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	files["Chart.yaml"] = r.chartFile(files["Chart.yaml"])
	if slices.Contains(o.Altered, r.name()) {
		files["templates/NOTES.txt"] = []byte("Published again under the same version.\n")
	}
	return pack(r.chart, files)
}

// chartFile is Chart.yaml with the release's versions, and those of what it depends on as they are.
func (r release) chartFile(content []byte) []byte {
	lines := strings.Split(string(content), "\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "version:"):
			lines[i] = "version: " + r.version
		case strings.HasPrefix(line, "appVersion:"):
			lines[i] = fmt.Sprintf("appVersion: %q", r.app)
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// pack makes an archive whose bytes depend on the files alone. Chart.yaml comes first, as Helm has it.
func pack(chart string, files map[string][]byte) ([]byte, error) {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if (a == "Chart.yaml") != (b == "Chart.yaml") {
			if a == "Chart.yaml" {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for _, name := range names {
		header := &tar.Header{Name: path.Join(chart, name), Mode: 0o644, Size: int64(len(files[name])), ModTime: published(),
			Format: tar.FormatPAX}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// published is when all of it was: the same at each writing.
func published() time.Time { return time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC) }
