package main

import (
	"slices"
	"testing"
)

func TestDifferences(t *testing.T) {
	before := map[string]string{"a": `{"x":1,"metadata":{"uid":"1"}}`, "b": `{"x":1}`, "c": `{"x":1}`,
		"owned":    `{"metadata":{"uid":"2","ownerReferences":[{"uid":"1"}]}}`,
		"orphaned": `{"metadata":{"uid":"3","ownerReferences":[{"uid":"9"}]}}`}
	missing, changed, err := differences(before, map[string]string{"a": `{"x":1,"y":2,"metadata":{"uid":"1"}}`, "b": `{"x":2}`, "d": `{}`})
	if err != nil || !slices.Equal(missing, []string{"c", "owned"}) || len(changed) != 1 ||
		!slices.Equal(changed["b"], []string{".x: 1, 2"}) {
		t.Errorf("missing %q, changed %q, %v", missing, changed, err)
	}
	got, err := apart(`{"spec":{"a":1,"b":[{"c":true}],"d":"x"}}`, `{"spec":{"a":2,"b":[{"c":true},{"c":false}]}}`)
	want := []string{".spec.a: 1, 2", ".spec.d: x, none"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}
