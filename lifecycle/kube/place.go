package kube

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/api/meta"

	"kiban.dev/kiban/lifecycle"
)

// definition is as much of a CustomResourceDefinition as tells what it brings.
type definition struct {
	name  string
	group string
	kind  string
	scope string
	// served are the versions that it serves.
	served []string
}

// definitions reads the CustomResourceDefinitions among objects.
func definitions(lists ...[]lifecycle.Object) []definition {
	var out []definition
	for _, objs := range lists {
		for _, o := range objs {
			if o.Kind != "CustomResourceDefinition" {
				continue
			}
			var crd struct {
				Spec struct {
					Group string
					Scope string
					Names struct{ Kind string }
					// Versions with what of them is needed.
					Versions []struct {
						Name   string
						Served bool
					}
				}
			}
			if json.Unmarshal(o.JSON, &crd) != nil {
				continue // the API says what is wrong with it
			}
			d := definition{name: o.Name, group: crd.Spec.Group, kind: crd.Spec.Names.Kind, scope: crd.Spec.Scope}
			for _, v := range crd.Spec.Versions {
				if v.Served {
					d.served = append(d.served, v.Name)
				}
			}
			out = append(out, d)
		}
	}
	return out
}

// brings reports whether the definition is that of an object's kind.
func (d definition) brings(r lifecycle.ObjectRef) bool {
	return d.group == r.Group() && d.kind == r.Kind
}

// defines finds the definition of an object's kind.
func defines(defs []definition, r lifecycle.ObjectRef) (definition, bool) {
	for _, d := range defs {
		if d.brings(r) {
			return d, true
		}
	}
	return definition{}, false
}

// Place gives objects the namespace that they will be in: their own, or the one given when they name none and their kind has one. What has
// no namespace loses the one that it names, as the API ignores it. Kinds that the API does not serve yet are looked up among the
// definitions of objs and coming; those that nobody knows are taken to have a namespace.
func (c *Client) Place(ctx context.Context, objs []lifecycle.Object, namespace string, coming []lifecycle.Object) ([]lifecycle.Object,
	error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	defs := definitions(objs, coming)
	out := make([]lifecycle.Object, len(objs))
	for i, o := range objs {
		m, err := c.kinds.find(ctx, o.ObjectRef)
		if err != nil && !meta.IsNoMatchError(err) {
			return nil, err
		}
		d, ours := defines(defs, o.ObjectRef)
		switch {
		case err == nil && m.Scope.Name() == meta.RESTScopeNameRoot, err != nil && ours && d.scope == "Cluster":
			o.Namespace = ""
		case o.Namespace == "":
			o.Namespace = namespace
		}
		out[i] = o
	}
	return out, nil
}
