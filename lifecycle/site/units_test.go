package site

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// extended is the sample fleet with files beside those of its overlay; extra.yaml is listed as a resource, patch.yaml as a patch.
func extended(t *testing.T, files map[string]string) string {
	t.Helper()
	fleet := sampleFleet(t, "")
	dir := filepath.Join(fleet, "overlays", "tokyo")
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	kustomization := filepath.Join(dir, "kustomization.yaml")
	content := readFile(t, kustomization)
	if _, ok := files["extra.yaml"]; ok {
		content = strings.Replace(content, "resources:\n", "resources:\n- extra.yaml\n", 1)
	}
	if _, ok := files["patch.yaml"]; ok {
		content += "- path: patch.yaml\n"
	}
	write(t, kustomization, content)
	return fleet
}

const sampleUnits = `apiVersion: kiban.dev/v1alpha1
kind: Addon
metadata:
  name: web
  labels: {team: platform}
spec:
  namespace: shop
  chart:
    repo: ../../charts
    name: nginx
    version: 1.2.3
    values:
      replicas: 2
      tags: [a, b]
      image: {tag: "1.10", pull: true}
      since: "2026-01-02"
      share: 0.5
      none: ~
  dependsOn: [plain]
  secrets:
  - name: keys
    keys:
      api-key: {env: KIBAN_SECRET_WEB_KEY}
      other: {fileEnv: KIBAN_SECRET_WEB_OTHER}
    labels: {part: web}
  - name: certificate
  ignore:
  - {kind: ConfigMap, name: settings, fields: [data.time]}
  timeout: 90s
---
apiVersion: kiban.dev/v1alpha1
kind: Addon
metadata: {name: plain}
spec:
  namespace: plain
  manifests: [plain.yaml, https://example.com/all.yaml]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations: {kiban.dev/addon: web}
---
apiVersion: v1
kind: Namespace
metadata: {name: loose}
---
apiVersion: kiban.dev/v1alpha1
kind: Tenant
metadata: {name: team}
---
apiVersion: kiban.dev/v1alpha1
kind: Tenant
metadata: {name: product}
spec:
  groups: {admin: [a], edit: [b], view: [c, d]}
  namespaces:
  - name: product
  - name: product-batch
    quota: {requests.cpu: 40}
  quota: {requests.cpu: "20"}
  limits: {default: {memory: 512Mi}, defaultRequest: {cpu: 100m}}
  podSecurity: restricted
  network: {policy: open, from: [ingress]}
  repositories: ["https://git.example/product/*"]
`

const samplePatch = `apiVersion: kiban.dev/v1alpha1
kind: Addon
metadata: {name: web}
spec:
  chart:
    values:
      replicas: 3
      tags: [c]
      image: {pull: false}
  secrets:
  - name: keys
    keys:
      third: {env: KIBAN_SECRET_WEB_THIRD}
---
apiVersion: kiban.dev/v1alpha1
kind: Tenant
metadata: {name: product}
spec:
  groups: {view: [e]}
  namespaces:
  - name: product-batch
    quota: {requests.memory: 64Gi}
  - name: product-test
`

// What is in a site beside the cluster, with every field, after a patch by name.
func TestUnits(t *testing.T) {
	fleet := extended(t, map[string]string{"extra.yaml": sampleUnits, "patch.yaml": samplePatch, "plain.yaml": "", "kiban.lock": sampleLock})
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 {
		t.Fatal(printFindings(ds))
	}
	if len(s.Addons) != 2 || s.Addons[0].Name != "plain" || len(s.Tenants) != 2 || s.Tenants[1].Name != "team" {
		t.Fatalf("addons %+v\ntenants %+v", s.Addons, s.Tenants)
	}
	web := s.Addons[1]
	if len(web.Objects) != 1 || web.Objects[0].Name != "settings" || len(s.Objects) != 1 || s.Objects[0].Name != "loose" {
		t.Errorf("tied: %+v, others: %+v", web.Objects, s.Objects)
	}
	if got, want := string(web.Chart.Values),
		`{"image":{"pull":false,"tag":"1.10"},"none":null,"replicas":3,"share":0.5,"since":"2026-01-02","tags":["c"]}`; got != want {
		t.Errorf("values are %s, want %s", got, want)
	}
	for field, want := range map[string]string{
		"spec.chart.version":                         "extra.yaml:11",
		"spec.chart.values":                          "patch.yaml:6",
		"spec.chart.values.image.tag":                "extra.yaml:15",
		"spec.chart.values.image.pull":               "patch.yaml:9",
		"spec.chart.values.tags[0]":                  "patch.yaml:8",
		"spec.chart.values.tags[1]":                  "patch.yaml:8", // the patch's list has one item
		"spec.secrets[name=keys].keys.third":         "patch.yaml:13",
		"spec.secrets[name=keys].keys.api-key":       "extra.yaml:23",
		"spec.secrets[name=certificate].keys.nobody": "extra.yaml:26",
		"spec.dependsOn[0]":                          "extra.yaml:19",
		"spec.nothing":                               "extra.yaml:1",
	} {
		if got := web.Where(field); got != "overlays/tokyo/"+want {
			t.Errorf("%s is at %s, want %s", field, got, want)
		}
	}
	web.Objects, web.Chart.Values, web.Lines = nil, nil, nil
	key := func(env string) lifecycle.SecretSource { return lifecycle.SecretSource{Env: env} }
	want := lifecycle.Addon{
		Name: "web", Namespace: "shop", DependsOn: []string{"plain"}, Timeout: 90 * time.Second, Source: "overlays/tokyo/extra.yaml:1",
		Chart: &lifecycle.Chart{Repo: "../../charts", Name: "nginx", Version: "1.2.3", Release: "web"},
		Secrets: []lifecycle.Secret{
			{Name: "keys", Keys: map[string]lifecycle.SecretSource{"api-key": key("KIBAN_SECRET_WEB_KEY"),
				"other": {FileEnv: "KIBAN_SECRET_WEB_OTHER"},
				"third": key("KIBAN_SECRET_WEB_THIRD")}, Labels: map[string]string{"part": "web"}},
			{Name: "certificate"},
		},
		Ignore: []lifecycle.Ignore{{Kind: "ConfigMap", Name: "settings", Fields: []string{"data.time"}}},
	}
	if !reflect.DeepEqual(web, want) {
		t.Errorf("got  %+v\nwant %+v", web, want)
	}
	if p := s.Addons[0]; p.Chart != nil || len(p.Manifests) != 2 || p.Timeout != 10*time.Minute {
		t.Errorf("manifests: %+v", p)
	}
	product := lifecycle.Tenant{
		Name: "product", Groups: lifecycle.TenantGroups{Admin: []string{"a"}, Edit: []string{"b"}, View: []string{"e"}},
		Namespaces: []lifecycle.TenantNamespace{
			{Name: "product-batch", Quota: map[string]string{"requests.cpu": "40", "requests.memory": "64Gi"}}, {Name: "product-test"},
			{Name: "product"},
		},
		Quota:       map[string]string{"requests.cpu": "20"},
		Limits:      lifecycle.TenantLimits{Default: map[string]string{"memory": "512Mi"}, DefaultRequest: map[string]string{"cpu": "100m"}},
		PodSecurity: "restricted", Network: lifecycle.TenantNetwork{Policy: "open", From: []string{"ingress"}},
		Repositories: []string{"https://git.example/product/*"}, Source: "overlays/tokyo/extra.yaml:52",
	}
	if !reflect.DeepEqual(s.Tenants[0], product) {
		t.Errorf("got  %+v\nwant %+v", s.Tenants[0], product)
	}
	team := lifecycle.Tenant{Name: "team", Namespaces: []lifecycle.TenantNamespace{{Name: "team"}}, PodSecurity: "baseline",
		Network: lifecycle.TenantNetwork{Policy: "isolated"}, Source: "overlays/tokyo/extra.yaml:48"}
	if !reflect.DeepEqual(s.Tenants[1], team) {
		t.Errorf("got  %+v\nwant %+v", s.Tenants[1], team)
	}
	// the stock CLI, which knows the schema only from the repository, merges the same
	rendered, _ := Render(t.Context(), fleet, "tokyo")
	if cli := fresh(t, "build:cli:"+s.Dir); string(cli) != string(rendered) {
		t.Errorf("the stock CLI prints\n%s\nRender\n%s", cli, rendered)
	}
}

var lockSum = strings.Repeat("ab", 32)

var sampleLock = `manifests:
- url: https://example.com/all.yaml
  digest: sha256:` + lockSum + `
k0s:
  v1.36.3+k0s.2/amd64: sha256:` + lockSum + `
`

func TestLock(t *testing.T) {
	fleet := extended(t, map[string]string{"kiban.lock": sampleLock})
	bare, ds := Load(t.Context(), sampleFleet(t, ""), "tokyo", Options{})
	if len(ds) > 0 || bare.Pins != nil || bare.Binary.SHA256 != nil {
		t.Fatalf("without a lock file: %v %+v", ds, bare.Pins)
	}
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 || len(s.Pins.Manifests) != 1 || s.Binary.SHA256["v1.36.3+k0s.2/amd64"] != lockSum || s.Digest == bare.Digest {
		t.Fatalf("with one: %v %+v %+v", ds, s.Pins, s.Binary)
	}
	file := filepath.Join(s.Dir, "kiban.lock")
	write(t, file, readFile(t, file)+"\n")
	if again, _ := Load(t.Context(), fleet, "tokyo", Options{}); again.Digest == s.Digest {
		t.Error("the site's digest does not hold the lock file")
	}
	// whoever writes the file can't be stopped by what it says
	for _, content := range []string{"k0s: {}", "charts: broken"} {
		write(t, file, content)
		if _, ds := Load(t.Context(), fleet, "tokyo", Options{}); ds.Err() == nil {
			t.Errorf("%s: no error", content)
		}
		if _, ds := Load(t.Context(), fleet, "tokyo", Options{Unpinned: true}); len(ds) > 0 {
			t.Errorf("%s: %v", content, ds)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

const externalSite = `apiVersion: kiban.dev/v1alpha1
kind: Site
metadata: {name: eks}
spec:
  provider: external
  api:
    kubeconfig: {fileEnv: KUBECONFIG_EKS}
    context: admin
    clusterUID: 6f4ac2f4-1a0e-4b7e-9f3b-0d6f1c1b2a3d
  platform:
    loadBalancer: {class: eks.amazonaws.com/nlb, annotations: {a: b}}
    storage: {class: gp3}
    nodeLabels: {type: storage}
`

func TestExternalSite(t *testing.T) {
	fleet := t.TempDir()
	dir := filepath.Join(fleet, "overlays", "eks")
	write(t, filepath.Join(dir, "kustomization.yaml"), "resources: [site.yaml, units.yaml]\n")
	write(t, filepath.Join(dir, "site.yaml"), externalSite)
	write(t, filepath.Join(dir, "units.yaml"),
		"apiVersion: kiban.dev/v1alpha1\nkind: Tenant\nmetadata: {name: team}\n---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\n"+
			"metadata: {name: p, namespace: m}\nspec: {addresses: [10.244.0.0/24]}\n")
	write(t, filepath.Join(dir, "kiban.lock"), "charts: []\n")
	describe := func([]byte, lifecycle.SSH, string, string) (lifecycle.Cluster, lifecycle.Diagnostics) {
		t.Error("there is nothing to describe")
		return lifecycle.Cluster{}, nil
	}
	s, ds := Load(t.Context(), fleet, "eks", Options{Describe: describe})
	if len(ds) > 0 {
		t.Fatal(printFindings(ds))
	}
	if s.Provider != lifecycle.ProviderExternal || s.Cluster.Name != "eks" || s.Cluster.Document != nil || len(s.Cluster.Hosts) > 0 ||
		len(s.Tenants) != 1 || s.Digest == "" {
		t.Errorf("site: %+v", s)
	}
	if s.API.Kubeconfig.FileEnv != "KUBECONFIG_EKS" || s.API.Context != "admin" || s.API.ClusterUID == "" {
		t.Errorf("access: %+v", s.API)
	}
	p := s.Platform
	if !p.LoadBalancer.Promised || p.LoadBalancer.Class == "" || p.Storage.Class != "gp3" || p.NodeLabels["type"] != "storage" ||
		p.ProbeImage != defaultProbeImage {
		t.Errorf("platform: %+v", p)
	}
	twin := s
	twin.Name, twin.Cluster.Name = "eks-2", "eks-2"
	if ds := heldTogether(t, []lifecycle.Site{s, twin}); len(ds) != 1 ||
		!strings.Contains(ds[0].Summary, "two sites give out the same addresses: 10.244.0.0/24") || ds[0].Subject == "" || ds[0].Hint == "" {
		t.Errorf("the fleet: %v", ds)
	}
}

func TestPromised(t *testing.T) {
	no, yes := false, true
	for _, c := range []struct {
		spec loadBalancerSpec
		want bool
	}{
		{loadBalancerSpec{}, false},
		{loadBalancerSpec{Promised: &yes}, true},
		{loadBalancerSpec{Class: "a"}, true},
		{loadBalancerSpec{Annotations: map[string]string{"a": "b"}}, true},
		{loadBalancerSpec{Class: "a", Promised: &no}, false},
	} {
		if got := (platformSpec{LoadBalancer: c.spec}).platform().LoadBalancer.Promised; got != c.want {
			t.Errorf("%+v: %v", c.spec, got)
		}
	}
}
