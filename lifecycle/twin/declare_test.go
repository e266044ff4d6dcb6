package twin

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

const declared = `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata: {name: tokyo}
spec:
  hosts:
  - hostname: cp-1
    role: controller
    privateAddress: 10.0.0.1
    ssh: {address: cp-1.example.com, user: ops, keyPath: ~/.ssh/id}
    hooks: {apply: {before: [date]}}
  - hostname: node-1
    role: worker
    installFlags: ["--kubelet-extra-args=--node-ip=10.0.0.11 --max-pods=50", --labels=disk=ssd]
    environment: {HTTPS_PROXY: http://user:secret@proxy}
    ssh: {address: 10.0.0.11}
  k0s:
    version: v1.36.3+k0s.2
    config:
      spec:
        api:
          externalAddress: api.example.com
          sans: [api.example.com]
          extraArgs: {oidc-issuer-url: "https://id.example.com", profiling: "false", audit-policy-file: /etc/k0s/audit.yaml}
        extensions: {helm: {charts: []}}
        network:
          provider: kuberouter
          controlPlaneLoadBalancing: {enabled: true}
---
apiVersion: kiban.dev/v1alpha1
kind: Site
metadata:
  name: tokyo
  labels: {tier: production, region: tokyo}
spec:
  ssh: {user: ops, port: 22, keyPath: ~/.ssh/id, connectTimeout: 4s}
  api: {via: ssh, endpoint: "https://api.example.com:6443"}
  binaries: {url: "https://mirror.example/{version}"}
  backup: {recipients: [age1x], to: [{folder: /mnt/backups}]}
  upgrade:
    windows: [{start: "22:00", end: "05:00"}]
    probes: ["https://shop.example.com"]
    workers: {maxUnavailable: 25%, canary: 2}
  files:
    /etc/motd: {content: hello, on: all}
    /etc/secret: {from: {env: KIBAN_SECRET_X}, on: all}
---
apiVersion: kiban.dev/v1alpha1
kind: Addon
metadata: {name: metallb}
`

func testPlace() Place {
	p := Place{Port: 2222, KeyFile: "/lab/key", KnownHosts: "/lab/known_hosts", Mirror: "/lab/mirror"}
	for name, address := range map[string]string{"cp-1": "127.9.0.11", "node-1": "127.9.0.101"} {
		p.Machines = append(p.Machines, struct {
			Name    string `json:"name"`
			Address string `json:"address"`
		}{name, address})
	}
	return p
}

// TestDeclareOfTwoHops: a twin is set up at the version before the hops, and then goes them.
func TestDeclareOfTwoHops(t *testing.T) {
	documents := strings.Replace(declared, "  upgrade:\n", "  upgrade:\n    path: [v1.34.9+k0s.0, v1.35.7+k0s.0]\n", 1)
	for at, want := range map[string]int{"v1.33.4+k0s.0": 0, "v1.34.9+k0s.0": 0, "v1.35.7+k0s.0": 1, "v1.36.3+k0s.2": 2} {
		v, err := lifecycle.ParseVersion(at)
		if err != nil {
			t.Fatal(err)
		}
		_, site, _, err := Declare([]byte(documents), Declaration{Site: "tokyo", Version: v, Lab: testPlace()})
		if hops := strings.Count(string(site), "- v1."); err != nil || hops != want {
			t.Errorf("at %s there are %d hops, not %d: %v\n%s", at, hops, want, err, site)
		}
	}
}

// TestDeclare: a twin's declaration has the site's machines and its policy, and nothing that leads to the site or outside.
func TestDeclare(t *testing.T) {
	v, err := lifecycle.ParseVersion("v1.35.7+k0s.0")
	if err != nil {
		t.Fatal(err)
	}
	cluster, site, left, err := Declare([]byte(declared), Declaration{Site: "tokyo", Version: v, Lab: testPlace(),
		Addresses: map[string]string{"10.0.0.1": "cp-1", "cp-1.example.com": "cp-1", "10.0.0.11": "node-1"}})
	if err != nil {
		t.Fatal(err)
	}
	all := string(cluster) + string(site)
	for _, outside := range []string{"10.0.0", "example", "secret", "id_", "age1", "22:00", "/mnt", "oidc", "/etc/k0s", "production", "hooks",
		"controlPlaneLoadBalancing", "extensions", "v1.36"} {
		if strings.Contains(all, outside) {
			t.Errorf("%q is still there:\n%s", outside, all)
		}
	}
	for _, kept := range []string{"--node-ip=127.9.0.101 --max-pods=50", "--labels=disk=ssd", "version: v1.35.7+k0s.0",
		"address: 127.9.0.11\n",
		"provider: kuberouter", `profiling: "false"`, "maxUnavailable: 25%", "canary: 2", "via: ssh", "user: ops", "port: 2222", "region: tokyo",
		"/etc/motd", "/lab/mirror/{version}/k0s-{version}-{arch}", "connectTimeout: 4s"} {
		if !strings.Contains(all, kept) {
			t.Errorf("%q is not there:\n%s", kept, all)
		}
	}
	var told strings.Builder
	for _, d := range left {
		told.WriteString(d.What + " " + d.Consequence + "\n")
	}
	for _, what := range []string{"Hooks", "environment", "external address", "load balancing", "oidc-issuer-url",
		"audit-policy-file", "windows",
		"probes", "backup.to", "encrypted", "metallb", "/etc/secret", "charts of its own", "load balancer"} {
		if !strings.Contains(told.String(), what) {
			t.Errorf("%q is not told:\n%s", what, told.String())
		}
	}
}

// TestDeclareOfAbsentMachines: a machine that the lab does not have is left out of the declaration, and told.
func TestDeclareOfAbsentMachines(t *testing.T) {
	v := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	place := testPlace()
	place.Machines = slices.DeleteFunc(place.Machines, func(m struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	}) bool {
		return m.Name == "node-1"
	})
	cluster, _, left, err := Declare([]byte(declared), Declaration{Site: "tokyo", Version: v, Lab: place})
	if err != nil || strings.Contains(string(cluster), "node-1") || !strings.Contains(string(cluster), "cp-1") {
		t.Errorf("%v\n%s", err, cluster)
	}
	if !slices.ContainsFunc(left, func(d lifecycle.TwinDifference) bool {
		return strings.Contains(d.What, "is not in the twin: node-1") && d.Consequence != ""
	}) {
		t.Errorf("it is not told: %+v", left)
	}
}

func TestDeclareOfASiteWithoutMachines(t *testing.T) {
	_, _, _, err := Declare([]byte("apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata: {name: eks}\nspec: {provider: external}\n"),
		Declaration{Site: "eks"})
	if err == nil || !strings.Contains(err.Error(), "nothing to rehearse") {
		t.Errorf("got %v", err)
	}
}

func TestReplaceWhole(t *testing.T) {
	for _, c := range [][2]string{{"10.0.0.1", "X"}, {"10.0.0.11", "10.0.0.11"}, {"110.0.0.1", "110.0.0.1"}, {"a=10.0.0.1,b", "a=X,b"},
		{"https://10.0.0.1:6443", "https://X:6443"}, {"10.0.0.1,10.0.0.1", "X,X"}, {"10.0.0.1.example", "10.0.0.1.example"}} {
		if got := replaceWhole(c[0], "10.0.0.1", "X"); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
}
