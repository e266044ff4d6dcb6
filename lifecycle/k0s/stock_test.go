package k0s

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// A mirror is told in k0sctl's words; where a host says itself where its k0s comes from, that stays.
func TestStockTakesTheMirror(t *testing.T) {
	for url, want := range map[string]string{
		"":                   "",
		lifecycle.ReleaseURL: "",
		"/srv/mirror/{version}/k0s-{version}-{arch}":            "",
		"https://mirror.example/{version}/k0s-{version}-{arch}": "k0sDownloadURL: https://mirror.example/%v/k0s-%v-%p",
		"https://mirror.example/a%20b/":                         "k0sDownloadURL: https://mirror.example/a%%20b/k0s-%v-%p",
	} {
		site := lifecycle.Site{Name: "x", Dir: t.TempDir(), Binary: lifecycle.Binaries{URL: url}}
		site.Cluster.Document = []byte("spec: {hosts: [{hostname: a, ssh: {address: a}}, {hostname: b, k0sDownloadURL: http://own}]}")
		doc, err := Stock(site)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(doc), "k0sDownloadURL"); !strings.Contains(string(doc), want) || got != 1 && want == "" ||
			!strings.Contains(string(doc), "http://own") {
			t.Errorf("%q: no %q in\n%s", url, want, doc)
		}
	}
}

// TestStock: k0sctl reads the document to the same cluster that kiban does, with nothing left for kiban to fill in.
func TestStock(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "files", "motd"), []byte("mind the gap\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	site := lifecycle.Site{Name: "x", Dir: dir, SSH: lifecycle.SSH{User: "ops", Port: 2222, KeyPath: "/keys/ops"}}
	site.SSH.KnownHosts = "/fleet/overlays/x/known_hosts"
	site.Cluster.Document = []byte(`apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata: {name: x}
spec:
  hosts:
  - hostname: c1
    role: controller
    ssh: {address: 10.0.0.11}
    files:
    - {name: motd, src: files/motd, dst: /etc/motd}
    - {name: told, data: hello, dst: /etc/told}
  - hostname: w1
    role: worker
    ssh: {address: 10.0.0.1, user: me, port: 22, keyPath: keys/mine, bastion: {address: 192.0.2.1, keyPath: keys/jump}}
  k0s: {version: v1.36.3+k0s.0}
`)
	before := string(site.Cluster.Document)
	doc, err := Stock(site)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"user: ops\n", "port: 2222\n", "keyPath: /keys/ops\n", "src: " + dir + "/files/motd\n",
		"user: me\n", "port: 22\n", "keyPath: " + dir + "/keys/mine\n", "keyPath: " + dir + "/keys/jump\n"} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("there is no %q in\n%s", want, doc)
		}
	}
	if string(site.Cluster.Document) != before {
		t.Error("the site's own document has changed")
	}
	want, ds := Describe(site.Cluster.Document, site.SSH, site.Dir, "cluster.yaml")
	got, found := Describe(doc, lifecycle.SSH{KnownHosts: site.SSH.KnownHosts}, "/elsewhere", "k0sctl.yaml")
	if ds.Err() != nil || found.Err() != nil {
		t.Fatal(ds, found)
	}
	for i, h := range want.Hosts {
		if g := got.Hosts[i]; g.User != h.User || g.Port != h.Port || g.Address != h.Address || g.Name != h.Name {
			t.Errorf("%s: %+v, and by k0sctl %+v", h.Name, h, g)
		}
	}
}
