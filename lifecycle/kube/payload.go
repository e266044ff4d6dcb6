package kube

import (
	"encoding/base64"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"

	"kiban.dev/kiban/lifecycle"
)

// payload is what is sent of a declared object: without what the API writes itself, and in its namespace. A Secret's stringData becomes
// data, because the API gives nobody the ownership of what it makes of stringData.
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
	if isSecret(o.ObjectRef) {
		plainData(u.Object)
	}
	for _, client := range hookClients(u) {
		if bundle, ok := client["caBundle"].(string); ok && slices.Contains([]string{"", "Cg==", "XG4="}, bundle) {
			delete(client, "caBundle") // some charts write an empty one, or a line's end, for someone in the cluster to fill
		}
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

// hookClients are the places of an object that say how the API asks a webhook, by path.
func hookClients(u *unstructured.Unstructured) map[string]map[string]any {
	out := map[string]map[string]any{}
	switch u.GetKind() {
	case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
		hooks, _ := u.Object["webhooks"].([]any)
		for i, h := range hooks {
			hook, _ := h.(map[string]any)
			if client, ok := hook["clientConfig"].(map[string]any); ok {
				path := fmt.Sprintf("webhooks[%d].clientConfig", i)
				if name, ok := hook["name"].(string); ok {
					path = fmt.Sprintf("webhooks[name=%s].clientConfig", name)
				}
				out[path] = client
			}
		}
	case "CustomResourceDefinition":
		if client, ok, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "conversion", "webhook", "clientConfig"); ok {
			if client, ok := client.(map[string]any); ok {
				out["spec.conversion.webhook.clientConfig"] = client
			}
		}
	}
	return out
}

// openBundles are the CA bundles that a declared object leaves to someone in the cluster.
func openBundles(u *unstructured.Unstructured) []string {
	var out []string
	for path, client := range hookClients(u) {
		if client["caBundle"] == nil {
			out = append(out, path+".caBundle")
		}
	}
	return out
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
