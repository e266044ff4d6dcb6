package kube

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kiban.dev/kiban/lifecycle"
)

func TestPayload(t *testing.T) {
	for name, tc := range map[string]struct{ object, want string }{
		"its namespace": {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"n":"1"}}`,
			`{"apiVersion":"v1","data":{"n":"1"},"kind":"ConfigMap","metadata":{"name":"x","namespace":"shop"}}`},
		"what the API writes": {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","uid":"1","resourceVersion":"2","creationTimestamp":null,"generation":3,"managedFields":[]},"status":{}}`,
			`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"shop"}}`},
		"a secret in words": {`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"data":{"a":"YQ=="},"stringData":{"b":"b"}}`,
			`{"apiVersion":"v1","data":{"a":"YQ==","b":"Yg=="},"kind":"Secret","metadata":{"name":"x","namespace":"shop"}}`},
		"a whole number": {`{"apiVersion":"v1","kind":"Gadget","metadata":{"name":"x"},"spec":{"n":9007199254740993}}`,
			`{"apiVersion":"v1","kind":"Gadget","metadata":{"name":"x","namespace":"shop"},"spec":{"n":9007199254740993}}`},
		"a bundle left open": {`{"apiVersion":"v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"x"},"webhooks":[{"name":"a","clientConfig":{"caBundle":"Cg==","url":"u"}},{"name":"b","clientConfig":{"caBundle":"QQ=="}}]}`,
			`{"apiVersion":"v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"x","namespace":"shop"},"webhooks":[{"clientConfig":{"url":"u"},"name":"a"},{"clientConfig":{"caBundle":"QQ=="},"name":"b"}]}`},
		"a definition's bundle": {`{"apiVersion":"v1","kind":"CustomResourceDefinition","metadata":{"name":"x"},"spec":{"conversion":{"webhook":{"clientConfig":{"caBundle":""}}}}}`,
			`{"apiVersion":"v1","kind":"CustomResourceDefinition","metadata":{"name":"x","namespace":"shop"},"spec":{"conversion":{"webhook":{"clientConfig":{}}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			o := declared(t, tc.object)[0]
			o.JSON, o.Namespace = []byte(tc.object), "shop"
			u, err := payload(o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := u.MarshalJSON()
			if err != nil || string(got) != tc.want+"\n" {
				t.Errorf("got  %s, %v\nwant %s", got, err, tc.want)
			}
			if bundles := openBundles(u); name == "a bundle left open" &&
				!slices.Equal(bundles, []string{"webhooks[name=a].clientConfig.caBundle"}) {
				t.Errorf("open: %v", bundles)
			}
		})
	}
}

// TestWriters: a field's writer is found through maps, named items, values and atomic wholes.
func TestWriters(t *testing.T) {
	live := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "x", "labels": map[string]any{"a.b/c": "1"}, "finalizers": []any{"f1"}},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": "i",
			"ports": []any{map[string]any{"containerPort": int64(80), "protocol": "TCP", "hostPort": int64(1)}}}},
			"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}}, "args": []any{"x", "y"}},
	}}
	entry := func(name, at, fields string) metav1.ManagedFieldsEntry {
		var when metav1.Time
		if err := when.UnmarshalJSON([]byte(`"2026-01-02T` + at + `:00Z"`)); err != nil {
			t.Fatal(err)
		}
		return metav1.ManagedFieldsEntry{Manager: name, Operation: metav1.ManagedFieldsOperationUpdate, Time: &when, FieldsType: "FieldsV1",
			FieldsV1: metav1.NewFieldsV1(fields)}
	}
	live.SetManagedFields([]metav1.ManagedFieldsEntry{
		entry("kiban", "15:00", `{"f:spec":{"f:args":{}}}`),
		entry("edit", "12:00", `{"f:metadata":{"f:labels":{"f:a.b/c":{}},"f:finalizers":{"v:\"f1\"":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{"f:image":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:hostPort":{}}}}}}}`),
		entry("other", "13:00", `{"f:spec":{"f:selector":{},"f:containers":{"k:{\"name\":\"c\"}":{"f:image":{}}}}}`),
	})
	ws := writersOf(live)
	for field, want := range map[string]string{
		`metadata.labels["a.b/c"]`:                       "edit",
		"metadata.finalizers[0]":                         "edit",
		"spec.containers[name=c].ports[0].hostPort":      "edit",
		"spec.containers[name=c].ports[0]":               "edit",
		"spec.containers[name=c].ports[0].containerPort": "",
		"spec.containers[name=c].image":                  "other",
		"spec.selector.matchLabels.a":                    "other",
		"spec":                                           "other",
		"spec.args[0]":                                   "",
		"spec.replicas":                                  "",
		"spec.containers[name=d]":                        "",
	} {
		by, at := ws.of(live.Object, field)
		if by != want || (by != "") == at.IsZero() {
			t.Errorf("%s: %q at %v, want %q", field, by, at, want)
		}
	}
}

// TestDefinitions: a definition says which kinds it brings.
func TestDefinitions(t *testing.T) {
	defs := definitions(declared(t, gadgets))
	if d, ok := defines(defs, lifecycle.ObjectRef{APIVersion: "test.kiban.dev/v9", Kind: "Gadget"}); !ok || d.scope != "Namespaced" ||
		!slices.Equal(d.served, []string{"v1"}) {
		t.Errorf("got %+v, %v", d, ok)
	}
	if _, ok := defines(defs, lifecycle.ObjectRef{APIVersion: "other.dev/v1", Kind: "Gadget"}); ok {
		t.Error("another group's kind is taken for it")
	}
}
