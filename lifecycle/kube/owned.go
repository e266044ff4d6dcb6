package kube

import (
	"fmt"
	"time"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kiban.dev/kiban/lifecycle"
)

// of is who wrote a field of a live object last, and when; "" when nobody but kiban did, or it is not known.
func (ws writers) of(live any, field string) (string, time.Time) {
	steps := lifecycle.SplitField(field)
	var last writer
	for _, w := range ws {
		if (last.name == "" || last.at.Before(&w.at)) && owns(w.set, live, steps) {
			last = w
		}
	}
	return last.name, last.at.Time
}

// owns reports whether a set of managed fields holds a field, something below it, or the whole that it is part of.
func owns(set *fieldpath.Set, live any, steps []lifecycle.FieldStep) bool {
	if len(steps) == 0 {
		return true
	}
	for _, at := range elements(set, live, steps[0]) {
		inner, deeper := set.Children.Get(at.element)
		switch {
		case deeper && owns(inner, at.value, steps[1:]):
			return true
		case !deeper && set.Members.Has(at.element):
			return true // the last step, or an atomic whole
		case len(steps) == 1 && set.Members.Has(at.element):
			return true
		}
	}
	return false
}

// element is one way in which managed fields may name a step, and the value that is there.
type element struct {
	element fieldpath.PathElement
	value   any
}

func elements(set *fieldpath.Set, live any, step lifecycle.FieldStep) []element {
	switch live := live.(type) {
	case map[string]any:
		if !step.Item {
			return []element{{fieldpath.FieldNameElement(step.Key), live[step.Key]}}
		}
	case []any:
		for i, item := range live {
			if step.Matches(i, item) {
				return itemElements(set, i, item)
			}
		}
	}
	return nil
}

// itemElements are the elements of a set that name an item of a list: by its keys, by its value or by its place.
func itemElements(set *fieldpath.Set, place int, item any) []element {
	var out []element
	add := func(e fieldpath.PathElement) {
		if namesItem(e, place, item) {
			out = append(out, element{e, item})
		}
	}
	set.Members.Iterate(add)
	set.Children.Iterate(add)
	return out
}

func namesItem(e fieldpath.PathElement, place int, item any) bool {
	switch {
	case e.Key != nil:
		m, ok := item.(map[string]any)
		for _, k := range *e.Key {
			if !ok || fmt.Sprint(m[k.Name]) != fmt.Sprint(k.Value.Unstructured()) {
				return false
			}
		}
		return ok
	case e.Value != nil:
		return fmt.Sprint(item) == fmt.Sprint((*e.Value).Unstructured())
	}
	return e.Index != nil && *e.Index == place
}
