package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// files of a chart of our own: a webhook and what it judges, a definition in crds/, a value of chance, a hook, a test, a schema.
func gateFiles(version string) map[string]string {
	return map[string]string{
		"Chart.yaml":  "apiVersion: v2\nname: gate\nversion: " + version + "\nappVersion: v9\nkubeVersion: '>= 1.30.0-0'\n",
		"values.yaml": "replicas: 1\nimage: registry.example/gate:1\nextra: {enabled: false}\n",
		"values.schema.json": `{"type":"object","properties":{"replicas":{"type":"integer","minimum":1},"image":{"type":"string","pattern":"^[a-z./:0-9]+$"},
			"ports":{"type":"object","properties":{"http/alt":{"type":"integer"}}}}}`,
		"crds/rules.yaml": definition("rules.gate.example"),
		"templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  template:
    metadata: {annotations: {checksum/config: "{{ randAlphaNum 12 }}"}}
    spec:
      initContainers: [{name: wait, image: "registry.example/wait:2"}]
      containers: [{name: gate, image: "{{ .Values.image }}", env: [{name: REVISION, value: "{{ .Release.Revision }}"}]}]
`,
		"templates/config.yaml": `{{- if .Capabilities.APIVersions.Has "gate.example/v1" }}
apiVersion: gate.example/v1
kind: Rule
metadata: {name: first}
---
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: state, labels: {app: gate}}
data: {install_time: "{{ randNumeric 12 }}", kubernetes: "{{ .Capabilities.KubeVersion.Version }}", keep: same}
---
# nothing but a comment
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: gate}}
- {apiVersion: v1, kind: Secret, metadata: {name: token, namespace: elsewhere}, data: {a: YQ==}}
`,
		"templates/hooks.yaml": `apiVersion: batch/v1
kind: Job
metadata: {name: init, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
spec: {template: {spec: {containers: [{name: init, image: "registry.example/init:3"}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: try, annotations: {helm.sh/hook: test}}
spec: {containers: [{name: try, image: "registry.example/test:4"}]}
`,
		"templates/webhook.yaml": `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gate}
webhooks: []
`,
		"templates/NOTES.txt": "Thank you.",
	}
}

func definition(name string) string {
	return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + name + "}\nspec: {group: gate.example}\n"
}

// archive packs a chart's files.
func archive(t *testing.T, name string, content map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, f := range slices.Sorted(maps.Keys(content)) {
		if err := w.WriteHeader(&tar.Header{Name: name + "/" + f, Mode: 0o600, Size: int64(len(content[f]))}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(content[f]))
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// chartRepository serves versions of the gate chart; it counts requests, and fails as many as it is told.
type chartRepository struct {
	*httptest.Server
	requests, failures atomic.Int32
	index              string
	files              map[string][]byte
}

func serve(t *testing.T, versions ...string) *chartRepository {
	r := &chartRepository{files: map[string][]byte{}}
	entries := ""
	for _, v := range versions {
		content := archive(t, "gate", gateFiles(v))
		r.files["/gate-"+v+".tgz"] = content
		entries += fmt.Sprintf("  - {version: %q, digest: %s, urls: [gate-%s.tgz]}\n", v, strings.TrimPrefix(digest(content), "sha256:"), v)
	}
	r.index = "apiVersion: v1\nentries:\n  gate:\n" + entries
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		if r.failures.Add(-1) >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		content, ok := r.files[req.URL.Path]
		if req.URL.Path == "/index.yaml" {
			content, ok = []byte(r.index), true
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Write(content)
	}))
	t.Cleanup(r.Close)
	return r
}

func testStore(opts StoreOptions) *Store {
	s := NewStore(opts)
	s.web.pause = time.Millisecond
	return s
}

func gate(repo, version string) lifecycle.Chart {
	return lifecycle.Chart{Repo: repo, Name: "gate", Version: version}
}

// diagnostic is the one diagnostic of an error.
func diagnostic(t *testing.T, err error) lifecycle.Diagnostic {
	t.Helper()
	d, ok := errors.AsType[lifecycle.Diagnostic](err)
	if !ok {
		t.Fatalf("no diagnostic: %v", err)
	}
	if d.Summary == "" || d.Hint == "" || d.Severity != lifecycle.SeverityError {
		t.Errorf("a diagnostic that cannot be acted upon: %+v", d)
	}
	return d
}

func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in: %s", p, text)
		}
	}
}
