package site

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// hostsOf builds a Cluster from one line a host: "name role address privateAddress [reset]".
func hostsOf(lines ...string) clusterDocument {
	var c clusterDocument
	for _, l := range lines {
		f := strings.Fields(l)
		c.Spec.Hosts = append(c.Spec.Hosts, hostDocument{
			Hostname: f[0], Role: f[1], SSH: &sshDocument{Address: f[2]}, PrivateAddress: f[3], Reset: len(f) > 4,
		})
	}
	return c
}

// expect compares findings with "severity: beginning of the summary".
func expect(t *testing.T, got []finding, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.HasPrefix(string(got[i].severity)+": "+got[i].summary, want[i])
	}
	if ok {
		return
	}
	var have []string
	for _, f := range got {
		have = append(have, string(f.severity)+": "+f.summary)
	}
	t.Errorf("got  %q\nwant %q", have, want)
}

func TestCheckControlPlane(t *testing.T) {
	for name, c := range map[string]struct {
		hosts   []string
		storage string
		want    []string
	}{
		"one":    {hosts: []string{"a controller 10.0.0.1 10.1.0.1"}},
		"single": {hosts: []string{"a single 10.0.0.1 10.1.0.1"}},
		"two": {hosts: []string{"a controller 10.0.0.1 10.1.0.1", "b controller+worker 10.0.0.2 10.1.0.2"},
			want: []string{"warning: 2 controllers"}},
		"two, kine": {hosts: []string{"a controller 10.0.0.1 10.1.0.1", "b controller 10.0.0.2 10.1.0.2"}, storage: "kine"},
		"three, one to go": {hosts: []string{"a controller 10.0.0.1 10.1.0.1", "b controller 10.0.0.2 10.1.0.2",
			"c controller 10.0.0.3 10.1.0.3 reset"}, want: []string{"warning: 2 controllers"}},
		"four, one of them to": {hosts: []string{"a controller 1 1", "b controller 2 2", "c controller 3 3", "d controller 4 4 reset"}},
		"none":                 {hosts: []string{"a worker 10.0.0.1 10.1.0.1"}, want: []string{"error: no host is a controller"}},
	} {
		t.Run(name, func(t *testing.T) {
			doc := hostsOf(c.hosts...)
			doc.Spec.K0s.Config.Spec.Storage.Type = c.storage
			expect(t, checkControlPlane(doc), c.want...)
		})
	}
}

// H7: k0sctl refuses only the reset of all controllers.
func TestHazard_H7_NoMoreThanOneReset(t *testing.T) {
	for name, c := range map[string]struct{ hosts, want []string }{
		"none":         {hosts: []string{"a controller 1 1", "w worker 2 2 reset"}},
		"one of three": {hosts: []string{"a controller 1 1", "b controller 2 2", "c controller 3 3 reset"}},
		"two of three": {hosts: []string{"a controller 1 1", "b controller 2 2 reset", "c controller 3 3 reset"},
			want: []string{"error: 2 controllers are to be reset at once"}},
		"all": {hosts: []string{"a controller 1 1 reset"}, want: []string{"error: every controller"}},
		"two of five": {hosts: []string{"a controller 1 1", "b controller 2 2", "c controller 3 3", "d controller 4 4 reset",
			"e controller 5 5 reset"}, want: []string{"error: 2 controllers"}},
	} {
		t.Run(name, func(t *testing.T) { expect(t, checkReset(hostsOf(c.hosts...)), c.want...) })
	}
}

func TestCheckLoadBalancing(t *testing.T) {
	for name, c := range map[string]struct {
		controllers int
		nllb, cplb  bool
		external    string
		want        []string
	}{
		"one controller":       {controllers: 1},
		"three, nothing":       {controllers: 3, want: []string{"warning: several controllers"}},
		"three, NLLB":          {controllers: 3, nllb: true},
		"three, CPLB":          {controllers: 3, cplb: true},
		"three, NLLB and CPLB": {controllers: 3, nllb: true, cplb: true},
		"three, external":      {controllers: 3, external: "api.example.com"},
		"NLLB and external": {controllers: 3, nllb: true, external: "api.example.com",
			want: []string{"error: externalAddress and node-local"}},
	} {
		t.Run(name, func(t *testing.T) {
			doc := hostsOf([]string{"a controller 1 1", "b controller 2 2", "c controller 3 3"}[:c.controllers]...)
			spec := &doc.Spec.K0s.Config.Spec
			spec.Network.NodeLocal.Enabled, spec.Network.ControlPlane.Enabled, spec.API.ExternalAddress = c.nllb, c.cplb, c.external
			expect(t, checkLoadBalancing(doc), c.want...)
		})
	}
}

func TestCheckNetworks(t *testing.T) {
	for name, c := range map[string]struct {
		pods, services, host string
		want                 []string
	}{
		"defaults": {host: "192.168.1.1"},
		"pods in services": {pods: "10.100.0.0/16", host: "192.168.1.1",
			want: []string{"error: pod network 10.100.0.0/16 and service network 10.96.0.0/12 overlap"}},
		"host in default pods": {host: "10.244.3.1", want: []string{"error: host a (10.244.3.1) lies within the pod network"}},
		"host in services": {services: "192.168.0.0/16", host: "192.168.1.1",
			want: []string{"error: host a (192.168.1.1) lies within the service network"}},
		"host by name":          {host: "a.example.com"},
		"mapped address":        {host: "::ffff:10.244.0.9", want: []string{"error: host a"}},
		"an address, no prefix": {pods: "10.244.0.0", host: "192.168.1.1", want: []string{"error: the pod network"}},
	} {
		t.Run(name, func(t *testing.T) {
			doc := hostsOf("a controller " + c.host + " 172.20.0.1")
			doc.Spec.K0s.Config.Spec.Network.PodCIDR, doc.Spec.K0s.Config.Spec.Network.ServiceCIDR = c.pods, c.services
			expect(t, checkNetworks(doc), c.want...)
		})
	}
}

func TestHazard_H10_VersionIsPinned(t *testing.T) {
	for version, want := range map[string]string{ // H10
		"v1.36.3+k0s.2": "", "v1.36.3-rc.1+k0s.0": "", "": "error: the k0s version is not pinned", "latest": "error: ", "1.36.3+k0s.2": "error: ",
		"v1.36.3": "error: ", "v1.36": "error: ",
	} {
		t.Run(version, func(t *testing.T) {
			var c clusterDocument
			c.Spec.K0s.Version = version
			if want == "" {
				expect(t, checkVersion(c))
			} else {
				expect(t, checkVersion(c), want)
			}
		})
	}
}

func TestHazard_H9_PathIsOneMinorAHop(t *testing.T) { // H9
	for name, c := range map[string]struct {
		target string
		path   []string
		want   []string
	}{
		"none":                   {target: "v1.36.3+k0s.2"},
		"two hops":               {target: "v1.36.3+k0s.2", path: []string{"v1.34.10+k0s.0", "v1.35.7+k0s.0"}},
		"the target itself last": {target: "v1.36.3+k0s.2", path: []string{"v1.35.7+k0s.0", "v1.36.3+k0s.2"}},
		"a gap": {target: "v1.36.3+k0s.2", path: []string{"v1.33.1+k0s.0", "v1.35.7+k0s.0"},
			want: []string{"error: upgrade.path goes from v1.33.1+k0s.0 to v1.35.7+k0s.0"}},
		"backwards": {target: "v1.36.3+k0s.2", path: []string{"v1.35.7+k0s.0", "v1.34.10+k0s.0"},
			want: []string{"error: upgrade.path goes from"}},
		"the same minor twice": {target: "v1.36.3+k0s.2", path: []string{"v1.35.6+k0s.0", "v1.35.7+k0s.0"},
			want: []string{"error: upgrade.path goes from"}},
		"beyond": {target: "v1.35.7+k0s.0", path: []string{"v1.36.3+k0s.2"},
			want: []string{"error: upgrade.path goes to v1.36.3+k0s.2, beyond"}},
		"ends early": {target: "v1.36.3+k0s.2", path: []string{"v1.33.1+k0s.0", "v1.34.10+k0s.0"},
			want: []string{"error: upgrade.path ends at"}},
	} {
		t.Run(name, func(t *testing.T) {
			var doc clusterDocument
			doc.Spec.K0s.Version = c.target
			d := defaults()
			for _, s := range c.path {
				v, err := lifecycle.ParseVersion(s)
				if err != nil {
					t.Fatal(err)
				}
				d.Spec.Upgrade.Path = append(d.Spec.Upgrade.Path, version(v))
			}
			expect(t, checkPath(doc, d), c.want...)
		})
	}
}

func TestCheckSubstitution(t *testing.T) {
	for text, want := range map[string]bool{
		"a: $HOME": true, "a: x-${HOME}-y": true, "a: ${HOME:-b}": true,
		"a: 5$": false, "a: $1": false, "a: $$HOME": false, "hooks: {apply: [echo $HOME]}": false, "files: [{data: $HOME}]": false,
		`a: '\$HOME'`: false,
	} {
		docs, err := overlay.ParseYAML([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(checkSubstitution(docs[0])) > 0; got != want {
			t.Errorf("%s: found %v, want %v", text, got, want)
		}
	}
}

func TestSortHosts(t *testing.T) {
	docs, err := overlay.ParseYAML([]byte("spec: {hosts: [{hostname: w1, role: worker}, {hostname: c3, role: controller}, {hostname: " +
		"new, role: worker}, {hostname: c1, role: controller}]}"))
	if err != nil {
		t.Fatal(err)
	}
	sortHosts(docs[0], []overlay.Host{{Name: "c1"}, {Name: "w0"}, {Name: "w1"}, {Name: "c3"}})
	var got []string
	for _, h := range overlay.Items(overlay.Field(docs[0], "spec", "hosts")) {
		got = append(got, overlay.Text(overlay.Field(h, "hostname")))
	}
	if want := "c1 c3 w1 new"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestSpec(t *testing.T) {
	fleet := sampleFleet(t, "")
	s, ds := Load(t.Context(), fleet, "tokyo", Options{Revision: func(string) string { return "abc" }})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	if s.Wave != 2 || s.Revision != "abc" || s.SSH.Port != 22 || s.SSH.ConnectTimeout != 10*time.Second ||
		s.SSH.KnownHosts != s.Dir+"/known_hosts" ||
		s.Binary.URL != lifecycle.ReleaseURL || s.Binary.Checksums != lifecycle.ReleaseChecksums || s.API.ViaSSH {
		t.Errorf("defaults: %+v", s)
	}
	p := s.Policy
	if p.Workers != (lifecycle.Rollout{MaxUnavailable: "1", Canary: 1}) ||
		p.Drain != (lifecycle.Drain{Timeout: 10 * time.Minute, DeleteEmptyDirData: true, EvictionRetry: 2 * time.Second}) ||
		p.Settle != (lifecycle.Settle{NodeTimeout: 5 * time.Minute, StableFor: 5 * time.Second, Timeout: 10 * time.Minute,
			Reconnect: 90 * time.Second}) {
		t.Errorf("default policy: %+v", p)
	}
	if s.Backup.Recipients != nil || s.Backup.Keep != 10 || s.Backup.KeepFor != 720*time.Hour {
		t.Errorf("default backup: %+v", s.Backup)
	}

	write(t, s.Dir+"/site.yaml", `
apiVersion: kiban.dev/v1alpha1
kind: Site
metadata: {name: tokyo, labels: {tier: lab}}
spec:
  wave: 7
  ssh: {user: ops, port: 22, keyPath: keys/id, knownHosts: ./known_hosts, connectTimeout: 3s, keepAlive: 1s}
  api: {via: direct, endpoint: "https://api:6443"}
  binaries: {url: "../m/{version}/k0s-{arch}", checksums: "https://m/sums", sha256: {"v1.36.3+k0s.2/amd64": "`+strings.Repeat("ab", 32)+`"}}
  backup: {recipients: [age1a, age1b], keep: 0, keepFor: 24h}
  upgrade:
    path: [v1.35.7+k0s.0]
    workers: {maxUnavailable: 25%, failureDomain: topology.kubernetes.io/zone, canary: 0}
    drain: {timeout: 1m, gracePeriod: 30s, deleteEmptyDirData: false, force: true, evictionRetry: 1s}
    settle: {nodeTimeout: 2m, stableFor: 1s, timeout: 3m}
    windows: [{days: [Sat, sunday], start: "22:30", end: "24:00", timeZone: Asia/Tokyo}]
    probes: ["https://shop.example.org/healthz"]
`)
	s, ds = Load(t.Context(), fleet, "tokyo", Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	if s.Labels["tier"] != "lab" || s.SSH.KeyPath != s.Dir+"/keys/id" || s.API.Endpoint != "https://api:6443" ||
		s.Binary.Checksums != "https://m/sums" ||
		!strings.HasSuffix(s.Binary.URL, "/overlays/m/{version}/k0s-{arch}") || len(s.Binary.SHA256) != 1 {
		t.Errorf("site: %+v", s)
	}
	p = s.Policy
	if len(p.Probes) != 1 || p.Probes[0] != "https://shop.example.org/healthz" {
		t.Errorf("probes: %v", p.Probes)
	}
	w := p.Windows[0]
	if len(p.Path) != 1 || p.Workers != (lifecycle.Rollout{MaxUnavailable: "25%", FailureDomain: "topology.kubernetes.io/zone"}) ||
		p.Drain != (lifecycle.Drain{Timeout: time.Minute, GracePeriod: 30 * time.Second, Force: true, EvictionRetry: time.Second}) ||
		len(w.Days) != 2 || w.Days[0] != time.Saturday || w.Days[1] != time.Sunday || w.Start != 22*60+30 || w.End != 24*60 {
		t.Errorf("policy: %+v", p)
	}
	if len(s.Backup.Recipients) != 2 || s.Backup.Keep != 0 || s.Backup.KeepFor != 24*time.Hour {
		t.Errorf("backup: %+v", s.Backup)
	}
	_, ds = Load(t.Context(), fleet, "tokyo", Options{Recipient: func(r string) error {
		if r == "age1b" {
			return errors.New("malformed")
		}
		return nil
	}})
	if len(ds) != 1 || ds[0].Summary != "recipient 2 is no age public key" || !strings.HasSuffix(ds[0].Subject, "site.yaml:10") {
		t.Errorf("a wrong recipient: %+v", ds)
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/24": "10.0.0.0 10.0.0.255", "10.0.0.77/30": "10.0.0.76 10.0.0.79", "10.0.0.5/32": "10.0.0.5 10.0.0.5",
		"0.0.0.0/0":           "0.0.0.0 255.255.255.255",
		"10.0.0.10-10.0.0.20": "10.0.0.10 10.0.0.20", " 10.0.0.10 - 10.0.0.10 ": "10.0.0.10 10.0.0.10",
		"fd00::/126": "fd00:: fd00::3", "fd00::1-fd00::ff": "fd00::1 fd00::ff",
		"": "", "10.0.0.1": "", "10.0.0.20-10.0.0.10": "", "10.0.0.1-fd00::1": "", "a-b": "", "10.0.0.0/33": "",
	} {
		got := ""
		if s, ok := parseSpan(text); ok {
			got = s.first.String() + " " + s.last.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSpansOverlap(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"10.0.0.0/24", "10.0.0.255/32"}: true, {"10.0.0.0/24", "10.0.1.0/24"}: false, {"10.0.0.1-10.0.0.9", "10.0.0.9-10.0.0.12"}: true,
		{"0.0.0.0/0", "fd00::/8"}: false, {"fd00::/64", "fd00::1-fd00::2"}: true,
	} {
		a, _ := parseSpan(pair[0])
		b, _ := parseSpan(pair[1])
		if a.overlaps(b) != want || b.overlaps(a) != want {
			t.Errorf("%v: want %v", pair, want)
		}
	}
}

func TestDependencies(t *testing.T) {
	for name, c := range map[string]struct {
		addons map[string]string
		want   []string
		detail string
	}{
		"in order": {addons: map[string]string{"a": "", "b": "a", "c": "a b"}},
		"diamond":  {addons: map[string]string{"a": "", "b": "a", "c": "a", "d": "b c"}},
		"itself":   {addons: map[string]string{"a": "a"}, want: []string{"error: addon a depends on itself"}},
		"unknown":  {addons: map[string]string{"a": "b"}, want: []string{"error: addon a depends on b, which is not there"}},
		"two": {addons: map[string]string{"a": "b", "b": "a"}, want: []string{"error: addons depend on each other in a circle"},
			detail: "a -> b -> a."},
		"beyond": {addons: map[string]string{"a": "c", "b": "c", "c": "d", "d": "c"},
			want: []string{"error: addons depend on each other in a circle"}, detail: "c -> d -> c."},
		"two circles": {addons: map[string]string{"a": "b", "b": "a", "c": "d", "d": "c"},
			want: []string{"error: addons depend on each other", "error: addons depend on each other"}},
	} {
		t.Run(name, func(t *testing.T) {
			var addons []lifecycle.Addon
			for _, name := range sortedKeys(c.addons) {
				addons = append(addons, lifecycle.Addon{Name: name, DependsOn: strings.Fields(c.addons[name])})
			}
			found := checkDependencies(addons)
			expect(t, found, c.want...)
			if c.detail != "" && !strings.HasPrefix(found[0].detail, c.detail) {
				t.Errorf("detail: %s", found[0].detail)
			}
		})
	}
}

func TestForms(t *testing.T) {
	for text, want := range map[string]bool{
		"4": true, "0.5": true, ".5": true, "5.": true, "500m": true, "16Gi": true, "1e3": true, "2E": true, "3k": true, "10n": true,
		"": false, "-1": false, "4GiB": false, "1 Gi": false, "lots": false, "1K": false, "1ki": false, ".": false,
	} {
		if got := quantityForm.MatchString(text); got != want {
			t.Errorf("quantity %q: %v", text, got)
		}
	}
	for text, want := range map[string]bool{
		"0.16.2": true, "v1.0.0": true, "1.2.3-rc.1+build.5": true,
		"": false, "1.2": false, "latest": false, "^1.2.3": false, ">=1.0.0": false, "1.2.x": false, "~1.2.3": false, "1.2.3 || 1.2.4": false,
		"*": false,
	} {
		if got := chartVersion.MatchString(text); got != want {
			t.Errorf("chart version %q: %v", text, got)
		}
	}
	for name, want := range map[string]bool{
		"kube-system": true, "kube-node-lease": true, "default": true, "kiban-x": true, "k0s-autopilot": true, "openshift-dns": true,
		"openshift": true,
		"shop":      false, "kubernetes": false, "defaults": false, "k0smotron": false,
	} {
		if got := systemNamespace(name); got != want {
			t.Errorf("namespace %q: %v", name, got)
		}
	}
	for _, c := range []struct {
		pattern, repository string
		want                bool
	}{
		{"*", "https://a/b", true}, {"https://git.example/shop/*", "https://git.example/shop/a.git", true},
		{"https://git.example/shop", "https://git.example/shop.git", true},
		{"https://git.example/shop/*", "https://git.example/other/a.git", false}, {"https://git.example/a", "https://git.example/b", false},
	} {
		if got := matches(c.pattern, c.repository); got != c.want {
			t.Errorf("%s of %s: %v", c.repository, c.pattern, got)
		}
	}
}

// Values are kept as they are, whatever YAML makes of them.
func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		"{}": "{}", "b: 1\na: [x, 2.5, ~, true]": `{"a":["x",2.5,null,true],"b":1}`, "a: 1_000": `{"a":1000}`, "a: 0x10": `{"a":16}`,
		"a: 18446744073709551615": `{"a":18446744073709551615}`,
		"a: 2026-01-02":           `{"a":"2026-01-02"}`, "1: a": `{"1":"a"}`, "a: &x {b: c}\nd: *x": `{"a":{"b":"c"},"d":{"b":"c"}}`,
		"a: .inf": "",
		"a: .nan": "", "[a]": "", "? [a]\n: b": "", "a: &a {b: *a}": "",
		"x: &a [1,1,1,1,1,1,1,1,1,1]\ny: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nz: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
			"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e]": "",
	} {
		docs, err := overlay.ParseYAML([]byte(text))
		if err != nil && want == "" {
			continue // too large to be looked at
		}
		if err != nil {
			t.Fatal(err)
		}
		var v values
		if err := v.read(docs[0]); (err == nil) != (want != "") || (err == nil && string(v.json()) != want) {
			t.Errorf("%s\ngot  %s (%v)\nwant %s", text, v.json(), err, want)
		}
	}
	if got := string(values(nil).json()); got != "{}" {
		t.Errorf("no values are %s", got)
	}
}

// Whoever is asked for keys is asked from where it answers: a bastion from here, a host behind it from there.
func TestKeysOfBastions(t *testing.T) {
	jump := &sshDocument{Address: "198.51.100.7", User: "ops", Port: 2200}
	host := func(name, address string, bastion *sshDocument) hostDocument {
		return hostDocument{Hostname: name, SSH: &sshDocument{Address: address, Bastion: bastion}}
	}
	var c clusterDocument
	c.Spec.Hosts = []hostDocument{host("a", "10.0.0.1", jump), host("b", "10.0.0.2", jump), host("c", "10.0.0.3", nil)}
	dir := t.TempDir()
	known := func(content string) []finding {
		file := filepath.Join(dir, "known_hosts")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return checkKnownHosts("tokyo", c, lifecycle.SSH{KnownHosts: file, Port: 22}, "known_hosts")
	}
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3z1Y0e1Yf3mE0n8u3C9l0g1b7o0Qw1r2s3t4u5v6w7\n"
	const hosts = "10.0.0.1,10.0.0.2,10.0.0.3 " + key
	if got := known(hosts + "[198.51.100.7]:2200 " + key); len(got) != 0 {
		t.Errorf("all known: %+v", got)
	}
	if got := known(hosts + "* " + key); len(got) != 0 {
		t.Errorf("a pattern without a port stands for any: %+v", got)
	}
	if got := known(hosts + "*,!*198.51.100.7* " + key); len(got) != 1 {
		t.Errorf("the bastion is excepted: %+v", got)
	}
	if got := known(hosts); len(got) != 1 || !strings.Contains(got[0].summary, "1 bastion") ||
		!strings.HasSuffix(got[0].hint, ": kiban hosts trust tokyo") {
		t.Errorf("the bastion's is missing: %+v", got)
	}
	const fromThere = "`ssh -p 2200 ops@198.51.100.7 ssh-keyscan 10.0.0.1 10.0.0.2 >> known_hosts`"
	if got := known("[198.51.100.7]:2200 " + key); len(got) != 1 || !strings.Contains(got[0].hint, fromThere) ||
		!strings.Contains(got[0].hint, ": kiban hosts trust tokyo. ") || strings.Contains(got[0].hint, "10.0.0.3") {
		t.Errorf("the hosts' are missing: %+v", got)
	}
	got := checkKnownHosts("tokyo", c, lifecycle.SSH{KnownHosts: filepath.Join(dir, "none"), Port: 22}, "known_hosts")
	if len(got) != 1 || !strings.Contains(got[0].hint, fromThere) || !strings.Contains(got[0].hint, ": kiban hosts trust tokyo. ") {
		t.Errorf("there is no file: %+v", got)
	}
}
