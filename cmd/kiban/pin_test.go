package main

import (
	"context"
	"slices"
	"testing"

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
		got = append(got, c.Change+" "+c.What+c.digests())
	}
	want := []string{
		"removed chart web 1.0.0 of https://charts.example.com",
		"changed chart web 1.1.0 of https://charts.example.com  sha256:bb -> sha256:xx",
		"added chart web 2.0.0 of https://charts.example.com  sha256:ee",
		"removed k0s v1.35.7+k0s.0/amd64",
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
	a := &app{services: services{Checksums: func(context.Context, lifecycle.Site, lifecycle.Version) (map[string]string, error) {
		return map[string]string{"amd64": "sha256:11", "arm64": "sha256:22"}, nil
	}}}
	v, err := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if err != nil {
		t.Fatal(err)
	}
	site := lifecycle.Site{Name: "tokyo", Cluster: lifecycle.Cluster{Version: v}, Addons: []lifecycle.Addon{
		{Name: "web", Chart: &lifecycle.Chart{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0"}},
		{Name: "crds", Manifests: []string{"https://example.com/m.yaml", "local.yaml"}},
	}}
	site.Pins = &lifecycle.Pins{Charts: []lifecycle.ChartPin{{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0", Digest: "sha256:old"}}}
	got, err := resolvePins(t.Context(), a, site, store)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Charts) != 1 || got.Charts[0].Digest != "sha256:new" || len(got.Manifests) != 1 || len(got.K0s) != 2 || got.K0s["v1.36.3+k0s.2/arm64"] != "sha256:22" {
		t.Errorf("resolved %+v", got)
	}
	if store.pinned {
		t.Error("the former pins were given to the store")
	}
}

type recordingStore struct{ pinned bool }

func (s *recordingStore) Chart(_ context.Context, _ string, _ lifecycle.Chart, pins *lifecycle.Pins) (string, map[string][]byte, error) {
	s.pinned = s.pinned || pins != nil
	return "sha256:new", nil, nil
}

func (s *recordingStore) Manifest(_ context.Context, _, _ string, pins *lifecycle.Pins) (string, map[string][]byte, error) {
	s.pinned = s.pinned || pins != nil
	return "sha256:new", nil, nil
}

func (s *recordingStore) Render(context.Context, lifecycle.Site, lifecycle.Addon, lifecycle.Capabilities) (lifecycle.Rendering, error) {
	return lifecycle.Rendering{}, nil
}
