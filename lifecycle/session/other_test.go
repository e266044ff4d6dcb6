package session

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/kube"
	"kiban.dev/kiban/lifecycle/plan"
)

// clusterOf is a world whose API says that the cluster is that site; writes counts what it was asked to change.
func clusterOf(t *testing.T, marked string, writes *int) *world {
	t.Helper()
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method != http.MethodGet:
			*writes++
		case r.URL.Path == "/api/v1/namespaces/kube-system":
			fmt.Fprint(w, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"u"}}`)
			return
		case r.URL.Path == "/api/v1/namespaces/kube-system/configmaps/kiban-site":
			fmt.Fprintf(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"kiban-site"},"data":{"site":%q}}`, marked)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	}))
	t.Cleanup(api.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, clusters: [{name: a, cluster: {server: %q, certificate-authority-data: %s}}],
users: [{name: a, user: {token: x}}], contexts: [{name: a, context: {cluster: a, user: a}}], current-context: a}`, api.URL,
		base64.StdEncoding.EncodeToString(authority))
	source := func(context.Context) (lifecycle.Credentials, error) {
		return lifecycle.Credentials{Kubeconfig: []byte(config)}, nil
	}
	c := kube.New(source, nil, kube.Options{})
	t.Cleanup(c.Close)
	return &world{site: lifecycle.Site{Name: "lab"}, api: c}
}

// A backup is planned without a look, so what its machines belong to is asked before it is taken.
func TestABackupOfAnotherSitesClusterIsRefused(t *testing.T) {
	writes := 0
	w := clusterOf(t, "tokyo", &writes)
	err := w.Run(t.Context(), plan.Backup(w.site), Run{ID: "run-1", Sink: func(lifecycle.Event) error {
		return errors.New("it was begun")
	}})
	if err == nil || !strings.Contains(err.Error(), "the cluster says that it is site tokyo") {
		t.Errorf("got %v", err)
	}
	if err := w.recordRun(t.Context(), lifecycle.RunRecord{ID: "run-1"}); err == nil || writes != 0 {
		t.Errorf("a run's record went into another site's cluster: %v, %d writes", err, writes)
	}
	if d, other := clusterOf(t, "lab", &writes).otherCluster(t.Context()); other {
		t.Errorf("its own cluster: %v", d)
	}
}
