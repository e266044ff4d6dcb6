package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kiban.dev/kiban/lifecycle"
)

// shownRunes is how much of a value is shown on each side of a change.
const shownRunes = 120

// fieldChanges are what differs between an object as it is and as it will be, with who wrote what is there.
func fieldChanges(r lifecycle.ObjectRef, live *unstructured.Unstructured, from, to any) []lifecycle.FieldChange {
	var out []lifecycle.FieldChange
	writers := writersOf(live)
	for _, d := range lifecycle.DiffFields(from, to) {
		c := lifecycle.FieldChange{Field: d.Field}
		secret := isSecret(r) && holdsValues(d.Field)
		if d.HasA {
			c.From = show(d.Field, d.A, secret)
			c.By, c.At = writers.of(live.Object, d.Field)
		}
		if d.HasB {
			c.To = show(d.Field, d.B, secret)
		}
		out = append(out, c)
	}
	return out
}

// holdsValues reports whether a field of a Secret holds its values: in full, or in the copy that `kubectl apply` keeps.
func holdsValues(path string) bool {
	root, _, _ := strings.Cut(strings.ReplaceAll(path, "[", "."), ".")
	return root == "data" || root == "stringData" || strings.HasPrefix(path, "metadata.annotations") &&
		(path == "metadata.annotations" || strings.Contains(path, "last-applied-configuration"))
}

// show is a field's value as JSON, shortened, without what looks like a secret.
func show(field string, v any, secret bool) string {
	if secret {
		return lifecycle.Masked
	}
	v = lifecycle.MaskValue(field, v, lifecycle.SecretOfObject, lifecycle.Masked)
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	runes := []rune(strings.TrimSpace(b.String()))
	if len(runes) > shownRunes {
		return string(runes[:shownRunes-1]) + "…"
	}
	return string(runes)
}

// writer is a field manager other than kiban, and what it owns of an object.
type writer struct {
	name string
	at   metav1.Time
	set  *fieldpath.Set
}

type writers []writer

// writersOf are those that the object's managed fields name. What can't be read is passed over: it only tells who, not what.
func writersOf(u *unstructured.Unstructured) writers {
	var out writers
	for _, e := range u.GetManagedFields() {
		if e.Manager == manager || e.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if set.FromJSON(e.FieldsV1.GetRawReader()) != nil {
			continue
		}
		w := writer{name: e.Manager, set: set}
		if e.Time != nil {
			w.at = *e.Time
		}
		out = append(out, w)
	}
	return out
}
