package lifecycle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"strings"
)

// Digest identifies a content, "sha256:<hex>".
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return digestPrefix + hex.EncodeToString(sum[:])
}

// DigestOf is the Digest of what a SHA-256 hash was given.
func DigestOf(sum hash.Hash) string { return digestPrefix + hex.EncodeToString(sum.Sum(nil)) }

const digestPrefix = "sha256:"

// DigestFromHex is the Digest whose hexadecimal digits are known, from a file of checksums or from a machine; "" of none.
func DigestFromHex(digits string) string {
	if digits == "" {
		return ""
	}
	return digestPrefix + digits
}

// DigestHex are the hexadecimal digits of a digest, also of one that is written without its prefix.
func DigestHex(digest string) string { return strings.TrimPrefix(digest, digestPrefix) }

// DigestObject identifies what is declared of an object, "sha256:<hex>": its JSON without the values of a Secret and without the fields
// that are not compared. What is no JSON is taken as it is.
func DigestObject(o Object, volatile []FieldRef, ignore []Ignore) string {
	content := o.JSON
	var value any
	decoder := json.NewDecoder(bytes.NewReader(o.JSON))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err == nil {
		value = withoutSecrets(o.ObjectRef, value)
		for _, path := range NotCompared(o.ObjectRef, volatile, ignore) {
			value = WithoutField(value, path)
		}
		if b, err := json.Marshal(value); err == nil {
			content = b
		}
	}
	return Digest(content)
}

// withoutSecrets keeps the keys of a Secret and drops its values, so that a digest tells nothing about them.
func withoutSecrets(r ObjectRef, value any) any {
	m, ok := value.(map[string]any)
	if !ok || r.Kind != "Secret" || r.Group() != "" {
		return value
	}
	out := maps.Clone(m)
	for _, field := range []string{"data", "stringData"} {
		values, ok := m[field].(map[string]any)
		if !ok {
			continue
		}
		masked := make(map[string]any, len(values))
		for k := range values {
			masked[k] = ""
		}
		out[field] = masked
	}
	return out
}

// NotCompared are the paths of an object's fields that are not compared: those that differ at each rendering, and those that the
// addon says so of.
func NotCompared(r ObjectRef, volatile []FieldRef, ignore []Ignore) []string {
	var paths []string
	for _, v := range volatile {
		if v.Object.Same(r) {
			paths = append(paths, v.Field)
		}
	}
	for _, i := range ignore {
		if i.Kind == r.Kind && (i.Name == "" || i.Name == r.Name) {
			paths = append(paths, i.Fields...)
		}
	}
	return paths
}
