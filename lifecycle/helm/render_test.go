package helm

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func site(dir string) lifecycle.Site {
	return lifecycle.Site{Name: "test", Dir: dir, Cluster: lifecycle.Cluster{Version: lifecycle.Version{Major: 1, Minor: 36, Patch: 3}}}
}

// gateAddon is an addon of the gate chart in a folder of its own.
func gateAddon(t *testing.T, values string, change func(files map[string]string)) (string, lifecycle.Addon) {
	dir, files := t.TempDir(), gateFiles("1.0.0")
	if change != nil {
		change(files)
	}
	for name, content := range files {
		write(t, filepath.Join(dir, "gate", name), content)
	}
	c := gate(".", "1.0.0")
	c.Values = []byte(values)
	return dir, lifecycle.Addon{Name: "door", Namespace: "gates", Chart: &c, Source: "addons.yaml:3", Timeout: time.Minute}
}

func names(objects []lifecycle.Object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, o.String())
	}
	return out
}

func TestRender(t *testing.T) {
	dir, a := gateAddon(t, `{"replicas":2}`, nil)
	caps := lifecycle.Capabilities{Kubernetes: "v1.36.3+k0s", APIs: []string{"v1", "apps/v1", "gate.example/v1"}}
	r, err := testStore(StoreOptions{}).Render(context.Background(), site(dir), a, caps)
	if err != nil {
		t.Fatal(err)
	}
	// In Helm's order; a list stands where Helm would put it: behind all that it knows.
	want := []string{"ConfigMap state", "Deployment door", "ValidatingWebhookConfiguration gate", "ServiceAccount gate",
		"Secret elsewhere/token", "Rule first"}
	if got := names(r.Objects); !slices.Equal(got, want) {
		t.Errorf("objects %q", got)
	}
	for _, o := range r.Objects {
		wants(t, string(o.JSON), `"app.kubernetes.io/managed-by":"Helm"`, `"meta.helm.sh/release-name":"door"`,
			`"meta.helm.sh/release-namespace":"gates"`)
	}
	wants(t, string(r.Objects[0].JSON), `"app":"gate"`, `"kubernetes":"v1.36.3+k0s"`)
	wants(t, string(r.Objects[1].JSON), `"replicas":2`)
	if got := names(r.CRDs); !slices.Equal(got, []string{"CustomResourceDefinition rules.gate.example"}) {
		t.Errorf("definitions %q", got)
	}
	if strings.Contains(string(r.CRDs[0].JSON), "managed-by") {
		t.Error("Helm puts no labels on what is in crds/")
	}
	if len(r.Hooks) != 1 || r.Hooks[0].String() != "Job gates/init" ||
		!slices.Equal(r.Hooks[0].When, []string{"pre-install", "pre-upgrade"}) || r.Hooks[0].Digest == "" {
		t.Errorf("hooks %+v", r.Hooks)
	}
	if want := []string{"registry.example/gate:1", "registry.example/init:3", "registry.example/wait:2"}; !slices.Equal(r.Images, want) {
		t.Errorf("images %q", r.Images)
	}
	if r.AppVersion != "v9" || !strings.HasPrefix(r.Digest, "sha256:") || r.Objects[0].Source != "chart gate-1.0.0.tgz" {
		t.Errorf("%s %s %s", r.AppVersion, r.Digest, r.Objects[0].Source)
	}
	var volatile []string
	for _, v := range r.Volatile {
		volatile = append(volatile, v.Object.String()+" "+v.Field)
	}
	if want := []string{"ConfigMap state data.install_time", "Deployment door spec.template.metadata.annotations[\"checksum/config\"]",
		"Deployment door spec.template.spec.containers[name=gate].env[name=REVISION].value"}; !slices.Equal(volatile, want) {
		t.Errorf("volatile %q", volatile)
	}
}

func TestRenderWithoutACluster(t *testing.T) {
	dir, a := gateAddon(t, "", nil)
	r, err := testStore(StoreOptions{}).Render(context.Background(), site(dir), a, lifecycle.Capabilities{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(names(r.Objects), "Rule first") {
		t.Error("a plain cluster has no gate.example/v1")
	}
	wants(t, string(r.Objects[0].JSON), `"kubernetes":"v1.36.3"`)
}

// TestKubeVersionIsKnown: the range that a chart says it is made for is known of one that fits, and of one that does not.
func TestKubeVersionIsKnown(t *testing.T) {
	dir, a := gateAddon(t, "", nil)
	for _, version := range []string{"v1.36.3", "v1.29.1"} {
		r, _ := testStore(StoreOptions{}).Render(context.Background(), site(dir), a, lifecycle.Capabilities{Kubernetes: version})
		if r.KubeVersion != ">= 1.30.0-0" || r.AppVersion != "v9" {
			t.Errorf("%s: made for %q, installs %q", version, r.KubeVersion, r.AppVersion)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		values string
		change func(map[string]string)
		caps   lifecycle.Capabilities
		want   []string
	}{
		"schema": {values: `{"replicas":"two","image":"SECRET!","ports":{"http/alt":"x"}}`,
			want: []string{"values of addon door: replicas: got string, want integer", "image: the value does not match pattern",
				`ports["http/alt"]: got string`}},
		"version": {caps: lifecycle.Capabilities{Kubernetes: "v1.29.1-eks-abc"}, want: []string{"not made for Kubernetes v1.29.1", ">= 1.30"}},
		"dependency": {values: `{"extra":{"enabled":true}}`, change: dependency,
			want: []string{"lacks charts that it depends on", "extra 1.0.0"}},
		"template": {change: func(f map[string]string) { f["templates/a.yaml"] = `{{ fail "give me a password" }}` },
			want: []string{"give me a password"}},
		"no yaml": {change: func(f map[string]string) { f["templates/a.yaml"] = "a: [" },
			want: []string{"renders to what is no YAML", "a.yaml"}},
		"no object": {change: func(f map[string]string) { f["templates/a.yaml"] = "a: b" }, want: []string{"no Kubernetes object"}},
		"library":   {change: func(f map[string]string) { f["Chart.yaml"] += "type: library\n" }, want: []string{"library"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, a := gateAddon(t, tc.values, tc.change)
			_, err := testStore(StoreOptions{}).Render(context.Background(), site(dir), a, tc.caps)
			if err == nil {
				t.Fatal("it was rendered")
			}
			wants(t, err.Error(), tc.want...)
			for _, d := range lifecycle.AsDiagnostics(err, "") {
				if d.Hint == "" || strings.Contains(d.Error(), "SECRET") {
					t.Errorf("%+v", d)
				}
			}
		})
	}
	dir, a := gateAddon(t, "", dependency)
	if _, err := testStore(StoreOptions{}).Render(context.Background(), site(dir), a, lifecycle.Capabilities{}); err != nil {
		t.Errorf("a dependency that the values leave out need not be there: %v", err)
	}
}

// TestA8_SchemasReferToNothingElse: Helm's validator would fetch what a chart's schema refers to, and read it from the disk. Whoever writes
// a chart would have kiban ask and read what it likes while a plan is made. What the schema holds itself is held against the values.
func TestA8_SchemasReferToNothingElse(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, `{"type":"string"}`)
	}))
	defer server.Close()
	secret := filepath.Join(t.TempDir(), "secret.json")
	write(t, secret, `{"const":"canary-of-the-runner"}`)
	for name, schema := range map[string]string{
		"a reference to an address": `{"properties":{"image":{"$ref":"URL/a"},"replicas":{"minimum":5}}}`,
		"a reference to a file":     `{"properties":{"image":{"$ref":"file://SECRET"},"replicas":{"minimum":5}}}`,
		"a path":                    `{"properties":{"image":{"$ref":"../SECRET"},"replicas":{"minimum":5}}}`,
		"a dynamic one":             `{"properties":{"image":{"$dynamicRef":"URL/a#x"},"replicas":{"minimum":5}}}`,
		"a name that is another's":  `{"$id":"URL/b","properties":{"image":{"$ref":"a"},"replicas":{"minimum":5}}}`,
		"the schema of the schema":  `{"$schema":"URL/draft","properties":{"replicas":{"minimum":5}}}`,
		"below everything":          `{"allOf":[{"if":{"not":{"$ref":"file://SECRET"}}},{"properties":{"replicas":{"minimum":5}}}]}`,
		"a device":                  `{"properties":{"image":{"$ref":"file:///dev/zero"},"replicas":{"minimum":5}}}`,
		"its own parts":             `{"$defs":{"n":{"minimum":5}},"properties":{"replicas":{"$ref":"#/$defs/n"}}}`,
		"its own name": `{"$id":"https://a.example/s","$defs":{"n":{"minimum":5}},` +
			`"properties":{"replicas":{"$ref":"https://a.example/s#/$defs/n"}}}`,
		"a draft that is published": `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"n":{"minimum":5}},` +
			`"properties":{"replicas":{"$ref":"#/definitions/n"}}}`,
		"one in a chart that it brings": `{"properties":{"replicas":{"minimum":5}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			schema = strings.NewReplacer("URL", server.URL, "SECRET", secret).Replace(schema)
			dir, a := gateAddon(t, "", func(files map[string]string) {
				files["values.schema.json"] = schema
				files["charts/inner/Chart.yaml"] = "apiVersion: v2\nname: inner\nversion: 1.0.0\n"
				files["charts/inner/values.yaml"] = "a: b\n"
				files["charts/inner/values.schema.json"] = `{"properties":{"a":{"$ref":"` + server.URL + `/inner"}}}`
			})
			_, err := testStore(StoreOptions{}).Render(t.Context(), site(dir), a, lifecycle.Capabilities{})
			if err == nil || !strings.Contains(err.Error(), "replicas: ") {
				t.Errorf("what it holds itself does not count: %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "image")) {
				t.Errorf("it was read: %v", err)
			}
		})
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the address was asked %d times", n)
	}
}

// TestA8_TemplatesAskNobody: a template that looks into the cluster, resolves a name or reads the environment finds nothing there.
func TestA8_TemplatesAskNobody(t *testing.T) {
	t.Setenv("KIBAN_CANARY", "canary-of-the-runner")
	dir, a := gateAddon(t, "", func(files map[string]string) {
		files["templates/asks.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: asks}\ndata:\n" +
			"  secrets: '{{ lookup \"v1\" \"Secret\" \"kube-system\" \"\" | len }}'\n  host: '{{ getHostByName \"localhost\" }}'\n" +
			"  file: '{{ .Files.Get \"/etc/passwd\" }}{{ .Files.Get \"../../../../../../etc/passwd\" }}'\n"
	})
	r, err := testStore(StoreOptions{}).Render(t.Context(), site(dir), a, lifecycle.Capabilities{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Objects, func(o lifecycle.Object) bool { return o.Name == "asks" })
	if i < 0 || !strings.Contains(string(r.Objects[i].JSON), `"data":{"file":"","host":"","secrets":"0"}`) {
		t.Errorf("it is %d of %s", i, r.Objects)
	}
	for _, function := range []string{"env", "expandenv"} {
		dir, a := gateAddon(t, "", func(files map[string]string) {
			files["templates/asks.yaml"] = "a: {{ " + function + ` "KIBAN_CANARY" }}`
		})
		if r, err := testStore(StoreOptions{}).Render(t.Context(), site(dir), a, lifecycle.Capabilities{}); err == nil {
			t.Errorf("%s gives %s", function, r.Objects)
		}
	}
}

// TestA8_NoRedirectToPlainHTTP: a server that is asked by https does not lead to an address that is asked by plain http.
func TestA8_NoRedirectToPlainHTTP(t *testing.T) {
	var asked atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inside.Close()
	outside := httptest.NewTLSServer(http.RedirectHandler(inside.URL+"/latest/meta-data", http.StatusFound))
	defer outside.Close()
	s := testStore(StoreOptions{})
	s.web.client.Transport = outside.Client().Transport
	if _, err := s.web.once(t.Context(), outside.URL+"/index.yaml"); err == nil || !strings.Contains(err.Error(), "only https is followed") {
		t.Errorf("error %v", err)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("it was asked %d times", n)
	}
}

func dependency(f map[string]string) {
	f["Chart.yaml"] += "dependencies: [{name: extra, version: 1.0.0, repository: 'https://charts.example', condition: extra.enabled}]\n"
}

func TestRenderManifests(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: web, image: "shop:1"}]}}}
---
---
apiVersion: gate.example/v1
kind: Rule
metadata: {name: first}
--- # the definition
`+definition("rules.gate.example"))
	write(t, filepath.Join(dir, "b.yaml"),
		"apiVersion: v1\nkind: ConfigMapList\nitems: [{metadata: {name: one}}, {metadata: {name: two}}]\n---\napiVersion: v1\nkind: Namespace\n"+
			"metadata: {name: shop}\n")
	a := lifecycle.Addon{Name: "shop", Namespace: "shop", Manifests: []string{"a.yaml", "b.yaml"}}
	r, err := testStore(StoreOptions{}).Render(context.Background(), site(dir), a, lifecycle.Capabilities{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Namespace shop", "CustomResourceDefinition rules.gate.example", "ConfigMap one", "ConfigMap two", "Deployment shop/web",
		"Rule first"}
	if got := names(r.Objects); !slices.Equal(got, want) {
		t.Errorf("objects %q", got)
	}
	if string(r.Objects[2].JSON) != `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"}}` {
		t.Errorf("%s", r.Objects[2].JSON)
	}
	for i, at := range map[int]string{0: "b.yaml:5", 2: "b.yaml:1", 4: "a.yaml:1", 5: "a.yaml:7"} {
		if o := r.Objects[i]; o.Source != "overlays/test/"+at {
			t.Errorf("%s is of %s, want %s", o, o.Source, at)
		}
	}
	if !slices.Equal(r.Images, []string{"shop:1"}) || len(r.Digest) != 71 {
		t.Errorf("%q %s", r.Images, r.Digest)
	}
	a.Manifests = append(a.Manifests, "b.yaml")
	_, err = testStore(StoreOptions{}).Render(context.Background(), site(dir), a, lifecycle.Capabilities{})
	wants(t, diagnostic(t, err).Error(), "declare ConfigMap one twice")
}

func TestCompare(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b string
		want []string
	}{
		"same":           {`{"a":[1,{"b":2}]}`, `{"a":[1,{"b":2}]}`, nil},
		"deep":           {`{"a":{"b":1}}`, `{"a":{"b":2}}`, []string{"a.b"}},
		"dots":           {`{"a":{"b.c/d":1}}`, `{"a":{"b.c/d":2}}`, []string{`a["b.c/d"]`}},
		"bracket":        {`{"a[0]":1}`, `{"a[0]":2}`, []string{`["a[0]"]`}},
		"missing":        {`{"a":{"b":1}}`, `{"a":{}}`, []string{"a.b"}},
		"by index":       {`{"a":[1,2]}`, `{"a":[1,3]}`, []string{"a[1]"}},
		"by name":        {`{"a":[{"name":"x","v":1}]}`, `{"a":[{"name":"x","v":2}]}`, []string{"a[name=x].v"}},
		"other names":    {`{"a":[{"name":"x"}]}`, `{"a":[{"name":"y"}]}`, []string{"a"}},
		"longer":         {`{"a":[1]}`, `{"a":[1,2]}`, []string{"a"}},
		"another type":   {`{"a":{"b":1}}`, `{"a":"b"}`, []string{"a"}},
		"names repeated": {`{"a":[{"name":"x","v":1},{"name":"x","v":1}]}`, `{"a":[{"name":"x","v":1},{"name":"x","v":2}]}`, []string{"a[1].v"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := parse([]byte(tc.a))
			b, _ := parse([]byte(tc.b))
			if got := compare("", a, b); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// A time in whole seconds is another value at each rendering, and shows as that although both take milliseconds.
func TestClockIsVolatile(t *testing.T) {
	files := map[string]string{
		"Chart.yaml":            "apiVersion: v2\nname: clock\nversion: 1.0.0\n",
		"templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: state}\ndata: {install_time: \"{{ now | unixEpoch }}\"}\n",
	}
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, "clock", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a := lifecycle.Addon{Name: "clock", Namespace: "clock",
		Chart: &lifecycle.Chart{Repo: dir, Name: "clock", Version: "1.0.0", Release: "clock"}}
	r, err := NewStore(StoreOptions{CacheDir: t.TempDir()}).
		Render(t.Context(), lifecycle.Site{}, a, lifecycle.Capabilities{Kubernetes: "v1.36.3"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Volatile) != 1 || r.Volatile[0].Field != "data.install_time" {
		t.Errorf("volatile: %+v", r.Volatile)
	}
}
