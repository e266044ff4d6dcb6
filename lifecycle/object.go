package lifecycle

import (
	"cmp"
	"strings"
)

// ObjectRef names one Kubernetes object. Namespace is empty for a kind that has none, and for one whose namespace is not known yet.
type ObjectRef struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// Group is the API group, "" for the core one.
func (r ObjectRef) Group() string {
	group, _, found := strings.Cut(r.APIVersion, "/")
	if !found {
		return ""
	}
	return group
}

// Same reports whether both name the same object, whichever version of its API they use.
func (r ObjectRef) Same(o ObjectRef) bool {
	return r.Kind == o.Kind && r.Namespace == o.Namespace && r.Name == o.Name && r.Group() == o.Group()
}

// String names the object for people: "Deployment shop/web".
func (r ObjectRef) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// Compare orders objects by namespace, kind, name and group.
func (r ObjectRef) Compare(o ObjectRef) int {
	return cmp.Or(cmp.Compare(r.Namespace, o.Namespace), cmp.Compare(r.Kind, o.Kind), cmp.Compare(r.Name, o.Name),
		cmp.Compare(r.Group(), o.Group()))
}

// Object is one Kubernetes object as it is to be.
type Object struct {
	ObjectRef
	// JSON is the whole object, keys sorted. It may hold secrets.
	JSON []byte `json:"-"`
	// Source is where it was declared, "file:line", or what it was made from ("chart metallb-0.16.2.tgz").
	Source string `json:"source,omitempty"`
}
