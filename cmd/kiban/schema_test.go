package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle/explain"
)

// TestSchemaFile holds the schema that editors find in this repository to what kiban prints. UPDATE_CLI=1 writes it anew.
func TestSchemaFile(t *testing.T) {
	want, err := explain.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", filepath.FromSlash(explain.SchemaFile))
	if os.Getenv("UPDATE_CLI") != "" {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, want, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what kiban schema prints (%v): make generate", explain.SchemaFile, err)
	}
}

func compiled(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	text, err := explain.Schema(kind)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("kiban.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("kiban.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What kiban takes, an editor does not underline: every document of this repository's fleet, whole ones and patches.
func TestSchemaTakesTheFleet(t *testing.T) {
	s, seen := compiled(t, ""), 0
	for _, folder := range []string{"clusters", "overlays"} {
		err := filepath.WalkDir(filepath.Join("..", "..", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for dec := yaml.NewDecoder(bytes.NewReader(content)); ; {
				var doc any
				if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
				if m, ok := doc.(map[string]any); !ok || !strings.HasPrefix(text(m["apiVersion"]), "kiban.dev/") {
					continue
				}
				seen++
				if err := s.Validate(doc); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 15 {
		t.Errorf("only %d documents were looked at", seen)
	}
}

func text(v any) string { s, _ := v.(string); return s }

// What kiban refuses for its form, an editor underlines; what it takes in an unusual form, it does not.
func TestSchemaIsAsStrictAsKiban(t *testing.T) {
	for _, tt := range []struct{ kind, doc, wrong string }{
		{"Site", "spec: {upgrade: {workers: {maxUnavailable: 25%, canary: 0}}}", ""},
		{"Site", "spec: {upgrade: {workers: {maxUnavailable: 2}}, backup: {keepFor: 0, keep: '3'}}", ""},
		{"Site", "spec: {upgrade: {windows: [{days: [tuesday, Wed], start: '22:00', end: '24:00', timeZone: Asia/Tokyo}]}}", ""},
		{"Site", "spec:\nmetadata: {name: 4711}", ""},
		{"Site", "spec: {upgrade: {$patch: delete}}", ""},
		{"Site", "spec: {files: {/etc/x: {on: all, mode: '0640', content: 1, since: v1.36, restart: false}}}", ""},
		{"Site", "spec: {upgrade: {workers: {maxUnavaliable: 1}}}", "maxUnavaliable"},
		{"Site", "spec: {upgrade: {workers: {maxUnavailable: a few}}}", "maxUnavailable"},
		{"Site", "spec: {upgrade: {drain: {timeout: 10}}}", "timeout"},
		{"Site", "spec: {upgrade: {drain: {force: 'yes'}}}", "force"},
		{"Site", "spec: {upgrade: {path: [v1.36]}}", "path"},
		{"Site", "spec: {upgrade: {windows: [{start: 22h}]}}", "start"},
		{"Site", "spec: {api: {via: tunnel}}", "via"},
		{"Site", "spec: {provider: aws}", "provider"},
		{"Site", "spec: {files: {/etc/x: {on: none}}}", "on"},
		{"Site", "spec: {backup: {recipients: age1}}", "recipients"},
		{"Addon", "spec: {chart: {values: [1]}}", "values"},
		{"Addon", "spec: {secrets: [{name: x, keys: {a: {env: KIBAN_SECRET_A}}}]}", ""},
		{"Addon", "spec: {secrets: [{name: x, keys: {a: {envVar: A}}}]}", "envVar"},
		{"Tenant", "spec: {podSecurity: none}", "podSecurity"},
		{"Tenant", "spec: {network: {policy: open}, quota: {requests.cpu: 20}}", ""},
		{"Fleet", "spec: {signedReviews: true, hostFiles: [/etc/motd]}", ""},
		{"Fleet", "spec: {signedReview: true}", "signedReview"},
	} {
		var doc any
		if err := yaml.Unmarshal([]byte("apiVersion: kiban.dev/v1alpha1\nkind: "+tt.kind+"\n"+tt.doc), &doc); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"", tt.kind} {
			err := compiled(t, kind).Validate(doc)
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: %s: %v, want something about %q", tt.kind, tt.doc, err, tt.wrong)
			}
		}
	}
}
