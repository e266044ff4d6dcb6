package overlay

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/openapi"
)

var update = flag.Bool("update", false, "write goldens and generated files")

// The schemas of kustomize are global to a process, so what a fresh process has must be seen in one: the test binary runs itself.
const childMode = "KIBAN_OVERLAY_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMode) == "" {
		os.Exit(m.Run())
	}
	if err := json.NewEncoder(os.Stdout).Encode(openapi.Schema()); err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}

// builtinSchema is the schema of a process that has registered none.
func builtinSchema(t *testing.T) []byte {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childMode+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// clusterDefinition makes hosts of a Cluster merge by hostname.
const clusterDefinition = `{
	"x-kubernetes-group-version-kind": [{"group": "k0sctl.k0sproject.io", "version": "v1beta1", "kind": "Cluster"}],
	"properties": {"spec": {"properties": {"hosts": {"x-kubernetes-patch-merge-key": "hostname", "x-kubernetes-patch-strategy": "merge"}}}}}`

// The lists of kiban's own documents that merge by name.
const (
	addonDefinition = `{
	"x-kubernetes-group-version-kind": [{"group": "kiban.dev", "version": "v1alpha1", "kind": "Addon"}],
	"properties": {"spec": {"properties": {"secrets": {"x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}}}`
	tenantDefinition = `{
	"x-kubernetes-group-version-kind": [{"group": "kiban.dev", "version": "v1alpha1", "kind": "Tenant"}],
	"properties": {"spec": {"properties": {"namespaces": {"x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}}}`
)

// TestSchemaIsCurrent derives schema.json from kustomize's built-in schema: only what decides how lists merge is kept. A build with
// a schema of its own does without the built-in one, and a patch of a Deployment would then replace its containers.
func TestSchemaIsCurrent(t *testing.T) {
	var builtin struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(builtinSchema(t), &builtin); err != nil {
		t.Fatal(err)
	}
	definitions := pruneSchema(builtin.Definitions)
	for name, text := range map[string]string{
		"io.k0sproject.k0sctl.v1beta1.Cluster": clusterDefinition, "dev.kiban.v1alpha1.Addon": addonDefinition,
		"dev.kiban.v1alpha1.Tenant": tenantDefinition,
	} {
		var definition any
		if err := json.Unmarshal([]byte(text), &definition); err != nil {
			t.Fatal(err)
		}
		definitions[name] = definition
	}
	want := printSchema(t, definitions)
	base := filepath.Join("..", "..", "..", "clusters", "base", "schema.json")
	for _, file := range []string{"schema.json", base} {
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the built-in schema gives; run: go test ./lifecycle/site/overlay -run TestSchemaIsCurrent -update", file)
		}
	}
}

// printSchema prints one definition a line: few enough lines to browse, and a change shows where it is.
func printSchema(t *testing.T, definitions map[string]any) []byte {
	t.Helper()
	names := make(map[string]json.RawMessage, len(definitions))
	for name, d := range definitions {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		names[name] = b
	}
	b, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.NewReplacer(`},"io.k`, "},\n\"io.k", `},"dev.k`, "},\n\"dev.k").Replace(string(b))
	return []byte("{\"definitions\":" + lines + "}\n")
}

// mergeMarks are the extensions that say how a list merges; mergeKeys are those that make a definition worth keeping.
var (
	mergeMarks = []string{"x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key", "x-kubernetes-list-map-keys"}
	mergeKeys  = mergeMarks[:2]
)

func pruneSchema(all map[string]map[string]any) map[string]any {
	keep := map[string]bool{}
	for changed := true; changed; {
		changed = false
		for name, d := range all {
			if !keep[name] && !strings.HasSuffix(name, "List") && !strings.HasSuffix(name, ".Kustomization") && leadsToList(d, keep) {
				keep[name], changed = true, true
			}
		}
	}
	out := map[string]any{}
	for name := range keep {
		pruned := prune(all[name], keep)
		if gvk, ok := all[name]["x-kubernetes-group-version-kind"]; ok {
			pruned["x-kubernetes-group-version-kind"] = gvk
		}
		out[name] = pruned
	}
	return out
}

// parts are the schemas directly below one.
func parts(s map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, field := range []string{"items", "additionalProperties"} {
		if sub, ok := s[field].(map[string]any); ok {
			out[field] = sub
		}
	}
	if properties, ok := s["properties"].(map[string]any); ok {
		for name, sub := range properties {
			if m, ok := sub.(map[string]any); ok {
				out["properties/"+name] = m
			}
		}
	}
	return out
}

func reference(s map[string]any) string {
	ref, _ := s["$ref"].(string)
	return strings.TrimPrefix(ref, "#/definitions/")
}

func leadsToList(s map[string]any, keep map[string]bool) bool {
	for _, key := range mergeKeys {
		if _, ok := s[key]; ok {
			return true
		}
	}
	if keep[reference(s)] {
		return true
	}
	for _, sub := range parts(s) {
		if leadsToList(sub, keep) {
			return true
		}
	}
	return false
}

func prune(s map[string]any, keep map[string]bool) map[string]any {
	out := map[string]any{}
	for _, key := range mergeMarks {
		if v, ok := s[key]; ok {
			out[key] = v
		}
	}
	if ref := reference(s); keep[ref] {
		out["$ref"] = s["$ref"]
	}
	properties := map[string]any{}
	for name, sub := range parts(s) {
		pruned := prune(sub, keep)
		if len(pruned) == 0 {
			continue
		}
		if property, ok := strings.CutPrefix(name, "properties/"); ok {
			properties[property] = pruned
		} else {
			out[name] = pruned
		}
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	return out
}
