package kube

import (
	"encoding/json"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
)

// plainScheme stands in for the conversions and defaults that the fake does not have.
type plainScheme struct{}

func (plainScheme) Convert(_, _, _ any) error { return nil }
func (plainScheme) ConvertToVersion(o runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return o, nil
}
func (plainScheme) ConvertFieldLabel(_ schema.GroupVersionKind, l, v string) (string, string, error) {
	return l, v, nil
}
func (plainScheme) Default(runtime.Object) {}
func (plainScheme) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	return u, nil
}

// fieldManager is the API's own book-keeping of who wrote what, with every list taken as a whole.
func fieldManager(o object) *managedfields.FieldManager {
	gvk := (&unstructured.Unstructured{Object: o}).GroupVersionKind()
	fm, err := managedfields.NewDefaultCRDFieldManager(managedfields.NewDeducedTypeConverter(), plainScheme{}, plainScheme{}, plainScheme{},
		gvk, gvk.GroupVersion(), "", nil)
	if err != nil {
		panic(err)
	}
	return fm
}

func copied(o object) *unstructured.Unstructured {
	raw, _ := json.Marshal(o)
	u := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(raw, &u.Object); err != nil {
		panic(err)
	}
	return u
}

// apply is server-side apply. The caller does not hold the lock.
func (f *fakeAPI) apply(w http.ResponseWriter, r *http.Request, collection, key string, body object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	namespace, name, _ := strings.Cut(key, "/")
	if namespace != "" && f.objects["namespaces"]["/"+namespace] == nil {
		status(w, http.StatusNotFound, "NotFound", `namespaces "`+namespace+`" not found`,
			map[string]any{"name": namespace, "kind": "namespaces"})
		return
	}
	if f.judge != nil {
		if code, message, causes := f.judge(collection, key, body); code != 0 {
			status(w, code, map[int]string{422: "Invalid", 403: "Forbidden", 500: "InternalError"}[code], message, map[string]any{"causes": causes})
			return
		}
	}
	applied := copied(body)
	was := f.objects[collection][key]
	live := &unstructured.Unstructured{Object: map[string]any{"apiVersion": applied.GetAPIVersion(), "kind": applied.GetKind(),
		"metadata": map[string]any{"name": name}}}
	if namespace != "" {
		live.SetNamespace(namespace)
	}
	if was != nil {
		live = copied(was)
	}
	after, err := fieldManager(body).Apply(live, applied, r.URL.Query().Get("fieldManager"), r.URL.Query().Get("force") == "true")
	if err != nil {
		status(w, http.StatusConflict, "Conflict", err.Error(), nil)
		return
	}
	o := object(copied(after.(*unstructured.Unstructured).Object).Object)
	if r.URL.Query().Get("dryRun") == "" {
		o = f.put(collection, o)
	}
	reply(w, http.StatusOK, o)
}

// updated keeps the book when an object is changed in another way than by apply.
func updated(r *http.Request, was *unstructured.Unstructured, o object) object {
	if metadata(o)["managedFields"] == nil {
		return o
	}
	by := r.URL.Query().Get("fieldManager")
	now, err := fieldManager(o).Update(was, copied(o), by)
	if err != nil {
		panic(err)
	}
	return copied(now.(*unstructured.Unstructured).Object).Object
}
