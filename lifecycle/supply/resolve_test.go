package supply

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestComparePins(t *testing.T) {
	chart := func(version, digest string) lifecycle.ChartPin {
		return lifecycle.ChartPin{Repo: "https://charts.example.com", Name: "web", Version: version, Digest: digest}
	}
	was := &lifecycle.Pins{
		Charts:    []lifecycle.ChartPin{chart("1.0.0", "sha256:aa"), chart("1.1.0", "sha256:bb")},
		Manifests: []lifecycle.ManifestPin{{URL: "https://example.com/m.yaml", Digest: "sha256:cc"}},
		K0s:       map[string]string{"v1.35.7+k0s.0/amd64": "sha256:dd"},
	}
	now := lifecycle.Pins{
		Charts:    []lifecycle.ChartPin{chart("1.1.0", "sha256:xx"), chart("2.0.0", "sha256:ee")},
		Manifests: []lifecycle.ManifestPin{{URL: "https://example.com/m.yaml", Digest: "sha256:cc"}},
		K0s:       map[string]string{"v1.36.3+k0s.2/amd64": "sha256:ff"},
	}
	var got []string
	for _, c := range comparePins(was, now) {
		got = append(got, c.Change+" "+c.What+" "+c.From+" "+c.To)
	}
	want := []string{
		"removed chart web 1.0.0 of https://charts.example.com sha256:aa ",
		"changed chart web 1.1.0 of https://charts.example.com sha256:bb sha256:xx",
		"added chart web 2.0.0 of https://charts.example.com  sha256:ee",
		"removed k0s v1.35.7+k0s.0/amd64 sha256:dd ",
		"added k0s v1.36.3+k0s.2/amd64  sha256:ff",
	}
	if !slices.Equal(got, want) {
		t.Errorf("changes\n%q, want\n%q", got, want)
	}
	if got := comparePins(nil, lifecycle.Pins{}); got != nil {
		t.Errorf("no file and an empty one differ: %v", got)
	}
	if ds := refuseChanged("tokyo", comparePins(was, now)); len(ds) != 1 || ds.Err() == nil {
		t.Errorf("of the changes only the replaced content is refused, got %v", ds)
	}
}

// TestPinsAreAskedForAnew: what a lock file has of a version must not be what the version is held against.
func TestPinsAreAskedForAnew(t *testing.T) {
	store := &recordingStore{}
	v, err := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if err != nil {
		t.Fatal(err)
	}
	site := lifecycle.Site{Name: "tokyo", Cluster: lifecycle.Cluster{Version: v}, Addons: []lifecycle.Addon{
		{Name: "web", Chart: &lifecycle.Chart{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0"}},
		{Name: "crds", Manifests: []string{"https://example.com/m.yaml", "local.yaml"}},
	}}
	site.Pins = &lifecycle.Pins{Charts: []lifecycle.ChartPin{{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0",
		Digest: "sha256:old"}}}
	got, err := Resolve(t.Context(), site, Sources{Charts: store, Binaries: publishedBinaries{}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Charts) != 1 || got.Charts[0].Digest != served || len(got.Manifests) != 1 || len(got.K0s) != 2 ||
		got.K0s["v1.36.3+k0s.2/arm64"] != "sha256:22" {
		t.Errorf("resolved %+v", got)
	}
	if store.pinned {
		t.Error("the former pins were given to the store")
	}
}

type recordingStore struct{ pinned bool }

func (s *recordingStore) ChartFiles(_ context.Context, _ string, _ lifecycle.Chart, pins *lifecycle.Pins) (string, map[string][]byte,
	error) {
	s.pinned = s.pinned || pins != nil
	return served, nil, nil
}

func (s *recordingStore) ManifestFiles(_ context.Context, _, _ string, pins *lifecycle.Pins) (string, map[string][]byte, error) {
	s.pinned = s.pinned || pins != nil
	return served, nil, nil
}

func (s *recordingStore) Render(context.Context, lifecycle.Site, lifecycle.Addon, lifecycle.Capabilities) (lifecycle.Rendering, error) {
	return lifecycle.Rendering{}, nil
}

type publishedBinaries struct{}

func (publishedBinaries) Checksums(context.Context, lifecycle.Site, lifecycle.Version) (map[string]string, error) {
	return map[string]string{"amd64": "sha256:11", "arm64": "sha256:22"}, nil
}

func (publishedBinaries) Fetch(_ context.Context, site lifecycle.Site, v lifecycle.Version, arch, dir string, _ func(string)) (string,
	string,
	error) {
	content := []byte("k0s " + v.String() + " for " + arch)
	file := filepath.Join(dir, arch+v.String())
	if site.Fleet.K0sSigningKey != "" {
		if err := os.WriteFile(file+lifecycle.K0sSignatureSuffix, []byte("signed "+arch), 0o644); err != nil {
			return "", "", err
		}
	}
	return file, digestOf(content), os.WriteFile(file, content, 0o644)
}

func digestOf(b []byte) string { return inMemory("", b).Digest }

// TestMakeBundle: what is packed is what the lock file names, whatever the order of the architectures, and it opens for the site that it
// was made for and for no other content.
func TestMakeBundle(t *testing.T) {
	v, err := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if err != nil {
		t.Fatal(err)
	}
	url := "https://charts.example.com"
	site := lifecycle.Site{Name: "tokyo", Dir: t.TempDir(), Cluster: lifecycle.Cluster{Version: v}, Addons: []lifecycle.Addon{
		{Name: "web", Chart: &lifecycle.Chart{Repo: url, Name: "web", Version: "1.0.0"}}}}
	from := Sources{Charts: &recordingStore{}, Binaries: publishedBinaries{}}
	opts := BundleOptions{File: filepath.Join(t.TempDir(), "tokyo.bundle"), Arch: []string{"arm64", "amd64", "arm64"}, CacheDir: t.TempDir(),
		Progress: func(string) {}}
	if _, err := MakeBundle(t.Context(), site, from, opts); err == nil {
		t.Fatal("a site without a lock file is bundled")
	}
	binary := func(arch string) string { return digestOf([]byte("k0s " + v.String() + " for " + arch)) }
	site.Pins = &lifecycle.Pins{
		Charts: []lifecycle.ChartPin{{Repo: url, Name: "web", Version: "1.0.0", Digest: served}},
		K0s:    map[string]string{v.String() + "/amd64": binary("amd64"), v.String() + "/arm64": binary("arm64")},
	}
	packed, err := MakeBundle(t.Context(), site, from, opts)
	if err != nil {
		t.Fatal(err)
	}
	if packed.Charts != 1 || packed.Manifests != 0 || packed.Binaries != 2 || packed.Images != 0 || packed.Size == 0 ||
		len(packed.Digest) != len("sha256:")+64 {
		t.Errorf("packed %+v", packed)
	}
	b, err := OpenBundle(opts.File, t.TempDir(), site)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.Arch, []string{"amd64", "arm64"}) {
		t.Errorf("it holds k0s for %v", b.Arch)
	}
	// Where k0s must be signed, the signatures are in it as well.
	site.Fleet.K0sSigningKey = "a key"
	if _, err := MakeBundle(t.Context(), site, from, opts); err != nil {
		t.Fatal(err)
	}
	if b, err = OpenBundle(opts.File, t.TempDir(), site); err != nil {
		t.Fatal(err)
	}
	if got, err := fs.ReadFile(b.FS(), k0sPath(v, "arm64")+lifecycle.K0sSignatureSuffix); err != nil || string(got) != "signed arm64" {
		t.Errorf("the signature in the bundle: %q, %v", got, err)
	}
	site.Pins.Charts[0].Digest = "sha256:other"
	if _, err := OpenBundle(opts.File, t.TempDir(), site); err == nil {
		t.Error("a bundle is opened for a site whose lock file says something else")
	}
}

// TestPin: the lock file is written once, checked without being written, and content that was replaced is taken only when that is said.
func TestPin(t *testing.T) {
	site := lifecycle.Site{Name: "tokyo", Dir: t.TempDir(), Addons: []lifecycle.Addon{
		{Name: "web", Chart: &lifecycle.Chart{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0"}}}}
	from := Sources{Charts: &recordingStore{}, Binaries: publishedBinaries{}}
	file := filepath.Join(site.Dir, lifecycle.PinsFile)
	pin := func(opts PinOptions, changes int, written bool) {
		t.Helper()
		report, err := Pin(t.Context(), site, from, opts)
		if err != nil || len(report.Changes) != changes || report.Written != written {
			t.Errorf("%+v: %+v, %v; want %d changes, written %t", opts, report, err, changes, written)
		}
	}
	pin(PinOptions{Check: true}, 1, false)
	if _, err := os.Stat(file); err == nil {
		t.Error("it was to be checked only, and is written")
	}
	pin(PinOptions{}, 1, true)
	pin(PinOptions{}, 0, false)
	replaced := lifecycle.Pins{Charts: []lifecycle.ChartPin{{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0", Digest: sum}}}
	if err := WritePins(file, replaced); err != nil {
		t.Fatal(err)
	}
	from.Charts = &recordingStore{}
	if _, err := Pin(t.Context(), site, from, PinOptions{}); err == nil {
		t.Error("replaced content is pinned unasked")
	}
	pin(PinOptions{AcceptChanged: true}, 1, true)
}

// served is the digest of whatever a recordingStore serves.
var served = "sha256:" + strings.Repeat("cd", 32)

// deafStore answers nobody.
type deafStore struct{ recordingStore }

func (*deafStore) ChartFiles(ctx context.Context, _ string, _ lifecycle.Chart, _ *lifecycle.Pins) (string, map[string][]byte, error) {
	<-ctx.Done()
	return "", nil, ctx.Err()
}

// Who pins is told what is asked for, and a source that never answers is given up.
func TestPinTellsAndHasABound(t *testing.T) {
	site := lifecycle.Site{Name: "tokyo", Dir: t.TempDir(), Addons: []lifecycle.Addon{
		{Name: "web", Chart: &lifecycle.Chart{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0"}}}}
	var told []string
	_, err := Resolve(t.Context(), site, Sources{Charts: &deafStore{}, Binaries: publishedBinaries{}, Within: time.Millisecond,
		Say: func(what string) { told = append(told, what) }})
	if err == nil || !strings.Contains(err.Error(), "did not answer within 1ms") || len(told) == 0 ||
		told[0] != "chart web 1.0.0 of https://charts.example.com" {
		t.Errorf("%v, told %q", err, told)
	}
}
