package lifecycle

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func decode(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDiffFields(t *testing.T) {
	for name, tc := range map[string]struct{ a, b, want string }{
		"the same":            {`{"a":1,"b":[1,2]}`, `{"b":[1,2],"a":1.0}`, ""},
		"a value":             {`{"spec":{"replicas":2}}`, `{"spec":{"replicas":3}}`, "spec.replicas: 2 -> 3"},
		"keys sorted by path": {`{"b":1,"a":1}`, `{"b":2,"a":2}`, "a: 1 -> 2; b: 1 -> 2"},
		"a key that comes":    {`{}`, `{"a":{"b":1}}`, "a: - -> map[b:1]"},
		"a key that goes":     {`{"a":{"b":1}}`, `{}`, "a: map[b:1] -> -"},
		"null is a value":     {`{"a":null}`, `{"a":1}`, "a: <nil> -> 1"},
		"a key that needs quotes": {`{"metadata":{"annotations":{"a.b/c":"x"}}}`, `{"metadata":{"annotations":{"a.b/c":"y"}}}`,
			`metadata.annotations["a.b/c"]: x -> y`},
		"items by name": {`{"c":[{"name":"x","image":"1"},{"name":"y"}]}`, `{"c":[{"name":"y"},{"name":"x","image":"2"}]}`,
			"c[name=x].image: 1 -> 2"},
		"an item by name comes":      {`{"c":[]}`, `{"c":[{"name":"y"}]}`, "c[name=y]: - -> map[name:y]"},
		"items by place":             {`{"args":["a","b"]}`, `{"args":["a","c"]}`, "args[1]: b -> c"},
		"an item put in the middle":  {`{"args":["a","b"]}`, `{"args":["a","x","b"]}`, "args[1]: - -> x"},
		"an item taken from the end": {`{"args":["a","b"]}`, `{"args":["a"]}`, "args[1]: b -> -"},
		"names that are not unique": {`{"m":[{"name":"v","p":1},{"name":"v","p":2}]}`, `{"m":[{"name":"v","p":1},{"name":"v","p":3}]}`,
			"m[1].p: 2 -> 3"},
		"another type":                {`{"a":[1]}`, `{"a":{"b":1}}`, "a: [1] -> map[b:1]"},
		"a list in a list":            {`{"a":[[1,2]]}`, `{"a":[[1,3]]}`, "a[0][1]: 2 -> 3"},
		"a named item below a number": {`{"a":[{"c":[{"name":"n","v":1}]}]}`, `{"a":[{"c":[{"name":"n","v":2}]}]}`, "a[0].c[name=n].v: 1 -> 2"},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			for _, d := range DiffFields(decode(t, tc.a), decode(t, tc.b)) {
				from, to := "-", "-"
				if d.HasA {
					from = fmt.Sprint(d.A)
				}
				if d.HasB {
					to = fmt.Sprint(d.B)
				}
				lines = append(lines, d.Field+": "+from+" -> "+to)
			}
			if got := strings.Join(lines, "; "); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestWithoutField(t *testing.T) {
	const from = `{"data":{"a":"1","b.c/d":"2"},"webhooks":[{"name":"x","clientConfig":{"caBundle":"Q"}},{"name":"y","clientConfig":{"caBundle":"R","u":1}}]}`
	for path, want := range map[string]string{
		"data.a":                                 `{"data":{"b.c/d":"2"},"webhooks":[{"clientConfig":{"caBundle":"Q"},"name":"x"},{"clientConfig":{"caBundle":"R","u":1},"name":"y"}]}`,
		`data["b.c/d"]`:                          `{"data":{"a":"1"},"webhooks":[{"clientConfig":{"caBundle":"Q"},"name":"x"},{"clientConfig":{"caBundle":"R","u":1},"name":"y"}]}`,
		"data.*":                                 `{"data":{},"webhooks":[{"clientConfig":{"caBundle":"Q"},"name":"x"},{"clientConfig":{"caBundle":"R","u":1},"name":"y"}]}`,
		"webhooks":                               `{"data":{"a":"1","b.c/d":"2"}}`,
		"webhooks[0]":                            `{"data":{"a":"1","b.c/d":"2"},"webhooks":[{"clientConfig":{"caBundle":"R","u":1},"name":"y"}]}`,
		"webhooks.name":                          `{"data":{"a":"1","b.c/d":"2"},"webhooks":[{"clientConfig":{"caBundle":"Q"},"name":"x"},{"clientConfig":{"caBundle":"R","u":1},"name":"y"}]}`,
		"data.nothing.here":                      `{"data":{"a":"1","b.c/d":"2"},"webhooks":[{"clientConfig":{"caBundle":"Q"},"name":"x"},{"clientConfig":{"caBundle":"R","u":1},"name":"y"}]}`,
		"webhooks[*].clientConfig.caBundle":      `{"data":{"a":"1","b.c/d":"2"},"webhooks":[{"clientConfig":{},"name":"x"},{"clientConfig":{"u":1},"name":"y"}]}`,
		"webhooks[name=y].clientConfig.caBundle": `{"data":{"a":"1","b.c/d":"2"},"webhooks":[{"clientConfig":{"caBundle":"Q"},"name":"x"},{"clientConfig":{"u":1},"name":"y"}]}`,
	} {
		t.Run(path, func(t *testing.T) {
			whole := decode(t, from)
			got, err := json.Marshal(WithoutField(whole, path))
			if err != nil || string(got) != want {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
			if diffs := DiffFields(whole, decode(t, from)); len(diffs) > 0 {
				t.Errorf("the value itself was changed: %v", diffs)
			}
		})
	}
	if v, ok := FieldValue(decode(t, from), "webhooks[name=y].clientConfig.u"); !ok || v != 1.0 {
		t.Errorf("got %v, %v", v, ok)
	}
	if v, ok := FieldValue(decode(t, from), "webhooks[2].name"); ok {
		t.Errorf("got %v of an item that is not there", v)
	}
}

func TestDigestObject(t *testing.T) {
	object := func(kind, content string) Object {
		return Object{ObjectRef: ObjectRef{APIVersion: "v1", Kind: kind, Namespace: "shop", Name: "x"}, JSON: []byte(content)}
	}
	secret := object("Secret", `{"data":{"key":"YQ=="}}`)
	if a, b := DigestObject(secret, nil, nil), DigestObject(object("Secret", `{"data":{"key":"Yg=="}}`), nil, nil); a != b {
		t.Error("a secret value shows in a digest")
	}
	if a, b := DigestObject(secret, nil, nil), DigestObject(object("Secret", `{"data":{"other":"YQ=="}}`), nil, nil); a == b {
		t.Error("another key of a secret does not show")
	}
	one, two := object("ConfigMap", `{"data":{"id":"1","k":"v"}}`), object("ConfigMap", `{"data":{"k":"v","id":"2"}}`)
	if DigestObject(one, nil, nil) == DigestObject(two, nil, nil) {
		t.Error("another value does not show")
	}
	volatile := []FieldRef{{Object: one.ObjectRef, Field: "data.id"}}
	if DigestObject(one, volatile, nil) != DigestObject(two, volatile, nil) {
		t.Error("a volatile field shows")
	}
	for want, ignore := range map[bool]Ignore{true: {Kind: "ConfigMap", Fields: []string{"data.id"}},
		false: {Kind: "ConfigMap", Name: "y", Fields: []string{"data.id"}}} {
		if got := DigestObject(one, nil, []Ignore{ignore}) == DigestObject(two, nil, []Ignore{ignore}); got != want {
			t.Errorf("%+v: the same digest is %v, want %v", ignore, got, want)
		}
	}
}

// FuzzFields: every difference is found again by its path, and no path breaks what reads it.
func FuzzFields(f *testing.F) {
	f.Add(`{"a":[{"name":"x","v":1}],"b":{"c.d/e":2}}`, `{"a":[{"name":"x","v":2}],"b":{"c.d/e":3}}`, "a[name=x].v")
	f.Add(`{"":{"*":[1,[2]]}}`, `{"":{"*":[1,[3]]},"n":null}`, `["*"][*]`)
	f.Add(`[1,2,3]`, `[1,3]`, `["`)
	f.Fuzz(func(t *testing.T, first, second, path string) {
		var a, b any
		if json.Unmarshal([]byte(first), &a) != nil || json.Unmarshal([]byte(second), &b) != nil {
			return
		}
		for _, d := range DiffFields(a, b) {
			if v, ok := FieldValue(a, d.Field); d.HasA && (!ok || len(DiffFields(v, d.A)) > 0) {
				t.Errorf("%s of the first is %v, %v, not %v", d.Field, v, ok, d.A)
			}
			if v, ok := FieldValue(b, d.Field); d.HasB && !d.HasA && (!ok || len(DiffFields(v, d.B)) > 0) {
				t.Errorf("%s of the second is %v, %v, not %v", d.Field, v, ok, d.B)
			}
		}
		before, _ := json.Marshal(a)
		WithoutField(a, path)
		if after, _ := json.Marshal(a); string(after) != string(before) {
			t.Errorf("removing %q changed the value itself", path)
		}
	})
}
