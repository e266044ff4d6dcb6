package site

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestHostOrderAndSources(t *testing.T) {
	fleet := sampleFleet(t, "")
	// kustomize moves what it patches to the front; w-0 is added by its number in no list that anybody wrote
	write(t, filepath.Join(fleet, "overlays", "tokyo", "more.yaml"), `
apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata: {name: tokyo}
spec:
  hosts:
  - hostname: cp-3
    dataDir: /data
  - hostname: w-1
    $patch: delete
`)
	over := filepath.Join(fleet, "overlays", "tokyo", "kustomization.yaml")
	write(t, over, readFile(t, over)+`- path: more.yaml
- target: {kind: Cluster}
  patch: |-
    - op: add
      path: /spec/hosts/-
      value:
        hostname: w-0
        role: worker
        privateAddress: 10.1.0.9
        ssh: {address: 10.0.0.4}
`)
	rendered, ds := Render(t.Context(), fleet, "tokyo")
	if ds.Err() != nil || !bytes.Contains(rendered, []byte("hosts:\n  - dataDir: /data\n    hostname: cp-3")) {
		t.Fatalf("this test rests on kustomize moving cp-3 to the front: %v\n%s", ds, rendered)
	}
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	var got []string
	for _, h := range s.Cluster.Hosts {
		got = append(got, h.Name+" "+h.Source)
	}
	want := []string{
		"cp-1 clusters/base/cluster.yaml:7", "cp-2 clusters/base/cluster.yaml:9", "cp-3 clusters/base/cluster.yaml:11",
		"w-2 overlays/tokyo/cluster.yaml:24", "w-0 overlays/tokyo/kustomization.yaml:20",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("hosts are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if i, j := bytes.Index(s.Cluster.Document, []byte("cp-1")), bytes.Index(s.Cluster.Document, []byte("cp-3")); i < 0 || i > j {
		t.Errorf("the document is not in order:\n%s", s.Cluster.Document)
	}
}

// What the document says of k0s's own images is known with its place: an upgrade leaves it as it is.
func TestImagesAndSources(t *testing.T) {
	fleet := sampleFleet(t, "")
	base := filepath.Join(fleet, "clusters", "base", "cluster.yaml")
	write(t, base, strings.Replace(readFile(t, base), "      spec:\n", `      spec:
        images:
          repository: registry.example.com
          kubeproxy:
            version: v1.36.3
`, 1))
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	want := []lifecycle.ImageSetting{{Path: "spec.images.kubeproxy.version", Value: "v1.36.3", Source: "clusters/base/cluster.yaml:20"},
		{Path: "spec.images.repository", Value: "registry.example.com", Source: "clusters/base/cluster.yaml:18"}}
	if len(ds) > 0 || !slices.Equal(s.Cluster.Images, want) {
		t.Errorf("%v\nfound %+v\nwant %+v", ds, s.Cluster.Images, want)
	}
	if got := s.Cluster.Lines.Where("spec.images.kubeproxy.version"); got != want[0].Source {
		t.Errorf("k0s's configuration has it in %q", got)
	}
}

// A build with a schema of its own does without kustomize's: a patch of a Deployment must merge its containers all the same, in
// the stock CLI and here, whichever ran before in this process.
func TestBuiltinKindsMerge(t *testing.T) {
	fleet := sampleFleet(t, "")
	dir := filepath.Join(fleet, "overlays", "tokyo")
	write(t, filepath.Join(dir, "web.yaml"), `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
      - {name: app, image: "app:1", ports: [{containerPort: 80, protocol: TCP}]}
      - {name: sidecar, image: "sidecar:1"}
`)
	over := filepath.Join(dir, "kustomization.yaml")
	write(t, over, strings.Replace(readFile(t, over), "patches:\n", `- web.yaml
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      template:
        spec:
          containers:
          - {name: sidecar, image: "sidecar:2"}
`, 1))
	rendered, ds := Render(t.Context(), fleet, "tokyo")
	if ds.Err() != nil {
		t.Fatal(ds)
	}
	for _, want := range []string{"app:1", "sidecar:2", "containerPort: 80"} {
		if !bytes.Contains(rendered, []byte(want)) {
			t.Errorf("the build has lost %s:\n%s", want, rendered)
		}
	}
	if stock := fresh(t, "build:cli:"+dir); !bytes.Equal(stock, rendered) {
		t.Errorf("the stock CLI prints\n%s\nRender\n%s", stock, rendered)
	}
	s, ds := Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	if len(s.Objects) != 1 || s.Objects[0].Kind != "Deployment" || s.Objects[0].Namespace != "shop" ||
		s.Objects[0].Source != "overlays/tokyo/web.yaml:2" {
		t.Errorf("objects: %+v", s.Objects)
	}
}

// What Describe finds is about the merged document; a reader needs the file that it came from.
func TestDescribeFindings(t *testing.T) {
	fleet := sampleFleet(t, "")
	var doc []byte
	describe := func(b []byte, ssh lifecycle.SSH, dir, origin string) (lifecycle.Cluster, lifecycle.Diagnostics) {
		doc = b
		line := 1 + bytes.Count(b[:bytes.Index(b, []byte("10.0.0.5"))], []byte("\n"))
		if ssh.User != "root" || dir != filepath.Join(fleet, "overlays", "tokyo") || origin != "overlays/tokyo" {
			t.Errorf("Describe was given %+v, %s, %s", ssh, dir, origin)
		}
		found := func(subject, summary, detail string) lifecycle.Diagnostic {
			return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: subject, Summary: summary, Detail: detail}
		}
		return lifecycle.Cluster{Name: "described", Hosts: []lifecycle.Host{{Name: "w-2"}}}, lifecycle.Diagnostics{
			found(origin, "does not fit", fmt.Sprintf("line %d: field addres not found", line)),
			found("w-1", "is odd", ""),
			found(origin, "is rejected", "hosts: host #2: unknown role"),
			found(origin, "is odder", ""),
		}
	}
	s, ds := Load(t.Context(), fleet, "tokyo", Options{Describe: describe})
	if s.Cluster.Name != "described" || !bytes.Equal(s.Cluster.Document, doc) ||
		s.Cluster.Hosts[0].Source != "overlays/tokyo/cluster.yaml:24" {
		t.Errorf("cluster: %+v", s.Cluster)
	}
	want := []string{
		"clusters/base/cluster.yaml:1: is odder",
		"clusters/base/cluster.yaml:9: cp-2: is rejected: hosts: unknown role",
		"overlays/tokyo/cluster.yaml:19: w-1: is odd",
		"overlays/tokyo/cluster.yaml:28: does not fit: field addres not found",
	}
	if ds.Error() != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", ds.Error(), strings.Join(want, "\n"))
	}
}

func TestUnknownSite(t *testing.T) {
	fleet := sampleFleet(t, "")
	for name, hint := range map[string]string{"tokio": `Did you mean "tokyo"?`, "berlin-prod": "The sites are: tokyo.", "": "",
		"../overlays/tokyo": "", ".": ""} {
		_, ds := Load(t.Context(), fleet, name, Options{})
		if len(ds) != 1 || !strings.HasPrefix(ds[0].Summary, "there is no site") || !strings.HasPrefix(ds[0].Hint, hint) {
			t.Errorf("%q: %+v", name, ds)
		}
	}
	_, ds := Load(t.Context(), t.TempDir(), "tokyo", Options{})
	if len(ds) != 1 || ds[0].Hint == "" {
		t.Errorf("no fleet: %+v", ds)
	}
}

func TestFindFleet(t *testing.T) {
	fleet, err := filepath.EvalSymlinks(sampleFleet(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range []string{".", "overlays/tokyo", "clusters/base"} {
		if got, err := FindFleet(filepath.Join(fleet, start)); err != nil || got != fleet {
			t.Errorf("from %s: %s, %v", start, got, err)
		}
	}
	if _, err := FindFleet(t.TempDir()); err == nil {
		t.Error("found a fleet where there is none")
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ds := Load(ctx, sampleFleet(t, ""), "tokyo", Options{}); !errors.Is(ds.Err().(lifecycle.Diagnostics)[0], context.Canceled) {
		t.Errorf("got %v", ds)
	}
}

func TestCheckFleet(t *testing.T) {
	site := func(name, cluster string, hosts ...lifecycle.Host) lifecycle.Site {
		return lifecycle.Site{Name: name, Cluster: lifecycle.Cluster{Name: cluster, Hosts: hosts}}
	}
	host := func(name, address string, port int) lifecycle.Host {
		return lifecycle.Host{Name: name, Address: address, Port: port, Source: "overlays/x/cluster.yaml:3"}
	}
	waits := func(name string, wave int, from ...string) lifecycle.Site {
		s := site(name, name)
		s.Wave, s.Provider, s.Promotion = wave, lifecycle.ProviderK0s,
			lifecycle.Promotion{From: from, Soak: time.Hour, Source: "overlays/" + name + "/site.yaml:7"}
		return s
	}
	charts := func(s lifecycle.Site, names ...string) lifecycle.Site {
		for _, n := range names {
			s.Addons = append(s.Addons, lifecycle.Addon{Name: n, Chart: &lifecycle.Chart{Name: n}, Source: "overlays/x/addons.yaml:4"})
		}
		return s
	}
	external := waits("a ", 1)
	external.Provider = lifecycle.ProviderExternal
	for name, c := range map[string]struct {
		sites []lifecycle.Site
		want  []string
	}{
		"waits for an earlier wave": {sites: []lifecycle.Site{waits("a", 1), waits("b", 2, "a")}},
		"waits for its own wave": {sites: []lifecycle.Site{waits("a", 1), waits("b", 1, "a")},
			want: []string{"b waits for a, which does not come before it"}},
		"waits for a later wave": {sites: []lifecycle.Site{waits("a ", 3), waits("b", 2, "a ")},
			want: []string{"b waits for a , which does not come before it"}},
		"waits for no site": {sites: []lifecycle.Site{waits("b", 2, "a"), waits("aa ", 1)},
			want: []string{"b waits for a site that is not there: a"}},
		"waits for a chart in vain": {sites: []lifecycle.Site{charts(waits("a ", 1), "metallb"),
			charts(waits("b", 2, "a "), "metallb", "datadog")},
			want: []string{"b has chart datadog, and a , which it waits for, has not"}},
		"waits for k0s in vain": {sites: []lifecycle.Site{external, waits("b", 2, "a ")}, want: []string{"b waits for a , which never runs k0s"}},
		"apart":                 {sites: []lifecycle.Site{site("a", "a", host("w", "10.0.0.1", 22)), site("b", "b", host("w", "10.0.0.2", 22))}},
		"same port forwarder":   {sites: []lifecycle.Site{site("a", "a", host("w", "10.0.0.1", 22)), site("b", "b", host("w", "10.0.0.1", 23))}},
		"same address": {sites: []lifecycle.Site{site("a", "a", host("w", "10.0.0.1", 22)), site("b", "b", host("x", "10.0.0.1", 22))},
			want: []string{"10.0.0.1 port 22 is claimed by two sites"}},
		"same cluster name": {sites: []lifecycle.Site{site("a", "k0s"), site("b", "k0s")},
			want: []string{`cluster name "k0s" is used by two sites`}},
		"in any order": {sites: []lifecycle.Site{site("b", "k0s"), site("a", "k0s")},
			want: []string{`cluster name "k0s" is used by two sites`}},
		"twice within one":     {sites: []lifecycle.Site{site("a", "a", host("w", "10.0.0.1", 22), host("x", "10.0.0.1", 22))}},
		"sites without a name": {sites: []lifecycle.Site{site("a", ""), site("b", "")}},
	} {
		t.Run(name, func(t *testing.T) {
			ds := heldTogether(t, c.sites)
			if len(ds) != len(c.want) {
				t.Fatalf("got %v, want %v", ds, c.want)
			}
			for i, d := range ds {
				if d.Summary != c.want[i] || d.Subject == "" || d.Hint == "" || !strings.Contains(d.Detail, "a ") &&
					d.Severity == lifecycle.SeverityError && !strings.Contains(d.Detail, "another") {
					t.Errorf("got %+v", d)
				}
			}
		})
	}
}

// heldTogether is CheckFleet, which must find the same in what Compared leaves of the sites, also when that was kept in a file.
func heldTogether(t *testing.T, sites []lifecycle.Site) lifecycle.Diagnostics {
	t.Helper()
	var file bytes.Buffer
	var parts, read []lifecycle.Site
	for _, s := range sites {
		parts = append(parts, Compared(s))
	}
	if err := gob.NewEncoder(&file).Encode(parts); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&file).Decode(&read); err != nil {
		t.Fatal(err)
	}
	whole, part := CheckFleet(sites), CheckFleet(read)
	if fmt.Sprintf("%+v", whole) != fmt.Sprintf("%+v", part) {
		t.Errorf("of the sites: %+v\nof what is compared: %+v", whole, part)
	}
	return whole
}

// Sites may be loaded side by side, although kustomize keeps its schemas in package variables.
func TestLoadSideBySide(t *testing.T) {
	good, bad := sampleFleet(t, ""), sampleFleet(t, filepath.Join("testdata", "broken", "substitution"))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			fleet, want := good, 0
			if i%2 == 1 {
				fleet, want = bad, 1
			}
			if _, ds := Load(t.Context(), fleet, "tokyo", Options{}); len(ds) != want {
				t.Errorf("%d findings, want %d: %v", len(ds), want, ds)
			}
		})
	}
	wg.Wait()
}
