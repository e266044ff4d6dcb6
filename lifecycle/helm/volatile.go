package helm

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"kiban.dev/kiban/lifecycle"
)

// differences are the fields that two renderings of the same objects gave different values, sorted by object and field. A list whose items
// do not correspond is one field.
func differences(first, second []lifecycle.Object) []lifecycle.FieldRef {
	var out []lifecycle.FieldRef
	for _, a := range first {
		i := slices.IndexFunc(second, func(b lifecycle.Object) bool { return a.Same(b.ObjectRef) })
		if i < 0 || string(a.JSON) == string(second[i].JSON) {
			continue
		}
		one, errOne := parse(a.JSON)
		two, errTwo := parse(second[i].JSON)
		if errOne != nil || errTwo != nil {
			continue // both were written by encode
		}
		for _, field := range compare("", one, two) {
			out = append(out, lifecycle.FieldRef{Object: a.ObjectRef, Field: field})
		}
	}
	slices.SortFunc(out, func(a, b lifecycle.FieldRef) int {
		return cmp.Or(a.Object.Compare(b.Object), cmp.Compare(a.Field, b.Field))
	})
	return out
}

// compare gives the paths at which two values differ. It is not lifecycle.DiffFields, which names single items of a list: here an item's
// place means nothing when the next rendering may have others, so then the list is one field.
func compare(path string, a, b any) []string {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			break
		}
		keys := maps.Clone(a)
		maps.Copy(keys, b)
		var out []string
		for key := range keys {
			one, inOne := a[key]
			two, inTwo := b[key]
			if inOne != inTwo {
				out = append(out, lifecycle.FieldKey(path, key))
				continue
			}
			out = append(out, compare(lifecycle.FieldKey(path, key), one, two)...)
		}
		return out
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			break
		}
		names, others := itemNames(a), itemNames(b)
		if !slices.Equal(names, others) {
			break
		}
		var out []string
		for i := range a {
			step := "[" + strconv.Itoa(i) + "]"
			if names != nil {
				step = "[name=" + names[i] + "]"
			}
			out = append(out, compare(path+step, a[i], b[i])...)
		}
		return out
	}
	return []string{path}
}

// itemNames are the names of a list's items, when each has one and no two share it.
func itemNames(list []any) []string {
	seen := map[string]bool{}
	var names []string
	for _, it := range list {
		item, _ := it.(map[string]any)
		name := text(item, "name")
		if name == "" || seen[name] {
			return nil
		}
		seen[name] = true
		names = append(names, name)
	}
	return names
}
