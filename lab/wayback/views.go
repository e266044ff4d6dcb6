package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// served is a resource in one of the versions in which the API serves it.
type served struct {
	schema.GroupVersionResource
	kind       string
	namespaced bool
	creatable  bool
}

// resources are those that can be listed, in every version.
func resources(cfg *rest.Config) ([]served, error) {
	client, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return nil, err
	}
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil {
		return nil, fmt.Errorf("what the API serves: %w", err)
	}
	var out []served
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, r := range l.APIResources {
			if !strings.Contains(r.Name, "/") && slices.Contains(r.Verbs, "list") {
				out = append(out, served{gv.WithResource(r.Name), r.Kind, r.Namespaced, slices.Contains(r.Verbs, "create")})
			}
		}
	}
	return out, nil
}

// views are all objects as they are shown in every version that is served: by version, resource, namespace and name, as JSON.
func views(ctx context.Context, cfg *rest.Config) (map[string]string, error) {
	kinds, err := resources(cfg)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, k := range kinds {
		list, err := client.Resource(k.GroupVersionResource).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.GroupVersionResource, err)
		}
		err = meta.EachListItem(list, func(o runtime.Object) error {
			u, ok := o.(*unstructured.Unstructured)
			if !ok {
				return fmt.Errorf("%s: an item is a %T", k.GroupVersionResource, o)
			}
			if itsOwn(k, u) {
				return nil
			}
			text, err := json.Marshal(u.Object)
			out[fmt.Sprintf("%s/%s %s/%s", k.GroupVersion(), k.Resource, u.GetNamespace(), u.GetName())] = string(text)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// itsOwn reports whether the control plane itself goes on writing the object: leases that it renews, events, and what is being
// deleted. It also takes from an object what says nothing of what is stored.
func itsOwn(k served, o *unstructured.Unstructured) bool {
	unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
	unstructured.RemoveNestedField(o.Object, "metadata", "resourceVersion")
	if slices.Contains([]string{"apps", "batch", "autoscaling"}, k.Group) { // their controllers go on with that
		unstructured.RemoveNestedField(o.Object, "status")
	}
	return o.GetDeletionTimestamp() != nil || k.Resource == "events" || k.Resource == "leases" && o.GetNamespace() == "kube-system"
}

// differences are the views that are missing later, and, by view, the fields that are gone or otherwise then. What is new is none:
// controllers go on with their work.
func differences(before, after map[string]string) (missing []string, changed map[string][]string, err error) {
	changed = map[string][]string{}
	owners := map[types.UID]bool{}
	for _, text := range before {
		o, err := metadata(text)
		if err != nil {
			return nil, nil, err
		}
		owners[o.UID] = true
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		now, there := after[key]
		switch {
		case !there && !orphaned(before[key], owners):
			missing = append(missing, key)
		case !there:
		case now != before[key]:
			fields, err := apart(before[key], now)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", key, err)
			}
			if len(fields) > 0 {
				changed[key] = fields
			}
		}
	}
	return missing, changed, nil
}

// metadata is that of a view.
func metadata(text string) (metav1.ObjectMeta, error) {
	var o metav1.PartialObjectMetadata
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return metav1.ObjectMeta{}, err
	}
	return o.ObjectMeta, nil
}

// orphaned reports whether an object's owners were gone already, so that a controller was about to collect it.
func orphaned(text string, owners map[types.UID]bool) bool {
	o, err := metadata(text)
	return err == nil && len(o.OwnerReferences) > 0 &&
		!slices.ContainsFunc(o.OwnerReferences, func(r metav1.OwnerReference) bool { return owners[r.UID] })
}

// apart are the fields of a view that are gone or otherwise in a later one, as path: before, after.
func apart(before, after string) ([]string, error) {
	var texts []string
	var sides [2]map[string]string
	for i, text := range []string{before, after} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return nil, err
		}
		sides[i] = map[string]string{}
		leaves("", value, sides[i])
	}
	for _, path := range slices.Sorted(maps.Keys(sides[0])) {
		if is, has := sides[1][path]; !has || is != sides[0][path] {
			texts = append(texts, fmt.Sprintf("%s: %s, %s", path, sides[0][path], cmp.Or(is, "none")))
		}
	}
	return texts, nil
}

// leaves writes the values of a document by their paths.
func leaves(path string, value any, into map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			leaves(path+"."+name, inner, into)
		}
	case []any:
		for i, inner := range v {
			leaves(fmt.Sprintf("%s[%d]", path, i), inner, into)
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}
