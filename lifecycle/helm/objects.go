package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// decode reads one YAML document as objects: none when it is empty, several when it is a list.
func decode(doc []byte, source string) ([]lifecycle.Object, error) {
	converted, err := yaml.YAMLToJSON(doc)
	if err != nil {
		return nil, malformed(source, "it is no YAML: "+err.Error(), err)
	}
	fields, err := parse(converted)
	if err != nil {
		return nil, malformed(source, "it is no object: "+err.Error(), err)
	}
	return expand(fields, source)
}

// expand makes objects of a decoded document.
func expand(fields map[string]any, source string) ([]lifecycle.Object, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	ref := lifecycle.ObjectRef{APIVersion: text(fields, "apiVersion"), Kind: text(fields, "kind")}
	meta, _ := fields["metadata"].(map[string]any)
	ref.Name, ref.Namespace = text(meta, "name"), text(meta, "namespace")
	if ref.APIVersion == "" || ref.Kind == "" {
		return nil, malformed(source, "it has no apiVersion or no kind", nil)
	}
	if items, ok := fields["items"].([]any); ok && strings.HasSuffix(ref.Kind, "List") && ref.Name == "" {
		var out []lifecycle.Object
		for _, it := range items {
			item, ok := it.(map[string]any)
			if !ok {
				return nil, malformed(source, "an item of "+ref.Kind+" is no object", nil)
			}
			if text(item, "kind") == "" && ref.Kind != "List" { // a typed list need not repeat it
				item["apiVersion"], item["kind"] = ref.APIVersion, strings.TrimSuffix(ref.Kind, "List")
			}
			objects, err := expand(item, source)
			if err != nil {
				return nil, err
			}
			out = append(out, objects...)
		}
		return out, nil
	}
	if ref.Name == "" {
		return nil, malformed(source, ref.Kind+" has no metadata.name", nil)
	}
	content, err := encode(fields)
	if err != nil {
		return nil, err
	}
	return []lifecycle.Object{{ObjectRef: ref, JSON: content, Source: source}}, nil
}

func malformed(source, why string, cause error) error {
	return lifecycle.Errorf(source, "a document is no Kubernetes object").
		Because(why).
		Try("Every document needs apiVersion, kind and metadata.name").
		Hiding(cause)
}

// parse and encode keep numbers as they are written, and sort keys.
func parse(content []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	var fields map[string]any
	err := d.Decode(&fields)
	return fields, err
}

func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

func text(fields map[string]any, key string) string {
	s, _ := fields[key].(string)
	return s
}

// owned puts on objects what Helm puts on those of a release when it installs it.
func owned(objects []lifecycle.Object, release, namespace string) ([]lifecycle.Object, error) {
	for i, o := range objects {
		fields, err := parse(o.JSON)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.ObjectRef, err)
		}
		meta, _ := fields["metadata"].(map[string]any)
		set(meta, "labels", "app.kubernetes.io/managed-by", "Helm")
		set(meta, "annotations", "meta.helm.sh/release-name", release)
		set(meta, "annotations", "meta.helm.sh/release-namespace", namespace)
		if objects[i].JSON, err = encode(fields); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

func set(meta map[string]any, in, key, value string) {
	m, ok := meta[in].(map[string]any)
	if !ok {
		m = map[string]any{}
		meta[in] = m
	}
	m[key] = value
}

// images are the container images that objects name, sorted.
func images(objects []lifecycle.Object) []string {
	found := map[string]bool{}
	for _, o := range objects {
		if fields, err := parse(o.JSON); err == nil {
			collect(fields, found)
		}
	}
	out := make([]string, 0, len(found))
	for image := range found {
		out = append(out, image)
	}
	slices.Sort(out)
	return out
}

func collect(v any, found map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			collect(item, found)
		}
	case map[string]any:
		for key, value := range v {
			if list, ok := value.([]any); ok && (key == "containers" || key == "initContainers") {
				for _, item := range list {
					if c, ok := item.(map[string]any); ok && text(c, "image") != "" {
						found[text(c, "image")] = true
					}
				}
			}
			collect(value, found)
		}
	}
}

// clusterWide reports whether objects of a kind of Kubernetes' own are in no namespace.
func clusterWide(kind string) bool {
	switch kind {
	case "Namespace", "Node", "PersistentVolume", "StorageClass", "VolumeAttachment", "CSIDriver", "CSINode", "PriorityClass", "RuntimeClass",
		"IngressClass",
		"CustomResourceDefinition", "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
		"ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "ClusterRole", "ClusterRoleBinding",
		"CertificateSigningRequest", "FlowSchema", "PriorityLevelConfiguration", "DeviceClass", "IPAddress", "ServiceCIDR":
		return true
	}
	return false
}
