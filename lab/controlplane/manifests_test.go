package controlplane_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lab/samples"
)

// written is a manifest as somebody wrote it into a file.
type written struct {
	name             string // of the object, and of its file
	apiVersion, kind string
	text             string // the whole file
	object           string // the object alone
	form             string
	junk             bool // made of a schema, so that its values are no sensible ones
}

// forms are ways to write the same object.
func forms() map[string]func(version, kind, name, body string) string {
	return map[string]func(version, kind, name, body string) string{
		"plain": object,
		"commented": func(v, k, n, b string) string {
			return "# apiVersion: example.org/v1 was before\n---\n# what it is\napiVersion: " + v + "   # the API\nkind: " + k +
				" # the kind\nmetadata:\n  # its name\n  name: " + n + "\n" + b
		},
		"double-quoted": func(v, k, n, b string) string { return object(`"`+v+`"`, `"`+k+`"`, n, b) },
		"single-quoted": func(v, k, n, b string) string { return object("'"+v+"'", "'"+k+"'", n, b) },
		"kind-first": func(v, k, n, b string) string {
			return "kind: " + k + "\n" + b + "metadata: {name: " + n + "}\napiVersion: " + v + "\n"
		},
		"second-document": func(v, k, n, b string) string {
			return object("v1", "ConfigMap", n+"-first", "data: {a: b}\n") + "---\n" + object(v, k, n, b)
		},
		"list": func(v, k, n, b string) string {
			return "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSuffix(object(v, k, n, b), "\n"), "\n", "\n  ") + "\n"
		},
		"json": func(v, k, n, b string) string {
			j, err := yaml.YAMLToJSON([]byte(object(v, k, n, b)))
			if err != nil {
				panic(err) // the samples are the test's own
			}
			return string(j)
		},
		"by-helm": func(v, k, n, b string) string {
			return "---\n# Source: web/templates/object.yaml\napiVersion: " + v + "\nkind: " + k + "\nmetadata:\n  name: " + n +
				"\n  labels:\n    app.kubernetes.io/managed-by: Helm\n    helm.sh/chart: web-1.0.0\n" + b
		},
		"windows": func(v, k, n, b string) string { return strings.ReplaceAll(object(v, k, n, b), "\n", "\r\n") },
	}
}

func object(version, kind, name, body string) string {
	return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n" + body
}

// manifests are all samples in all forms, and one object of each kind that Kubernetes' own schemas have.
func manifests(t *testing.T) []written {
	t.Helper()
	var out []written
	ways := forms()
	names := make([]string, 0, len(ways))
	for name := range ways {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, s := range samples.All() {
		for _, v := range s.Versions {
			for _, form := range names {
				name := fmt.Sprintf("m-%04d", len(out))
				out = append(out, written{name: name, apiVersion: v, kind: s.Kind, form: form, text: ways[form](v, s.Kind, name, s.Body),
					object: object(v, s.Kind, name, s.Body)})
			}
		}
	}
	for _, file := range schemas(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var o map[string]any
		if err := yaml.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("m-%04d", len(out))
		o["metadata"] = map[string]any{"name": name}
		delete(o, "status")
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		version, _ := o["apiVersion"].(string)
		kind, _ := o["kind"].(string)
		out = append(out, written{name: name, apiVersion: version, kind: kind, form: "schema", text: string(text), object: string(text),
			junk: true})
	}
	return out
}

// schemas are the objects that k8s.io/api brings for its own tests, of this release and those before it: one of each kind.
func schemas(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "*", "*.yaml"))
	if err != nil || len(found) == 0 {
		t.Fatalf("k8s.io/api brings no test data: %v", err)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(f string) bool {
		base := filepath.Base(f)
		again := seen[base] || strings.Contains(base, ".after_roundtrip.")
		seen[base] = true
		return again
	})
}
