package lifecycle

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// FieldDifference is one field that two JSON values do not agree in. A or B is nil when the field is not there, and HasA or HasB false.
type FieldDifference struct {
	// Field is the path as plans print it: keys joined by dots, keys with a dot, slash or bracket as ["key"], items of a list as
	// [name=x] where all have names of their own, else as [0].
	Field      string
	A, B       any
	HasA, HasB bool
}

// DiffFields compares two JSON values (as encoding/json decodes them) field by field, sorted by path. What only one of them has is one
// difference, however much is below it.
func DiffFields(a, b any) []FieldDifference {
	var out []FieldDifference
	diffValue("", a, b, &out)
	slices.SortStableFunc(out, func(x, y FieldDifference) int { return cmp.Compare(x.Field, y.Field) })
	return out
}

func diffValue(path string, a, b any, out *[]FieldDifference) {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			diffMaps(func(key string) string { return FieldKey(path, key) }, a, b, out)
			return
		}
	case []any:
		if b, ok := b.([]any); ok {
			diffLists(path, a, b, out)
			return
		}
	}
	if !sameValue(a, b) {
		*out = append(*out, FieldDifference{Field: path, A: a, B: b, HasA: true, HasB: true})
	}
}

// diffMaps compares by key; at gives a key's path.
func diffMaps(at func(key string) string, a, b map[string]any, out *[]FieldDifference) {
	for _, k := range slices.Sorted(maps.Keys(a)) {
		if other, ok := b[k]; ok {
			diffValue(at(k), a[k], other, out)
		} else {
			*out = append(*out, FieldDifference{Field: at(k), A: a[k], HasA: true})
		}
	}
	for k, v := range b {
		if _, ok := a[k]; !ok {
			*out = append(*out, FieldDifference{Field: at(k), B: v, HasB: true})
		}
	}
}

// diffLists pairs items by name where all have one, else by place, after what both begin and end with: an item that is put in is then
// one difference and not the shift of all that follow.
func diffLists(path string, a, b []any, out *[]FieldDifference) {
	if na, nb := itemNames(a), itemNames(b); na != nil && nb != nil {
		diffMaps(func(name string) string { return path + "[name=" + name + "]" }, na, nb, out)
		return
	}
	first := 0
	for first < min(len(a), len(b)) && sameValue(a[first], b[first]) {
		first++
	}
	enda, endb := len(a), len(b)
	for enda > first && endb > first && sameValue(a[enda-1], b[endb-1]) {
		enda, endb = enda-1, endb-1
	}
	for i := first; i < max(enda, endb); i++ {
		at := path + "[" + strconv.Itoa(i) + "]"
		switch {
		case i >= enda:
			*out = append(*out, FieldDifference{Field: at, B: b[i], HasB: true})
		case i >= endb:
			*out = append(*out, FieldDifference{Field: at, A: a[i], HasA: true})
		default:
			diffValue(at, a[i], b[i], out)
		}
	}
}

// itemNames are the items by "name"; nil when one has none that a path can hold, or two have the same. An empty list has none to be known
// by either, and serves as both.
func itemNames(list []any) map[string]any {
	out := make(map[string]any, len(list))
	for _, it := range list {
		m, _ := it.(map[string]any)
		name, ok := m["name"].(string)
		if _, twice := out[name]; !ok || twice || strings.Contains(name, "]") {
			return nil
		}
		out[name] = it
	}
	return out
}

// FieldKey is the path of a key below a path.
func FieldKey(path, key string) string {
	switch {
	case key == "", key == "*", strings.ContainsAny(key, "./[]"):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// sameValue compares scalars and whole values; 1 and 1.0 are the same number however they were decoded.
func sameValue(a, b any) bool {
	if x, ok := asFloat(a); ok {
		if y, ok := asFloat(b); ok {
			return x == y
		}
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameValue)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	}
	return reflect.DeepEqual(a, b)
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}

// FieldStep is one part of a path: a key, or an item of a list.
type FieldStep struct {
	// Key is the key, or of an item its place, or its name when Named.
	Key   string
	Item  bool
	Named bool
	// Any is "*": every key, or every item.
	Any bool
}

// SplitField reads a path as DiffFields and people write it: "webhooks[*].clientConfig.caBundle", `metadata.annotations["a.b/c"]`. What it
// can't read stands for itself, as a key.
func SplitField(path string) []FieldStep {
	var steps []FieldStep
	for path != "" {
		if path[0] != '[' {
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			if end > 0 {
				steps = append(steps, FieldStep{Key: path[:end], Any: path[:end] == "*"})
			}
			path = strings.TrimPrefix(path[end:], ".")
			continue
		}
		if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
			key, _ := strconv.Unquote(quoted)
			steps = append(steps, FieldStep{Key: key})
			path = strings.TrimPrefix(strings.TrimPrefix(path[1+len(quoted):], "]"), ".")
			continue
		}
		inner, rest, _ := strings.Cut(path[1:], "]")
		name, named := strings.CutPrefix(inner, "name=")
		steps = append(steps, FieldStep{Key: name, Item: true, Named: named, Any: inner == "*"})
		path = strings.TrimPrefix(rest, ".")
	}
	return steps
}

// Matches reports whether a step means an item of a list, by its place and what it is.
func (s FieldStep) Matches(i int, item any) bool {
	if !s.Item {
		return false
	}
	if s.Any || (!s.Named && s.Key == strconv.Itoa(i)) {
		return true
	}
	m, _ := item.(map[string]any)
	return s.Named && m["name"] == s.Key
}

// WithoutField is a JSON value without the fields that a path means. The value itself is not changed.
func WithoutField(value any, path string) any { return without(value, SplitField(path)) }

func without(value any, steps []FieldStep) any {
	if len(steps) == 0 {
		return value
	}
	step, last := steps[0], len(steps) == 1
	switch v := value.(type) {
	case map[string]any:
		if step.Item {
			return value
		}
		out := maps.Clone(v)
		for k := range v {
			switch {
			case !step.Any && k != step.Key:
			case last:
				delete(out, k)
			default:
				out[k] = without(v[k], steps[1:])
			}
		}
		return out
	case []any:
		if !step.Item {
			return value
		}
		out := make([]any, 0, len(v))
		for i, it := range v {
			switch {
			case !step.Matches(i, it):
				out = append(out, it)
			case !last:
				out = append(out, without(it, steps[1:]))
			}
		}
		return out
	}
	return value
}

// FieldValue is the value of the one field that a path means; false when it is not there.
func FieldValue(value any, path string) (any, bool) {
	for _, step := range SplitField(path) {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[step.Key]
			if step.Item || !ok {
				return nil, false
			}
			value = inner
		case []any:
			at := 0
			for at < len(v) && !step.Matches(at, v[at]) {
				at++
			}
			if at == len(v) {
				return nil, false
			}
			value = v[at]
		default:
			return nil, false
		}
	}
	return value, true
}
