package helm

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// registryServer is as much of an OCI registry as pulling a chart takes.
func registryServer(t *testing.T, name string, versions map[string][]byte) (*httptest.Server, *int) {
	blobs, manifests, tags := map[string][]byte{}, map[string][]byte{}, []string{}
	add := func(mediaType string, content []byte) map[string]any {
		blobs[digest(content)] = content
		return map[string]any{"mediaType": mediaType, "digest": digest(content), "size": len(content)}
	}
	for version, chart := range versions {
		config, _ := json.Marshal(map[string]string{"name": name, "version": version, "apiVersion": "v2"})
		m, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
			"config": add("application/vnd.cncf.helm.config.v1+json", config),
			"layers": []any{add("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart)}})
		if err != nil {
			t.Fatal(err)
		}
		manifests[version], manifests[digest(m)] = m, m
		tags = append(tags, version)
	}
	requests := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		requests++
		rest, ok := strings.CutPrefix(req.URL.Path, "/v2/charts/"+name+"/")
		what, id, _ := strings.Cut(rest, "/")
		var content []byte
		switch {
		case !ok:
		case what == "manifests":
			content = manifests[id]
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		case what == "blobs":
			content = blobs[id]
			w.Header().Set("Content-Type", "application/octet-stream")
		case what == "tags":
			content, _ = json.Marshal(map[string]any{"name": "charts/" + name, "tags": tags})
			w.Header().Set("Content-Type", "application/json")
		}
		if content == nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`))
			return
		}
		w.Header().Set("Docker-Content-Digest", digest(content))
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		if req.Method != http.MethodHead {
			w.Write(content)
		}
	}))
	t.Cleanup(srv.Close)
	return srv, &requests
}

func TestRegistry(t *testing.T) {
	t.Setenv("HOME", t.TempDir()) // where Docker's credentials would be
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	chart := archive(t, "gate", gateFiles("1.0.0"))
	srv, requests := registryServer(t, "gate", map[string][]byte{"1.0.0": chart, "1.1.0": archive(t, "gate", gateFiles("1.1.0"))})
	dir, ctx := t.TempDir(), context.Background()
	c := gate("oci://"+strings.TrimPrefix(srv.URL, "http://")+"/charts", "1.0.0")
	a, err := testStore(StoreOptions{CacheDir: dir}).Chart(ctx, "", c, nil)
	if err != nil || a.Digest != digest(chart) {
		t.Fatal(a.Digest, err)
	}
	asked := *requests
	if _, err := testStore(StoreOptions{CacheDir: dir}).Chart(ctx, "", c, pinned(c, a.Digest)); err != nil || *requests != asked {
		t.Errorf("%d requests although it is in the cache, %v", *requests-asked, err)
	}
	_, err = testStore(StoreOptions{}).Chart(ctx, "", c, pinned(c, digest(nil)))
	wants(t, diagnostic(t, err).Error(), "the chart's digest changed")
	c.Version = "1.2.0"
	_, err = testStore(StoreOptions{}).Chart(ctx, "", c, nil)
	wants(t, diagnostic(t, err).Error(), "no version 1.2.0 of chart gate", "1.1.0, 1.0.0")
	_, err = testStore(StoreOptions{}).Chart(ctx, "", lifecycle.Chart{Repo: c.Repo, Name: "door", Version: "1.0.0"}, nil)
	wants(t, diagnostic(t, err).Error(), "the registry does not give the chart", "door")

	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := testStore(StoreOptions{}).Chart(ended, "", gate(c.Repo, "1.1.0"), nil); err == nil {
		t.Error("a run that has ended still downloads")
	}
}
