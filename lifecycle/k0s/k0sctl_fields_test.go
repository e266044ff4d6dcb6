package k0s

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
	"gopkg.in/yaml.v2"
)

// The list of what may be written in a k0sctl document is k0sctl's own: a new version's new field is decided on before it is taken in.
// Package main imports a document with each of them.
func TestFieldsOfK0sctlAreListed(t *testing.T) {
	var fields []string
	opaque := map[string]bool{"spec.k0s.version": true, "spec.k0s.config": true, "spec.hosts.hooks": true, "spec.hosts.environment": true,
		"spec.hosts.ssh.options": true, "spec.hosts.winRM": true, "spec.hosts.openSSH": true, "spec.hosts.localhost": true,
		"spec.hosts.ssh.bastion": true}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || opaque[path] {
			fields = append(fields, path)
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, rest, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case !f.IsExported() || name == "-":
			case rest == "inline" || strings.Contains(rest, "inline"):
				walk(path, f.Type)
			default:
				walk(strings.TrimPrefix(path+"."+name, "."), f.Type)
			}
		}
	}
	walk("", reflect.TypeFor[v1beta1.Cluster]())
	slices.Sort(fields)
	got := strings.Join(slices.Compact(fields), "\n") + "\n"
	const file = "testdata/k0sctl_fields.txt"
	if os.Getenv("UPDATE_FIELDS") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || got != string(want) {
		t.Errorf("k0sctl takes other fields than %s lists (UPDATE_FIELDS=1 writes it; then give each new one a case in cmd/kiban): %v\n%s",
			file, err, got)
	}
}

// What a place takes is what k0sctl's own strict reading takes there: a name that Fields does not have is refused, and none that it has is.
func TestFieldsAreWhatStrictReadingTakes(t *testing.T) {
	for path, names := range map[string]string{
		"":                     "apiVersion kind metadata spec",
		"metadata":             "name user",
		"spec":                 "hosts k0s options",
		"spec hosts":           "",
		"spec k0s":             "version versionChannel dynamicConfig config",
		"spec k0s version":     "",
		"spec k0s config":      "",
		"spec k0s config spec": "",
		"spec options drain": "enabled gracePeriod timeout force ignoreDaemonSets deleteEmptyDirData podSelector " +
			"skipWaitForDeleteTimeout",
		"spec hosts [hostname=w-1]": "ssh winRM openSSH localhost role reset privateInterface privateAddress dataDir kubeletRootDir " +
			"environment uploadBinary useExistingK0s k0sBinaryPath k0sInstallPath k0sDownloadURL installFlags files os hostname noTaints hooks",
		"spec hosts [hostname=w-1] ssh":                 "address user port keyPath bastion options",
		"spec hosts [hostname=w-1] ssh bastion bastion": "address user port keyPath bastion options",
		"spec hosts [hostname=w-1] ssh options":         "",
		"spec hosts [0] openSSH":                        "address user port keyPath configPath options disableMultiplexing",
		"spec hosts [0] localhost":                      "",
		"spec hosts [0] environment":                    "",
		"spec hosts [0] hooks":                          "",
		"spec hosts [0] files [0]":                      "name src data dstDir dst perm dirPerm user group",
		"spec hosts [0] installFlags [0]":               "",
		"nothing of the kind":                           "",
	} {
		steps := strings.Fields(path)
		if got := strings.Join(Fields(steps), " "); got != names {
			t.Errorf("%s: %q, want %q", path, got, names)
		}
		if names == "" {
			continue
		}
		for _, name := range append(strings.Fields(names), "nobodysField") {
			doc := any(map[string]any{name: nil})
			for _, step := range slices.Backward(steps) {
				if strings.HasPrefix(step, "[") {
					doc = []any{doc}
				} else {
					doc = map[string]any{step: doc}
				}
			}
			b, err := yaml.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decode(b); (err != nil && strings.Contains(err.Error(), "not found in type")) != (name == "nobodysField") {
				t.Errorf("%s %s: %v", path, name, err)
			}
		}
	}
}

// What a document asks of k0sctl itself, and kiban does by the Site, is named.
func TestOptionsOfK0sctlAreNamed(t *testing.T) {
	for options, want := range map[string]string{
		"{}": "", "{wait: {enabled: true}}": "", "{wait: {enabled: false}}": "wait.enabled",
		"{drain: {timeout: 5m, force: true}}": "", "{drain: {timeout: 6m, podSelector: a=b}}": "drain.podSelector drain.timeout",
		"{concurrency: {limit: 30, workerDisruptionPercent: 50}}": "", "{concurrency: {uploads: 1}}": "concurrency.uploads",
		"{evictTaint: {enabled: true, taint: 'a=b:NoExecute'}}": "evictTaint.enabled evictTaint.taint",
	} {
		c, err := decode([]byte("spec: {options: " + options + "}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(unusedOptions(c.Spec.Options), " "); got != want {
			t.Errorf("%s: %q, want %q", options, got, want)
		}
	}
}
