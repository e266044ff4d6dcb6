package helm

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bounded"
)

// folder gets a chart from a folder that holds <name>/Chart.yaml or <name>-<version>.tgz.
func (s *Store) folder(ctx context.Context, dir string, c lifecycle.Chart) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(dir, c.Name+"-"+c.Version+".tgz"))
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	source := filepath.Join(dir, c.Name)
	if _, err := os.Stat(filepath.Join(source, "Chart.yaml")); err == nil {
		packed, err := bounded.Do(ctx, "the reading of chart "+c.Name, s.limits, func(context.Context) ([]byte, error) { return pack(source, c) })
		return packed, withoutEnd(err, c)
	}
	d := lifecycle.Errorf(c.Repo, "there is no chart %s in the folder", c.Name).
		Because(fmt.Sprintf("neither %s/Chart.yaml nor %s-%s.tgz is in %s", c.Name, c.Name, c.Version, dir)).
		Try("Set repo to the folder that the chart is in, relative to the overlay").
		About("spec.chart.repo")
	if others, _ := filepath.Glob(filepath.Join(dir, c.Name+"-*.tgz")); len(others) > 0 {
		var versions []string
		for _, o := range others {
			versions = append(versions, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(o), c.Name+"-"), ".tgz"))
		}
		d = noVersion(c, versions)
	}
	return nil, d
}

// pack makes a chart's folder an archive. The same files make the same bytes: in order, without times and owners, and not compressed,
// because compressors change.
func pack(source string, c lifecycle.Chart) ([]byte, error) {
	chart, err := loader.LoadDir(source) // honours .helmignore
	if err != nil {
		return nil, unreadable(c, err)
	}
	if chart.Metadata.Version != c.Version {
		return nil, noVersion(c, []string{chart.Metadata.Version})
	}
	slices.SortFunc(chart.Raw, func(a, b *common.File) int { return cmp.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(zip)
	for _, f := range chart.Raw {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: path.Join(c.Name, f.Name), Mode: 0o644, Size: int64(len(f.Data)), ModTime: time.Unix(0, 0).
			UTC()}
		if err := archive.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := archive.Write(f.Data); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
