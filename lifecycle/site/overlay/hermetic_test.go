package overlay

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const siteYAML = "apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata: {name: tokyo}\n"

// fleetOf writes a fleet: files by their names, and links as "name -> where".
func fleetOf(t testing.TB, files map[string]string) string {
	t.Helper()
	fleet := t.TempDir()
	for name, content := range files {
		file := filepath.Join(fleet, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if to, link := strings.CutPrefix(content, "-> "); link {
			if err := os.Symlink(to, file); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return fleet
}

// TestA8_NothingIsFetched: kustomize takes a path for a URL before it looks whether there is such a file. A folder can have the name of a
// URL, and then another document would be built than was checked.
func TestA8_NothingIsFetched(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fetched}\n")
	}))
	defer server.Close()
	url, local := server.URL+"/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: local}\n"
	folder := strings.Replace(url, "://", ":/", 1) // what a URL is as a path
	for name, kustomization := range map[string]string{
		"resources":                    "resources: [site.yaml, 'URL']",
		"resources with one slash":     "resources: [site.yaml, 'FOLDER']",
		"resources in capitals":        "resources: [site.yaml, 'UPPER']",
		"bases":                        "resources: [site.yaml]\nbases: ['URL']",
		"components":                   "resources: [site.yaml]\ncomponents: ['URL']",
		"crds":                         "resources: [site.yaml]\ncrds: ['URL']",
		"configurations":               "resources: [site.yaml]\nconfigurations: ['URL']",
		"replacements":                 "resources: [site.yaml]\nreplacements: [{path: 'URL'}]",
		"replacements in another case": "resources: [site.yaml]\nreplacements: [{Path: 'URL'}]",
		"replacements by a merge":      "resources: [site.yaml]\nmetadata: {annotations: &a {path: 'URL'}}\nreplacements: [{<<: *a}]",
		"replacements by merges":       "resources: [site.yaml]\nmetadata: {annotations: &a {path: 'URL'}}\nreplacements: [{<<: [*a]}]",
		"patches":                      "resources: [site.yaml]\npatches: [{path: 'URL', target: {kind: Site}}]",
		"patches by merge":             "resources: [site.yaml]\npatchesStrategicMerge: ['URL']",
		"patches of JSON": "resources: [site.yaml]\npatchesJson6902: [{path: 'URL', target: {version: v1, kind: Site, name: " +
			"x}}]",
		"sources of a generator":         "resources: [site.yaml]\nconfigMapGenerator: [{name: x, files: ['URL']}]",
		"sources with a key":             "resources: [site.yaml]\nconfigMapGenerator: [{name: x, files: ['key=URL']}]",
		"sources in another case":        "resources: [site.yaml]\nconfigMapGenerator: [{name: x, FILES: ['URL']}]",
		"environments of a generator":    "resources: [site.yaml]\nconfigMapGenerator: [{name: x, envs: ['URL']}]",
		"the environment of a generator": "resources: [site.yaml]\nsecretGenerator: [{name: x, env: 'URL'}]",
		"a schema":                       "resources: [site.yaml]\nopenapi: {path: 'FOLDER'}",
		"transformers":                   "resources: [site.yaml]\ntransformers: ['URL']",
		"a transformer's patch": "resources: [site.yaml]\ntransformers: [\"apiVersion: builtin\\nkind: PatchTransformer\\nmetadata: " +
			"{name: x}\\npath: 'URL'\\n\"]",
		"a transformer's patches": "resources: [site.yaml]\ntransformers: [\"apiVersion: builtin\\nkind: " +
			"PatchStrategicMergeTransformer\\nmetadata: {name: x}\\npaths: ['URL']\\n\"]",
		"a transformer's replacement": "resources: [site.yaml]\ntransformers: [\"apiVersion: builtin\\nkind: " +
			"ReplacementTransformer\\nmetadata: {name: x}\\nreplacements: [{path: 'URL'}]\\n\"]",
		"a transformer's targets": "resources: [site.yaml]\ntransformers: [\"apiVersion: builtin\\nkind: " +
			"ValueAddTransformer\\nmetadata: {name: x}\\nvalue: a\\ntargetFilePath: 'URL'\\n\"]",
		"written in another form":           "resources: [site.yaml, !!binary BINARY]",
		"a repository":                      "resources: [site.yaml, github.com/example/x]",
		"a repository by SSH":               "resources: [site.yaml, 'git@127.0.0.1:example/x.git']",
		"a repository in the fleet's place": "resources: [site.yaml, 'file:///etc']",
	} {
		t.Run(name, func(t *testing.T) {
			binary := "aHR0cDovLzEyNy4wLjAuMS94LnlhbWw="
			files := map[string]string{"overlays/tokyo/site.yaml": siteYAML, "overlays/tokyo/" + folder: local, "overlays/tokyo/" + binary: local,
				"overlays/tokyo/github.com/example/x/kustomization.yaml": "resources: [x.yaml]", "overlays/tokyo/github.com/example/x/x.yaml": local,
				"overlays/tokyo/kustomization.yaml": strings.NewReplacer("URL", url, "FOLDER", folder, "UPPER", strings.Replace(url, "http", "HTTP", 1),
					"BINARY", binary).Replace(kustomization) + "\n"}
			fleet := fleetOf(t, files)
			tree := Read(filepath.Join(fleet, "overlays", "tokyo"))
			ds := tree.Diagnostics()
			if ds.Err() == nil {
				built, more := tree.Build(t.Context())
				t.Errorf("nothing is found; the build: %s %v", built.All, more)
			}
			if asked.Load() > 0 {
				t.Error("the server was asked")
			}
			for _, d := range ds {
				if !strings.Contains(d.Subject, "kustomization.yaml:") || d.Hint == "" {
					t.Errorf("without a line or a hint: %+v", d)
				}
			}
		})
	}
}

// TestA8_LinksAreFollowedFirst: what a link leads to is judged, not its name.
func TestA8_LinksAreFollowedFirst(t *testing.T) {
	outside := t.TempDir()
	for name, content := range map[string]string{"secret.yaml": siteYAML, "kustomization.yaml": "resources: [secret.yaml]\n"} {
		if err := os.WriteFile(filepath.Join(outside, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, files := range map[string]map[string]string{
		"a file": {"overlays/tokyo/kustomization.yaml": "resources: [x.yaml]\n",
			"overlays/tokyo/x.yaml": "-> " + outside + "/secret.yaml"},
		"a folder":    {"overlays/tokyo/kustomization.yaml": "resources: [x]\n", "overlays/tokyo/x": "-> " + outside},
		"a component": {"overlays/tokyo/kustomization.yaml": "components: [x]\n", "overlays/tokyo/x": "-> " + outside},
		"a patch": {"overlays/tokyo/kustomization.yaml": "patches: [{path: x.yaml}]\n",
			"overlays/tokyo/x.yaml": "-> " + outside + "/secret.yaml"},
		"a generator's source": {"overlays/tokyo/kustomization.yaml": "configMapGenerator: [{name: a, files: [x]}]\n",
			"overlays/tokyo/x": "-> " + outside + "/secret.yaml"},
		"the kustomization":      {"overlays/tokyo/kustomization.yaml": "-> " + outside + "/kustomization.yaml"},
		"the overlay":            {"overlays/tokyo": "-> " + outside},
		"a path":                 {"overlays/tokyo/kustomization.yaml": "resources: ['../../../" + filepath.Base(outside) + "']\n"},
		"an absolute path":       {"overlays/tokyo/kustomization.yaml": "resources: ['" + outside + "/secret.yaml']\n"},
		"a file that never ends": {"overlays/tokyo/kustomization.yaml": "resources: [x.yaml]\n", "overlays/tokyo/x.yaml": "-> /dev/zero"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := Read(filepath.Join(fleetOf(t, files), "overlays", "tokyo"))
			if tree.Diagnostics().Err() == nil {
				built, ds := tree.Build(t.Context())
				t.Errorf("it is read: %s %v", built.All, ds)
			}
		})
	}
	inside := fleetOf(t, map[string]string{"overlays/tokyo/kustomization.yaml": "resources: [base, own.yaml]\n",
		"overlays/tokyo/base":     "-> ../../clusters/base",
		"overlays/tokyo/own.yaml": "-> real.yaml", "overlays/tokyo/real.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n",
		"clusters/base/kustomization.yaml": "resources: [../deep]\n", "clusters/deep/kustomization.yaml": "resources: [site.yaml]\n",
		"clusters/deep/site.yaml": siteYAML})
	tree := Read(filepath.Join(inside, "overlays", "tokyo"))
	built, ds := tree.Build(t.Context())
	if ds = append(ds, tree.Diagnostics()...); len(ds) > 0 || !bytes.Contains(built.All, []byte("name: own")) || !bytes.Contains(built.All,
		[]byte("name: tokyo")) {
		t.Errorf("links within the fleet: %v\n%s", ds, built.All)
	}
}

// bomb is YAML whose aliases stand for aliases, ten of them a level.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nl0: &l0 [a,a,a,a,a,a,a,a,a,a]\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "l%[1]d: &l%[1]d [%[2]s*l%[3]d]\n", i, strings.Repeat(fmt.Sprintf("*l%d,", i-1), 9), i-1)
	}
	return b.String()
}

// TestA9_AliasesHaveABudget: a few lines of aliases of aliases are told within a second, wherever kustomize would parse them.
func TestA9_AliasesHaveABudget(t *testing.T) {
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(bomb(8)), "\n", "\n    ")
	for name, files := range map[string]map[string]string{
		"a resource":        {"kustomization.yaml": "resources: [site.yaml, x.yaml]", "x.yaml": bomb(6)},
		"seven levels":      {"kustomization.yaml": "resources: [site.yaml, x.yaml]", "x.yaml": bomb(7)},
		"forty levels":      {"kustomization.yaml": "resources: [site.yaml, x.yaml]", "x.yaml": bomb(40)},
		"the kustomization": {"kustomization.yaml": "resources: [site.yaml]\nmetadata:\n  annotations:\n" + indented},
		"a patch":           {"kustomization.yaml": "resources: [site.yaml]\npatches: [{path: x.yaml}]", "x.yaml": bomb(7)},
		"an inline patch":   {"kustomization.yaml": "resources: [site.yaml]\npatches:\n- patch: |\n" + indented},
		"a transformer":     {"kustomization.yaml": "resources: [site.yaml]\ntransformers:\n- |\n" + indented},
		"configurations":    {"kustomization.yaml": "resources: [site.yaml]\nconfigurations: [x.yaml]", "x.yaml": bomb(7)},
		"definitions":       {"kustomization.yaml": "resources: [site.yaml]\ncrds: [x.yaml]", "x.yaml": bomb(7)},
		"replacements":      {"kustomization.yaml": "resources: [site.yaml]\nreplacements: [{path: x.yaml}]", "x.yaml": bomb(7)},
		"one that is its own part": {"kustomization.yaml": "resources: [site.yaml, x.yaml]",
			"x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: &a {x: [*a]}\n"},
		"long text": {"kustomization.yaml": "resources: [site.yaml, x.yaml]", "x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " +
			"x}\na: &a " +
			strings.Repeat("a", 100_000) + "\nb: [" + strings.Repeat("*a,", 5000) + "*a]\n"},
		"many documents": {"kustomization.yaml": "resources: [site.yaml, x.yaml]", "x.yaml": strings.Repeat(bomb(3)+"---\n", 300)},
	} {
		t.Run(name, func(t *testing.T) {
			in := map[string]string{"overlays/tokyo/site.yaml": siteYAML}
			for file, content := range files {
				in["overlays/tokyo/"+file] = content
			}
			begun := time.Now()
			ds := Read(filepath.Join(fleetOf(t, in), "overlays", "tokyo")).Diagnostics()
			if ds.Err() == nil || ds[0].Hint == "" || !strings.Contains(ds[0].Subject, ":") {
				t.Errorf("found %v", ds)
			}
			if took := time.Since(begun); took > time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
	var hosts strings.Builder
	hosts.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndefaults: &d {a: 1, b: 2, c: 3, d: 4, e: 5, f: [1, 2, " +
		"3]}\nhosts:\n")
	for i := range 3000 {
		fmt.Fprintf(&hosts, "- {<<: *d, name: h%d}\n", i)
	}
	if _, err := ParseYAML([]byte(hosts.String())); err != nil {
		t.Errorf("a base for many hosts: %v", err)
	}
}

// TestA9_ABuildCanBeLeft: kustomize knows no context; whoever is told to stop does not wait for it.
func TestA9_ABuildCanBeLeft(t *testing.T) {
	fleet := fleetOf(t, map[string]string{"overlays/tokyo/site.yaml": siteYAML, "overlays/tokyo/kustomization.yaml": "resources: " +
		"[site.yaml]\n"})
	kustomize.build.Lock() // as a build that goes on and on
	defer kustomize.build.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, ds := Read(filepath.Join(fleet, "overlays", "tokyo")).Build(ctx); ds.Err() == nil {
		t.Error("it is built")
	}
}

// TestCopiesInPatchesAreBounded: each copy may double a document.
func TestCopiesInPatchesAreBounded(t *testing.T) {
	patch := "- op: add\n  path: /data\n  value: {a: b}\n"
	for i := range 22 {
		patch += fmt.Sprintf("- {op: copy, from: /data, path: /data/x%d}\n", i)
	}
	fleet := fleetOf(t, map[string]string{"overlays/tokyo/site.yaml": siteYAML, "overlays/tokyo/patch.yaml": patch,
		"overlays/tokyo/kustomization.yaml": "resources: [site.yaml]\npatches: [{path: patch.yaml, target: {kind: Site}}]\n"})
	if _, ds := Read(filepath.Join(fleet, "overlays", "tokyo")).Build(t.Context()); ds.Err() == nil {
		t.Error("it is built")
	}
}
