package diff

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func at(minor, patch, build int) lifecycle.Version {
	return lifecycle.Version{Major: 1, Minor: minor, Patch: patch, Build: build}
}

const clusterYAML = `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata: {name: tokyo}
spec:
  hosts:
  - hostname: CP-1
    role: controller
    installFlags: ["--debug"]
    ssh: {address: 10.0.0.1, user: ops}
    environment: {HTTP_PROXY: "http://me:pw@proxy:3128"}
  - hostname: w-1
    role: worker
    ssh: {address: 10.0.0.2}
  k0s:
    version: v1.35.7+k0s.0
    config:
      spec:
        network: {podCIDR: 10.1.0.0/16, kubeProxy: {mode: iptables}}
        storage: {etcd: {externalCluster: {clientKeyFile: /a}}}
`

// declaredSite is a site with something of everything. Each call makes its own.
func declaredSite() Declaration {
	s := lifecycle.Site{
		Name: "tokyo", Dir: "/fleet/overlays/tokyo", Labels: map[string]string{"tier": "prod"}, Wave: 2, Provider: lifecycle.ProviderK0s,
		Digest: "sha256:a",
		SSH:    lifecycle.SSH{User: "ops", Port: 22, KnownHosts: "/fleet/overlays/tokyo/known_hosts", ConnectTimeout: 10 * time.Second},
		Backup: lifecycle.Backups{Keep: 10, KeepFor: 720 * time.Hour},
		Policy: lifecycle.Policy{Workers: lifecycle.Rollout{MaxUnavailable: "1", Canary: 1},
			Drain: lifecycle.Drain{Timeout: 10 * time.Minute, DeleteEmptyDirData: true}},
		Addons: []lifecycle.Addon{
			{Name: "metallb", Namespace: "metallb-system", Timeout: 10 * time.Minute, Source: "overlays/tokyo/addons.yaml:3",
				Chart: &lifecycle.Chart{Repo: "https://metallb.github.io/metallb", Name: "metallb", Version: "0.16.1", Release: "metallb",
					Values: []byte(`{"speaker":{"enabled":true},"auth":{"password":"hunter2"}}`)},
				Secrets: []lifecycle.Secret{{Name: "bgp", Keys: map[string]lifecycle.SecretSource{"key": {Env: "BGP"}}}}},
			{Name: "plain", Namespace: "plain", Manifests: []string{"plain.yaml"}, Timeout: time.Minute},
		},
		Tenants: []lifecycle.Tenant{{Name: "shop", Groups: lifecycle.TenantGroups{Edit: []string{"shop-team"}},
			Namespaces: []lifecycle.TenantNamespace{{Name: "shop"}, {Name: "shop-test"}},
			Quota:      map[string]string{"requests.cpu": "20"}, PodSecurity: "baseline", Source: "x:1"}},
		Objects: []lifecycle.Document{
			{APIVersion: "v1", Kind: "ConfigMap", Namespace: "a", Name: "settings", YAML: []byte("data: {colour: blue, url: 'https://me:pw@x/'}\n")},
			{APIVersion: "v1", Kind: "Secret", Namespace: "a", Name: "s", YAML: []byte("metadata: {name: s}\nstringData: {a: hunter2}\n")},
		},
		Pins: &lifecycle.Pins{Charts: []lifecycle.ChartPin{{Repo: "oci://r", Name: "metallb", Version: "0.16.1", Digest: "sha256:1"}},
			Manifests: []lifecycle.ManifestPin{{URL: "u", Digest: "sha256:2"}},
			K0s:       map[string]string{"v1.35.7+k0s.0/amd64": "sha256:3"}},
	}
	s.Cluster = lifecycle.Cluster{Name: "tokyo", Version: at(35, 7, 0), Document: []byte(clusterYAML), Hosts: []lifecycle.Host{
		{Name: "cp-1", Role: lifecycle.RoleController, Address: "10.0.0.1", Port: 22, User: "ops",
			Arguments: []string{"--debug=true", "--labels=a=b"}, Source: "f:1",
			Files: []lifecycle.HostFile{{Path: "/etc/motd", Digest: "sha256:m", Mode: "0644"},
				{Path: "/etc/k0s/key", Digest: "sha256:k", Secret: true, Restart: true}}},
		{Name: "w-1", Role: lifecycle.RoleWorker, Address: "10.0.0.2", Port: 22, User: "ops"},
	}}
	return Declaration{Site: s, Files: map[string]string{"plain.yaml": "sha256:p"}}
}

// line is a change as the tables have it.
func line(c lifecycle.DeclaredChange) string {
	s := fmt.Sprintf("%s | %s | %s -> %s", c.Subject, c.Path, c.From, c.To)
	if c.Note != "" {
		s += " | " + c.Note
	}
	return s
}

func replace(b []byte, old, with string) []byte {
	return []byte(strings.Replace(string(b), old, with, 1))
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*lifecycle.Site)
		want []string
	}{
		{"nothing", func(*lifecycle.Site) {}, nil},
		{"where it was declared", func(s *lifecycle.Site) {
			s.Cluster.Hosts[0].Source, s.Addons[0].Source, s.Tenants[0].Source = "g:2", "g:3", "g:4"
		}, nil},
		{"where it was read", func(s *lifecycle.Site) {
			s.Dir, s.SSH.KnownHosts = "/tmp/x/overlays/tokyo", "/tmp/x/overlays/tokyo/known_hosts"
		}, nil},
		{"labels and wave", func(s *lifecycle.Site) { s.Labels, s.Wave = map[string]string{"tier": "lab"}, 0 }, []string{
			`site | metadata.labels.tier | "prod" -> "lab"`, `site | spec.wave | 2 -> 0`}},
		{"promotion", func(s *lifecycle.Site) {
			s.Promotion = lifecycle.Promotion{From: []string{"staging"}, Soak: 72 * time.Hour, Source: "overlays/tokyo/site.yaml:7"}
		}, []string{`site | spec.promotion |  -> {"from":["staging"],"soak":"72h"}`}},
		{"policy", func(s *lifecycle.Site) {
			s.Policy.Workers.MaxUnavailable, s.Policy.Drain.Timeout = "25%", 90*time.Minute
			s.Policy.Windows = []lifecycle.Window{{Days: []time.Weekday{time.Saturday, time.Sunday}, Start: 22 * 60, End: 4*60 + 30,
				TimeZone: "Asia/Tokyo"}}
		}, []string{`site | spec.upgrade.drain.timeout | "10m" -> "1h30m"`,
			`site | spec.upgrade.windows |  -> ["Sat, Sun 22:00-04:30 Asia/Tokyo"]`,
			`site | spec.upgrade.workers.maxUnavailable | "1" -> "25%"`}},
		{"how it is reached", func(s *lifecycle.Site) {
			s.API.ViaSSH, s.SSH.KnownHosts, s.Backup.KeepFor = true, "/fleet/known_hosts", 24*time.Hour
		}, []string{`site | spec.api.via | "direct" -> "ssh"`, `site | spec.backup.keepFor | "720h" -> "24h"`,
			`site | spec.ssh.knownHosts | "known_hosts" -> "../../known_hosts"`}},
		{"the next minor", func(s *lifecycle.Site) { s.Cluster.Version = at(36, 3, 2) },
			[]string{`k0s | version | "v1.35.7+k0s.0" -> "v1.36.3+k0s.2" | the next minor release`}},
		{"configuration", func(s *lifecycle.Site) {
			s.Cluster.Document = replace(replace(s.Cluster.Document, "mode: iptables", "mode: nftables"), "clientKeyFile: /a", "clientKeyFile: /b")
		}, []string{`config | spec.network.kubeProxy.mode | "iptables" -> "nftables"`,
			`config | spec.storage.etcd.externalCluster.clientKeyFile | "(masked)" -> "(masked)" | the value is not shown, for it may be secret`}},
		{"documents within the configuration", func(s *lifecycle.Site) {
			s.Cluster.Document = replace(s.Cluster.Document, "mode: iptables}",
				"mode: iptables}, coreDNS: {patches: [{patch: {content: hunter2}}]}}\n"+
					`        extensions: {helm: {charts: [{name: a, version: "1", values: "login: hunter2"}]}`)
		}, []string{`config | spec.extensions |  -> {"helm":{"charts":[{"name":"a","values":"(masked)","version":"1"}]}}`,
			`config | spec.network.coreDNS |  -> {"patches":[{"patch":{"content":"(masked)"}}]}`}},
		{"the rest of a document", func(s *lifecycle.Site) {
			s.Cluster.Document = replace(replace(s.Cluster.Document, "me:pw@proxy", "me:pw@other"), "metadata: {name: tokyo}",
				"metadata: {name: osaka}")
		}, []string{`cluster | metadata.name | "tokyo" -> "osaka"`,
			`host cp-1 | environment.HTTP_PROXY | "http://(masked)@proxy:3128" -> "http://(masked)@other:3128"`}},
		{"a host's environment", func(s *lifecycle.Site) {
			s.Cluster.Document = replace(replace(s.Cluster.Document, `{HTTP_PROXY: "http://me:pw@proxy:3128"}`,
				`{HTTP_PROXY: "http://me:pw@proxy:3128", TZ: UTC, APP_LICENSE: hunter2}`), "ssh: {address: 10.0.0.2}",
				"ssh: {address: 10.0.0.2}\n    environment: {APP_LICENSE: hunter2, LANG: C}")
		}, []string{`host cp-1 | environment.APP_LICENSE |  -> "(masked)"`, `host cp-1 | environment.TZ |  -> "UTC"`,
			`host w-1 | environment |  -> {"APP_LICENSE":"(masked)","LANG":"C"}`}},
		{"a default that is spelt out", func(s *lifecycle.Site) {
			s.Cluster.Document = replace(s.Cluster.Document, "ssh: {address: 10.0.0.2}", "ssh: {address: 10.0.0.2, port: 22, user: ops}")
		}, nil},
		{"a host moves", func(s *lifecycle.Site) {
			h := &s.Cluster.Hosts[1]
			h.Address, h.PrivateAddress, h.Port, h.User, h.Role, h.Reset = "10.0.0.9", "192.168.0.9", 2222, "root", lifecycle.RoleControllerWorker,
				true
		}, []string{`host w-1 | role | "worker" -> "controller+worker"`, `host w-1 | ssh.address | "10.0.0.2" -> "10.0.0.9"`,
			`host w-1 | privateAddress |  -> "192.168.0.9"`,
			`host w-1 | ssh.port | 22 -> 2222`, `host w-1 | ssh.user | "ops" -> "root"`,
			`host w-1 | reset |  -> true | it is to leave the cluster`}},
		{"hosts come and go", func(s *lifecycle.Site) {
			s.Cluster.Hosts[1] = lifecycle.Host{Name: "w-2", Role: lifecycle.RoleWorker, Address: "10.0.0.3"}
		}, []string{`host w-2 |  |  -> worker, 10.0.0.3`, `host w-1 |  | worker, 10.0.0.2 -> `}},
		{"install flags", func(s *lifecycle.Site) { s.Cluster.Hosts[0].Arguments = []string{"--labels=a=b,c=d", "--token=x"} }, []string{
			`host cp-1 | installFlags.--debug | "true" -> `, `host cp-1 | installFlags.--labels | "a=b" -> "a=b,c=d"`,
			`host cp-1 | installFlags.--token |  -> "(masked)"`}},
		{"files of a host", func(s *lifecycle.Site) {
			s.Cluster.Hosts[0].Files = []lifecycle.HostFile{{Path: "/etc/motd", Digest: "sha256:n", Mode: "0600"},
				{Path: "/etc/new", Digest: "sha256:x"}}
		}, []string{`host cp-1 | files["/etc/k0s/key"] | {"content":"(masked)","restart":true,"secret":true} -> `,
			`host cp-1 | files["/etc/motd"].content | "sha256:m" -> "sha256:n"`,
			`host cp-1 | files["/etc/motd"].mode | "0644" -> "0600"`, `host cp-1 | files["/etc/new"] |  -> {"content":"sha256:x"}`}},
		{"a secret that is not here", func(s *lifecycle.Site) {
			s.Cluster.Hosts[0].Files[1].Digest, s.Cluster.Hosts[0].Files[1].Missing = "", "not set"
		}, nil},
		{"an addon's chart and values", func(s *lifecycle.Site) {
			c := *s.Addons[0].Chart
			c.Version, c.Values = "0.16.2", []byte(`{"speaker":{"enabled":false},"auth":{"password":"hunter3"}}`)
			s.Addons[0].Chart, s.Addons[0].Secrets = &c, []lifecycle.Secret{{Name: "bgp",
				Keys: map[string]lifecycle.SecretSource{"key": {FileEnv: "BGP"}}}}
		}, []string{`addon metallb | chart.version | "0.16.1" -> "0.16.2"`,
			`addon metallb | secrets.bgp.keys.key | "$BGP" -> "the file that $BGP names"`,
			`addon metallb | chart.values.auth.password | "(masked)" -> "(masked)" | the value is not shown, for it may be secret`,
			`addon metallb | chart.values.speaker.enabled | true -> false`}},
		{"addons come and go", func(s *lifecycle.Site) {
			s.Addons = []lifecycle.Addon{{Name: "argocd", Chart: &lifecycle.Chart{Name: "argo-cd", Version: "9.0.0"}}, s.Addons[1]}
		}, []string{`addon argocd |  |  -> chart argo-cd 9.0.0`, `addon metallb |  | chart metallb 0.16.1 -> `}},
		{"a tenant", func(s *lifecycle.Site) {
			n := &s.Tenants[0]
			n.Groups.Admin, n.Quota = []string{"leads"}, map[string]string{"requests.cpu": "40"}
			n.Namespaces = []lifecycle.TenantNamespace{{Name: "shop"}, {Name: "shop-load", Quota: map[string]string{"pods": "9"}}}
		}, []string{`tenant shop | groups.admin |  -> ["leads"]`,
			`tenant shop | namespaces[name=shop-load] |  -> {"name":"shop-load","quota":{"pods":"9"}}`,
			`tenant shop | namespaces[name=shop-test] | {"name":"shop-test"} -> `, `tenant shop | quota["requests.cpu"] | "20" -> "40"`}},
		{"a tenant leaves", func(s *lifecycle.Site) { s.Tenants = nil },
			[]string{`tenant shop |  | namespaces shop, shop-test ->  | nothing of it is deleted without --prune-tenants`}},
		{"objects", func(s *lifecycle.Site) {
			s.Objects[0].YAML = []byte("data: {colour: red, url: 'https://me:other@x/', since: 2026-01-02}\n")
			s.Objects[1].YAML = []byte("metadata: {name: s}\nstringData: {a: hunter3}\n")
			s.Objects = append(s.Objects, lifecycle.Document{APIVersion: "v1", Kind: "Namespace", Name: "b"})
		}, []string{`object ConfigMap a/settings | data.colour | "blue" -> "red"`,
			`object ConfigMap a/settings | data.since |  -> "2026-01-02T00:00:00Z"`,
			`object ConfigMap a/settings | data.url | "https://(masked)@x/" -> "https://(masked)@x/" | the value is not shown, for it may be secret`,
			`object Secret a/s | stringData.a | "(masked)" -> "(masked)" | the value is not shown, for it may be secret`,
			`object Namespace b |  |  -> v1`}},
		{"the lock file follows a version", func(s *lifecycle.Site) {
			s.Pins = &lifecycle.Pins{Charts: []lifecycle.ChartPin{{Repo: "oci://r", Name: "metallb", Version: "0.16.2", Digest: "sha256:9"}},
				Manifests: s.Pins.Manifests, K0s: s.Pins.K0s}
		}, []string{`kiban.lock | charts["metallb of oci://r"].digest | "sha256:1" -> "sha256:9"`,
			`kiban.lock | charts["metallb of oci://r"].version | "0.16.1" -> "0.16.2"`}},
		{"other bytes under the same name", func(s *lifecycle.Site) {
			s.Pins = &lifecycle.Pins{Charts: []lifecycle.ChartPin{{Repo: "oci://r", Name: "metallb", Version: "0.16.1", Digest: "sha256:9"}},
				Manifests: []lifecycle.ManifestPin{{URL: "u", Digest: "sha256:8"}},
				K0s:       map[string]string{"v1.35.7+k0s.0/amd64": "sha256:7"}}
		}, []string{`kiban.lock | charts["metallb of oci://r"].digest | "sha256:1" -> "sha256:9" | other bytes under the same name`,
			`kiban.lock | k0s["v1.35.7+k0s.0/amd64"] | "sha256:3" -> "sha256:7" | other bytes under the same name`,
			`kiban.lock | manifests.u | "sha256:2" -> "sha256:8" | other bytes under the same name`}},
		{"the lock file goes", func(s *lifecycle.Site) { s.Pins = nil },
			[]string{`kiban.lock | charts["metallb of oci://r"] | {"digest":"sha256:1","version":"0.16.1"} -> `,
				`kiban.lock | k0s["v1.35.7+k0s.0/amd64"] | "sha256:3" -> `, `kiban.lock | manifests.u | "sha256:2" -> `}},
		{"someone else runs it now", func(s *lifecycle.Site) {
			s.Provider, s.Cluster = lifecycle.ProviderExternal, lifecycle.Cluster{}
			s.API.Kubeconfig = lifecycle.SecretSource{FileEnv: "EKS"}
		}, []string{`site | spec.api.kubeconfig |  -> "the file that $EKS names"`, `site | spec.provider | "k0s" -> "external"`,
			`k0s | version | "v1.35.7+k0s.0" -> `,
			`config | spec | {"network":{"kubeProxy":{"mode":"iptables"},"podCIDR":"10.1.0.0/16"},` +
				`"storage":{"etcd":{"externalCluster":{"clientKeyFile":"(masked)"}}}} -> `,
			`host cp-1 |  | controller, 10.0.0.1 -> `, `host w-1 |  | worker, 10.0.0.2 -> `}},
	} {
		to := declaredSite()
		tt.edit(&to.Site)
		var got []string
		for _, c := range Compare(declaredSite(), to) {
			got = append(got, line(c))
			if (c.Kind == lifecycle.DeclaredAdded) != (c.From == "") || (c.Kind == lifecycle.DeclaredRemoved) != (c.To == "") {
				t.Errorf("%s: %s is called %s", tt.name, line(c), c.Kind)
			}
			if strings.Contains(line(c), "hunter") || strings.Contains(line(c), "me:") {
				t.Errorf("%s: a secret is shown: %s", tt.name, line(c))
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

func TestContents(t *testing.T) {
	to := declaredSite()
	to.Files = map[string]string{"plain.yaml": "sha256:q"}
	got := Compare(declaredSite(), to)
	if len(got) != 1 || line(got[0]) != `addon plain | content["plain.yaml"] | "sha256:p" -> "sha256:q"` {
		t.Errorf("got %v", got)
	}
}

func TestHops(t *testing.T) {
	path := []lifecycle.Version{at(36, 3, 2), at(35, 1, 0), at(36, 1, 0)}
	for _, tt := range []struct {
		from, to lifecycle.Version
		want     string
	}{
		{at(35, 7, 0), at(35, 7, 1), "another build of the same Kubernetes"},
		{at(35, 7, 0), at(35, 8, 0), "a patch release"},
		{at(35, 7, 0), at(36, 0, 0), "the next minor release"},
		{at(35, 7, 0), at(37, 0, 0), "2 minor releases, one a hop: over v1.36.1+k0s.0, v1.36.3+k0s.2"},
		{at(34, 7, 0), at(38, 0, 0), "4 minor releases, one a hop: over v1.35.1+k0s.0, v1.36.1+k0s.0, v1.36.3+k0s.2, " +
			"v1.37 (which spec.upgrade.path does not name yet)"},
		{at(36, 3, 2), at(36, 3, 1), "older: k0s does not go back, but by restoring a backup"},
		{lifecycle.Version{}, at(36, 3, 1), ""},
	} {
		if got := hops(tt.from, tt.to, path); got != tt.want {
			t.Errorf("%s to %s: %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

// TestSame: what marks a site as changed is what plans are bound to, and the files beside it.
func TestSame(t *testing.T) {
	for name, edit := range map[string]func(*Declaration){
		"documents":            func(d *Declaration) { d.Site.Digest = "sha256:b" },
		"a manifest":           func(d *Declaration) { d.Files = map[string]string{"plain.yaml": "sha256:q"} },
		"a manifest more":      func(d *Declaration) { d.Files = map[string]string{"plain.yaml": "sha256:p", "b": "c"} },
		"the file of a host":   func(d *Declaration) { d.Site.Cluster.Hosts[0].Files[0].Digest = "sha256:x" },
		"a file that is there": func(d *Declaration) { d.Site.Cluster.Hosts[0].Files = d.Site.Cluster.Hosts[0].Files[1:] },
	} {
		to := declaredSite()
		edit(&to)
		if Same(declaredSite(), to) {
			t.Errorf("%s: no difference is seen", name)
		}
	}
	to := declaredSite()
	to.Site.Cluster.Hosts[0].Files[1].Digest = "sha256:rotated"
	to.Site.Cluster.Hosts[0].Source = "elsewhere:1"
	if !Same(declaredSite(), to) {
		t.Error("a secret, or a place, is no part of a declaration")
	}
}
