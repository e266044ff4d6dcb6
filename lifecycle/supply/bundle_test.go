package supply

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func sampleBundle(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	err := writeArchive(&out, Index{Site: "tokyo", Arch: []string{"amd64"}}, []content{
		inMemory("k0s/v1.36.3+k0s.2/k0s-v1.36.3+k0s.2-amd64", []byte("#!/bin/k0s\n")),
		inMemory(ImagesName, imageList([]string{"quay.io/b:1", "quay.io/a:1", "quay.io/b:1"})),
		inMemory("charts/aa.tgz", []byte("chart")),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func put(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "site.bundle")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRoundTrip(t *testing.T) {
	content := sampleBundle(t)
	if !bytes.Equal(content, sampleBundle(t)) {
		t.Error("the same content makes different bytes")
	}
	file, dir := put(t, content), t.TempDir()
	b, err := open(file, dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := b.FS().Open(ImagesName)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, _ := io.ReadAll(f); string(got) != "quay.io/a:1\nquay.io/b:1\n" {
		t.Errorf("images.txt holds %q", got)
	}
	if b.Site != "tokyo" || !slices.Equal(b.Arch, []string{"amd64"}) {
		t.Errorf("the index came back as %+v", b.Index)
	}
	v, _ := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if _, err := os.Stat(filepath.Join(b.Dir, filepath.FromSlash(k0sPath(v, "amd64")))); err != nil {
		t.Error(err)
	}
	again, err := open(file, dir)
	if err != nil || again.Dir != b.Dir {
		t.Errorf("opened again: %v, %v; want %s", again.Dir, err, b.Dir)
	}
}

// TestUnpackedFilesAreVerified: what was changed after it was unpacked is unpacked anew.
func TestUnpackedFilesAreVerified(t *testing.T) {
	file, dir := put(t, sampleBundle(t)), t.TempDir()
	b, err := open(file, dir)
	if err != nil {
		t.Fatal(err)
	}
	chart := filepath.Join(b.Dir, "charts", "aa.tgz")
	if err := os.WriteFile(chart, []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := open(file, dir); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(chart); string(got) != "chart" {
		t.Errorf("the changed file was left: %q", got)
	}
}

func TestWriteRefuses(t *testing.T) {
	wrong := inMemory("charts/aa.tgz", []byte("chart"))
	wrong.Digest = "sha256:00"
	for name, contents := range map[string][]content{
		"a path that leads out":     {inMemory("charts/../../x", nil)},
		"an absolute path":          {inMemory("/charts/x", nil)},
		"another kind of file":      {inMemory("secrets/x", nil)},
		"two files of one path":     {inMemory("charts/a", []byte("1")), inMemory("charts/a", []byte("2"))},
		"content of another digest": {wrong},
		"a file that is no longer so": {{File: File{"charts/a", "sha256:00", 1},
			open: func() (io.ReadCloser, error) { return nil, os.ErrNotExist }}},
	} {
		if err := writeArchive(io.Discard, Index{}, contents); err == nil {
			t.Errorf("%s is packed", name)
		}
	}
}

// forged packs any tar entries behind an index that may not fit.
func forged(t *testing.T, index Index, entries ...*tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	head, _ := json.Marshal(index)
	entries = append([]*tar.Header{{Typeflag: tar.TypeReg, Name: indexName, Size: int64(len(head))}}, entries...)
	for i, h := range entries {
		if err := archive.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		content := head
		if i > 0 {
			content = bytes.Repeat([]byte("x"), int(h.Size))
		}
		if h.Size > 0 {
			if _, err := archive.Write(content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOpenRefuses(t *testing.T) {
	one := []File{{"charts/a", "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", 1}}
	x := func(name string) *tar.Header { return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: 1} }
	good := forged(t, Index{Format: format, Files: one}, x("charts/a"))
	if _, err := open(put(t, good), t.TempDir()); err != nil {
		t.Fatalf("the forger's own bundle is refused: %v", err)
	}
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"not gzip":     {[]byte("PK"), "no gzipped tar"},
		"cut off":      {good[:len(good)-20], "EOF"},
		"another form": {forged(t, Index{Format: 9}), "form 9"},
		"no index":     {forged(t, Index{Format: format})[:0], "EOF"},
		"a path out":   {forged(t, Index{Format: format, Files: []File{{"../evil", "", 1}}}, x("../evil")), "leads out"},
		"a nested path out": {forged(t, Index{Format: format, Files: []File{{"charts/../../evil", "", 1}}}, x("charts/../../evil")),
			"leads out"},
		"a file not in index": {forged(t, Index{Format: format, Files: one}, x("charts/a"), x("charts/b")), `"charts/b"`},
		"a link": {forged(t, Index{Format: format, Files: one},
			&tar.Header{Typeflag: tar.TypeSymlink, Name: "charts/a", Linkname: "/etc/passwd"}), `"charts/a"`},
		"another size": {forged(t, Index{Format: format, Files: one}, &tar.Header{Typeflag: tar.TypeReg, Name: "charts/a", Size: 2}),
			`"charts/a"`},
		"other bytes": {forged(t, Index{Format: format, Files: []File{{"charts/a", "sha256:00", 1}}}, x("charts/a")),
			"not what the index says"},
		"a file twice":   {forged(t, Index{Format: format, Files: one}, x("charts/a"), x("charts/a")), `"charts/a"`},
		"a file missing": {forged(t, Index{Format: format, Files: one}), "is missing"},
	} {
		dir := t.TempDir()
		_, err := open(put(t, c.content), filepath.Join(dir, "below"))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		left, _ := filepath.Glob(filepath.Join(dir, "*"))
		inner, _ := filepath.Glob(filepath.Join(dir, "below", "*"))
		if len(left) > 1 || len(inner) > 0 {
			t.Errorf("%s: left behind %v %v", name, left, inner)
		}
	}
}

func version(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func declared(t *testing.T) lifecycle.Site {
	chart := func(repo string) *lifecycle.Chart { return &lifecycle.Chart{Repo: repo, Name: "web", Version: "1.0.0"} }
	return lifecycle.Site{
		Name:    "tokyo",
		Cluster: lifecycle.Cluster{Version: version(t, "v1.36.3+k0s.2")},
		Policy:  lifecycle.Policy{Path: []lifecycle.Version{version(t, "v1.35.7+k0s.0")}},
		Addons: []lifecycle.Addon{
			{Name: "a", Chart: chart("https://charts.example.com")}, {Name: "b", Chart: chart("https://charts.example.com")},
			{Name: "c", Chart: chart("../../charts")},
			{Name: "d", Manifests: []string{"https://example.com/d.yaml", "local.yaml"}},
		},
	}
}

func TestNeeds(t *testing.T) {
	n := NeedsOf(declared(t))
	if len(n.Charts) != 2 || len(n.Manifests) != 1 || len(n.Versions) != 2 || n.Versions[0].String() != "v1.35.7+k0s.0" {
		t.Errorf("needs %+v", n)
	}
	external := declared(t)
	external.Provider = lifecycle.ProviderExternal
	if n := NeedsOf(external); len(n.Versions) != 0 {
		t.Errorf("an external site needs k0s %v", n.Versions)
	}
}

func TestCheck(t *testing.T) {
	pins := func() lifecycle.Pins {
		return lifecycle.Pins{
			Charts:    []lifecycle.ChartPin{{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0", Digest: "sha256:aa"}},
			Manifests: []lifecycle.ManifestPin{{URL: "https://example.com/d.yaml", Digest: "sha256:bb"}},
			K0s:       map[string]string{"v1.36.3+k0s.2/amd64": "sha256:cc", "v1.35.7+k0s.0/amd64": "sha256:dd"},
		}
	}
	for name, c := range map[string]struct {
		change func(locked, bundled *lifecycle.Pins)
		says   string
	}{
		"whole":              {func(_, _ *lifecycle.Pins) {}, ""},
		"a chart changed":    {func(_, b *lifecycle.Pins) { b.Charts[0].Digest = "sha256:ee" }, "chart web 1.0.0 is another one in the bundle"},
		"a chart is missing": {func(_, b *lifecycle.Pins) { b.Charts = nil }, "chart web 1.0.0 is not in the bundle"},
		"a manifest changed": {func(_, b *lifecycle.Pins) { b.Manifests[0].Digest = "sha256:ee" }, "is another one in the bundle"},
		"k0s changed": {func(_, b *lifecycle.Pins) { b.K0s["v1.36.3+k0s.2/amd64"] = "sha256:ee" },
			"k0s v1.36.3+k0s.2/amd64 is another one"},
		"k0s is not locked": {func(l, _ *lifecycle.Pins) { delete(l.K0s, "v1.35.7+k0s.0/amd64") },
			"k0s v1.35.7+k0s.0/amd64 is not in the lock file"},
	} {
		locked, bundled := pins(), pins()
		c.change(&locked, &bundled)
		site := declared(t)
		site.Pins = &locked
		ds := checkBundle(Index{Arch: []string{"amd64"}, Pins: bundled}, site)
		if (c.says == "") != (len(ds) == 0) || len(ds) > 0 && !strings.Contains(ds.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, ds, c.says)
		}
	}
	if ds := checkBundle(Index{Pins: pins()}, declared(t)); ds.Err() == nil {
		t.Error("a bundle is trusted without a lock file")
	}
}
