package kube

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"

	"kiban.dev/kiban/lifecycle"
)

// payload is what is sent of a declared object: without what the API writes itself, and in its namespace. A Secret's stringData becomes data,
// because the API gives nobody the ownership of what it makes of stringData.
func payload(o lifecycle.Object) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(o.JSON, &u.Object); err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	u.SetAPIVersion(o.APIVersion)
	u.SetKind(o.Kind)
	u.SetName(o.Name)
	u.SetNamespace(o.Namespace)
	if o.Namespace == "" {
		unstructured.RemoveNestedField(u.Object, "metadata", "namespace")
	}
	dropOwn(u.Object)
	switch {
	case isSecret(o.ObjectRef):
		plainData(u.Object)
	case strings.HasSuffix(o.Kind, "WebhookConfiguration"):
		hooks, _, _ := unstructured.NestedSlice(u.Object, "webhooks")
		for _, h := range hooks {
			if hook, ok := h.(map[string]any); ok {
				dropEmptyBundle(hook, "clientConfig", "caBundle")
			}
		}
		if hooks != nil {
			u.Object["webhooks"] = hooks
		}
	case o.Kind == "CustomResourceDefinition":
		dropEmptyBundle(u.Object, "spec", "conversion", "webhook", "clientConfig", "caBundle")
	}
	return u, nil
}

// dropOwn removes what the API writes of an object.
func dropOwn(object map[string]any) {
	delete(object, "status")
	for _, f := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"} {
		unstructured.RemoveNestedField(object, "metadata", f)
	}
}

// dropEmptyBundle leaves a CA bundle to whoever writes it in the cluster, when the declaration has none: some charts write an empty one
// or a line's end.
func dropEmptyBundle(object map[string]any, path ...string) {
	bundle, found, _ := unstructured.NestedString(object, path...)
	if found && slices.Contains([]string{"", "Cg==", "XG4="}, bundle) {
		unstructured.RemoveNestedField(object, path...)
	}
}

func isSecret(r lifecycle.ObjectRef) bool { return r.Kind == "Secret" && r.Group() == "" }

func plainData(object map[string]any) {
	texts, ok := object["stringData"].(map[string]any)
	if !ok {
		return
	}
	data, _ := object["data"].(map[string]any)
	if data == nil {
		data = map[string]any{}
	}
	for k, v := range texts {
		text, ok := v.(string)
		if !ok {
			return // the API says what is wrong with it
		}
		data[k] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	object["data"] = data
	delete(object, "stringData")
}
