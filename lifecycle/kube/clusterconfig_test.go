package kube

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// k0s's configuration in the cluster is read as it is, and written as far as something is declared; a cluster without one has none, and one
// that does not let it be read is not known.
func TestClusterConfigIsReadAndWritten(t *testing.T) {
	code, patched, kind := http.StatusOK, "", ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != clusterConfigPath {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if r.Method == http.MethodPatch {
			b, _ := io.ReadAll(r.Body)
			patched, kind = string(b), r.Header.Get("Content-Type")
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "ClusterConfig", "metadata": map[string]any{"name": "k0s"},
			"spec": map[string]any{"telemetry": map[string]any{"enabled": true}}})
	}))
	defer server.Close()
	api, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, newFakeAPI())
	if err := c.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.api = api
	got, err := c.clusterConfig(t.Context())
	if err != nil || string(got) != `{"spec":{"telemetry":{"enabled":true}}}` {
		t.Errorf("%s, %v", got, err)
	}
	if err := c.WriteClusterConfig(t.Context(), []byte(`{"spec":{"telemetry":{"enabled":false}}}`)); err != nil ||
		patched != `{"spec":{"telemetry":{"enabled":false}}}` || !strings.Contains(kind, "merge-patch") {
		t.Errorf("wrote %q as %s: %v", patched, kind, err)
	}
	for _, code = range []int{http.StatusNotFound, http.StatusForbidden} {
		if got, err := c.clusterConfig(t.Context()); got != nil || err != nil {
			t.Errorf("code %d: %s, %v", code, got, err)
		}
	}
	code = http.StatusInternalServerError
	if _, err := c.clusterConfig(t.Context()); err == nil {
		t.Error("a failure passes for none")
	}
}
