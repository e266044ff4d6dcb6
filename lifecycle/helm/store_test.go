package helm

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"kiban.dev/kiban/lifecycle"
)

func pinned(c lifecycle.Chart, digest string) *lifecycle.Pins {
	return &lifecycle.Pins{Charts: []lifecycle.ChartPin{{Repo: c.Repo, Name: c.Name, Version: c.Version, Digest: digest}}}
}

func TestChartIsFetchedOnce(t *testing.T) {
	repo, dir, ctx := serve(t, "1.0.0"), t.TempDir(), context.Background()
	c := gate(repo.URL, "1.0.0")
	first, err := testStore(StoreOptions{CacheDir: dir}).Chart(ctx, "", c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.File != "gate-1.0.0.tgz" || first.Digest != digest(first.Bytes) || len(first.Bytes) == 0 {
		t.Errorf("archive %s %s", first.File, first.Digest)
	}
	asked := repo.requests.Load()
	again, err := testStore(StoreOptions{CacheDir: dir}).Chart(ctx, "", c, nil)
	if err != nil || again.Digest != first.Digest {
		t.Fatal(again.Digest, err)
	}
	if _, err := testStore(StoreOptions{CacheDir: dir, Offline: true}).Chart(ctx, "", c, pinned(c, first.Digest)); err != nil {
		t.Error(err)
	}
	if n := repo.requests.Load(); n != asked {
		t.Errorf("%d requests although the chart is in the cache", n-asked)
	}
	if _, err := testStore(StoreOptions{CacheDir: dir, Refresh: true}).Chart(ctx, "", c, nil); err != nil || repo.requests.Load() == asked {
		t.Errorf("a refresh must ask: %v", err)
	}
}

func TestTransientFailuresAreTriedAgain(t *testing.T) {
	repo := serve(t, "1.0.0")
	repo.failures.Store(2)
	if _, err := testStore(StoreOptions{}).Chart(context.Background(), "", gate(repo.URL, "1.0.0"), nil); err != nil {
		t.Error(err)
	}
	repo.failures.Store(50)
	_, err := testStore(StoreOptions{}).Chart(context.Background(), "", gate(repo.URL, "1.0.0"), nil)
	wants(t, diagnostic(t, err).Error(), "repository cannot be read", "503")
}

func TestTamperedCacheIsRefused(t *testing.T) {
	repo, dir, ctx := serve(t, "1.0.0"), t.TempDir(), context.Background()
	c := gate(repo.URL, "1.0.0")
	a, err := testStore(StoreOptions{CacheDir: dir}).Chart(ctx, "", c, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "charts", strings.TrimPrefix(a.Digest, "sha256:")+".tgz")
	evil := append([]byte{}, a.Bytes...)
	evil[len(evil)-1] ^= 1
	if err := os.WriteFile(file, evil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, pins := range []*lifecycle.Pins{nil, pinned(c, a.Digest)} {
		_, err = testStore(StoreOptions{CacheDir: dir}).Chart(ctx, "", c, pins)
		d := diagnostic(t, err)
		wants(t, d.Subject+d.Detail+d.Hint, file, "expected "+a.Digest, "found "+digest(evil), "delete it")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := testStore(StoreOptions{CacheDir: dir}).Chart(ctx, "", c, nil); err != nil {
		t.Errorf("after its removal it must be fetched again: %v", err)
	}
}

func TestDigestsAreHeldAgainstThePinAndTheIndex(t *testing.T) {
	repo, ctx := serve(t, "1.0.0"), context.Background()
	c := gate(repo.URL, "1.0.0")
	_, err := testStore(StoreOptions{}).Chart(ctx, "", c, pinned(c, "sha256:"+strings.Repeat("0", 64)))
	wants(t, diagnostic(t, err).Error(), "the chart's digest changed", "sha256:0000", "gate 1.0.0")

	repo.files["/gate-1.0.0.tgz"] = archive(t, "gate", gateFiles("1.0.0-other"))
	_, err = testStore(StoreOptions{}).Chart(ctx, "", c, nil)
	wants(t, diagnostic(t, err).Error(), "not what its repository's index says")

	// Without a digest in the index, the pin is what is left.
	repo.index = "entries: {gate: [{version: 1.0.0, urls: [gate-1.0.0.tgz]}]}"
	_, err = testStore(StoreOptions{}).Chart(ctx, "", c, pinned(c, "sha256:"+strings.Repeat("0", 64)))
	wants(t, diagnostic(t, err).Error(), "the chart's digest changed")
}

func TestVersionsThatAreNotThere(t *testing.T) {
	repo, ctx := serve(t, "0.9.0", "1.0.0", "1.1.0", "1.2.0", "2.0.0", "3.0.0"), context.Background()
	repo.index = strings.Replace(repo.index, `{version: "1.1.0",`, `{removed: true, version: "1.1.0",`, 1)
	for name, tc := range map[string]struct {
		chart lifecycle.Chart
		want  []string
		not   string
	}{
		"missing":   {gate(repo.URL, "1.5.0"), []string{"no version 1.5.0 of chart gate", "3.0.0", "2.0.0, 1.2.0, 1.0.0"}, "0.9.0"},
		"withdrawn": {gate(repo.URL, "1.1.0"), []string{"version 1.1.0 of chart gate was withdrawn", "2.0.0, 1.2.0, 1.0.0, 0.9.0"}, "3.0.0"},
		"newest":    {gate(repo.URL, "9.0.0"), []string{"3.0.0, 2.0.0"}, ""},
		"no chart":  {lifecycle.Chart{Repo: repo.URL, Name: "gat", Version: "1.0.0"}, []string{"no chart gat in the repository", "gate"}, ""},
		"no index":  {gate(repo.URL+"/charts", "1.0.0"), []string{"repository cannot be read", "404"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := testStore(StoreOptions{}).Chart(ctx, "", tc.chart, nil)
			text := diagnostic(t, err).Error()
			wants(t, text, tc.want...)
			if tc.not != "" && strings.Contains(text, tc.not) {
				t.Errorf("%q is not near: %s", tc.not, text)
			}
		})
	}
}

func TestOfflineAndBundle(t *testing.T) {
	repo, ctx := serve(t, "1.0.0"), context.Background()
	c := gate(repo.URL, "1.0.0")
	_, err := testStore(StoreOptions{CacheDir: t.TempDir(), Offline: true}).Chart(ctx, "", c, nil)
	wants(t, diagnostic(t, err).Error(), "chart gate 1.0.0 is neither in the bundle nor in the cache", repo.URL)
	if n := repo.requests.Load(); n != 0 {
		t.Fatalf("%d requests offline", n)
	}

	digest, content, err := testStore(StoreOptions{}).ChartFiles(ctx, "", c, nil)
	if err != nil {
		t.Fatal(err)
	}
	repo.Close()
	bundle := fstest.MapFS{}
	for name, b := range content {
		bundle[name] = &fstest.MapFile{Data: b}
	}
	for _, pins := range []*lifecycle.Pins{nil, pinned(c, digest)} {
		got, err := testStore(StoreOptions{Offline: true, Bundle: bundle}).Chart(ctx, "", c, pins)
		if err != nil || got.Digest != digest {
			t.Errorf("from the bundle: %s %v", got.Digest, err)
		}
	}
	bundle[kindChart.file(digest)].Data = []byte("other")
	_, err = testStore(StoreOptions{Offline: true, Bundle: bundle}).Chart(ctx, "", c, nil)
	wants(t, diagnostic(t, err).Hint, "bundle")
}

func TestFolder(t *testing.T) {
	dir, ctx, s := t.TempDir(), context.Background(), testStore(StoreOptions{})
	for name, content := range gateFiles("1.0.0") {
		write(t, filepath.Join(dir, "charts", "gate", name), content)
	}
	c := gate("charts", "1.0.0")
	first, err := s.Chart(ctx, dir, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load(first, c); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "charts", "gate", "Chart.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := testStore(StoreOptions{}).Chart(ctx, dir, c, pinned(c, first.Digest))
	if err != nil || again.Digest != first.Digest {
		t.Errorf("the same files make another digest: %s %s %v", first.Digest, again.Digest, err)
	}
	write(t, filepath.Join(dir, "charts", "gate", "templates", "more.yaml"), "# more")
	_, err = s.Chart(ctx, dir, c, pinned(c, first.Digest))
	wants(t, diagnostic(t, err).Error(), "the chart's digest changed")

	_, err = s.Chart(ctx, dir, gate("charts", "1.0.1"), nil)
	wants(t, diagnostic(t, err).Error(), "no version 1.0.1 of chart gate", "1.0.0")
	_, err = s.Chart(ctx, dir, lifecycle.Chart{Repo: "charts", Name: "door", Version: "1.0.0"}, nil)
	wants(t, diagnostic(t, err).Error(), "no chart door in the folder")

	packed := archive(t, "gate", gateFiles("2.0.0"))
	write(t, filepath.Join(dir, "gate-2.0.0.tgz"), string(packed))
	got, err := s.Chart(ctx, dir, gate(".", "2.0.0"), nil)
	if err != nil || got.Digest != digest(packed) {
		t.Errorf("an archive in a folder: %s %v", got.Digest, err)
	}
}

func TestManifest(t *testing.T) {
	repo, dir, ctx := serve(t), t.TempDir(), context.Background()
	repo.files["/install.yaml"] = []byte("kind: Namespace\n")
	url := repo.URL + "/install.yaml"
	s := testStore(StoreOptions{CacheDir: dir})
	content, sum, err := s.Manifest(ctx, "", url, nil)
	if err != nil || string(content) != "kind: Namespace\n" || sum != digest(content) {
		t.Fatal(string(content), sum, err)
	}
	repo.files["/install.yaml"] = []byte("kind: Secret\n")
	pins := &lifecycle.Pins{Manifests: []lifecycle.ManifestPin{{URL: url, Digest: sum}}}
	if got, _, err := testStore(StoreOptions{CacheDir: dir, Offline: true}).Manifest(ctx, "", url, pins); err != nil ||
		string(got) != string(content) {
		t.Errorf("from the cache: %s %v", got, err)
	}
	_, _, err = testStore(StoreOptions{}).Manifest(ctx, "", url, pins)
	wants(t, diagnostic(t, err).Error(), "the manifest's digest changed")
	_, _, err = s.Manifest(ctx, "", repo.URL+"/gone.yaml", nil)
	wants(t, diagnostic(t, err).Error(), "no such manifest", "404")

	write(t, filepath.Join(dir, "own", "a.yaml"), "x")
	if got, _, err := s.Manifest(ctx, dir, "own/a.yaml", nil); err != nil || string(got) != "x" {
		t.Error(string(got), err)
	}
	_, _, err = s.Manifest(ctx, dir, "own/b.yaml", nil)
	wants(t, diagnostic(t, err).Error(), "cannot be read", "own/b.yaml")
}

func TestProxyIsThatOfTheEnvironment(t *testing.T) {
	transport := newWeb(nil).client.Transport.(*http.Transport)
	if transport.Proxy == nil {
		t.Error("proxies are not honoured")
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
