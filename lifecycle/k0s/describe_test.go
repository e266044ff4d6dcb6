package k0s

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k0sproject/dig"
	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

const document3 = `
apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata:
  name: demo
spec:
  hosts:
  - role: worker
    hostname: Worker-1
    privateAddress: 10.0.0.21
    ssh: {address: 192.0.2.21}
    installFlags: [--ignore-pre-flight-checks, "--labels=b=2", "--labels a=1", "--kubelet-extra-args='--v=4 --max-pods=50'"]
  - role: controller
    hostname: c1
    privateAddress: 10.0.0.11
    ssh: {address: 192.0.2.11, user: admin, port: 22, keyPath: keys/id}
  - role: controller+worker
    noTaints: true
    hostname: c2
    privateAddress: 10.0.0.12
    ssh: {address: 192.0.2.12}
    reset: true
  k0s:
    version: v1.36.3+k0s.2
    config:
      apiVersion: k0s.k0sproject.io/v1beta1
      kind: ClusterConfig
      metadata: {name: k0s}
      spec:
        api: {sans: [api.example.org]}
        network: {provider: calico}
`

var site = lifecycle.SSH{User: "ops", Port: 2222, KeyPath: "ssh/id", KnownHosts: "/overlay/known_hosts"}

func TestDescribe(t *testing.T) {
	c, ds := Describe([]byte(document3), site, "/overlay", "cluster.yaml")
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range c.Hosts {
		names = append(names, h.Name)
	}
	if got := strings.Join(names, " "); got != "c1 c2 worker-1" {
		t.Errorf("hosts are %q, want controllers first, lower case", got)
	}
	c1, _ := c.Host("c1")
	if c1.User != "admin" || c1.Port != 22 {
		t.Errorf("c1 is reached as %s on port %d: what the document says must win over the site's defaults", c1.User, c1.Port)
	}
	w, _ := c.Host("worker-1")
	if w.User != "ops" || w.Port != 2222 {
		t.Errorf("worker-1 is reached as %s on port %d, want the site's defaults", w.User, w.Port)
	}
	if c.Version.String() != "v1.36.3+k0s.2" {
		t.Errorf("version is %s", c.Version)
	}
}

// TestHazard_H38_ArgumentsMatchStockInstall holds H38: what the document asks for must compare equal with what k0s writes into its unit.
func TestHazard_H38_ArgumentsMatchStockInstall(t *testing.T) {
	c, ds := Describe([]byte(document3), site, "/overlay", "cluster.yaml")
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	units := map[string]string{
		"c1": `/usr/local/bin/k0s controller --config=/etc/k0s/k0s.yaml --data-dir=/var/lib/k0s`,
		"c2": `/usr/local/bin/k0s controller --config=/etc/k0s/k0s.yaml --data-dir=/var/lib/k0s --enable-worker=true ` +
			`--kubelet-extra-args=--node-ip=10.0.0.12\x20--hostname-override=c2 --no-taints=true --token-file=/etc/k0s/k0stoken`,
		"worker-1": `"/usr/local/bin/k0s" "worker" "--ignore-pre-flight-checks=true" ` +
			`"--kubelet-extra-args=--v=4 --max-pods=50 --node-ip=10.0.0.21 --hostname-override=Worker-1" ` +
			`--labels=a=1,b=2 --token-file=/etc/k0s/k0stoken`,
	}
	for name, line := range units {
		h, _ := c.Host(name)
		u := parseUnit("[Service]\nExecStart=" + line + "\n")
		if !slices.Equal(h.Arguments, u.arguments) {
			t.Errorf("%s\n declared %q\n observed %q", name, h.Arguments, u.arguments)
		}
	}
}

// The declared environment and the drop-in that k0sctl writes of it compare equal.
func TestEnvironmentComparesWithTheDropIn(t *testing.T) {
	doc := strings.Replace(document3, "  - role: worker\n", "  - role: worker\n    environment: {B: two words, A: \"1\"}\n", 1)
	c, ds := Describe([]byte(doc), site, "/overlay", "cluster.yaml")
	if err := ds.Err(); err != nil || doc == document3 {
		t.Fatal(err)
	}
	seen := 0
	for _, h := range c.Hosts {
		if h.Environment != "" {
			seen++
			for _, dropIn := range []string{
				"[Service]\nEnvironment=A=1\nEnvironment='B=two words'\n", // as k0sctl writes it
				"[Service]\nEnvironment=\"B=two words\"\nEnvironment=\"A=1\"\n",
			} {
				if got := factsOfEnvironment(t, dropIn); h.Environment != "sha256:"+got {
					t.Errorf("%s has environment %s, and the machine says %s of %q", h.Name, h.Environment, got, dropIn)
				}
			}
			if got := factsOfEnvironment(t, "[Service]\nEnvironment=A=1\nEnvironment='B=three words'\n"); h.Environment == "sha256:"+got {
				t.Error("another value is not seen")
			}
		}
	}
	if seen != 1 {
		t.Errorf("%d hosts have an environment, want 1", seen)
	}
}

// factsOfEnvironment is what the facts script says of a drop-in.
func factsOfEnvironment(t *testing.T, dropIn string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "env.conf")
	if err := os.WriteFile(file, []byte(dropIn), 0o600); err != nil {
		t.Fatal(err)
	}
	_, command, found := strings.Cut(factsScript, "sum=$(sed")
	command, _, ends := strings.Cut(command, ")\n")
	if !found || !ends {
		t.Fatal("facts.sh reads environments in another way")
	}
	c := exec.Command("sh", "-c", "sed"+command)
	c.Env = append(os.Environ(), "given="+file, "LC_ALL=C")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	sum, _, _ := strings.Cut(string(out), " ")
	return sum
}

func TestConfigFollowsK0sctl(t *testing.T) {
	c, ds := Describe([]byte(document3), site, "/overlay", "cluster.yaml")
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	c1, _ := c.Host("c1")
	want := `{"apiVersion":"k0s.k0sproject.io/v1beta1","kind":"ClusterConfig","metadata":{"name":"k0s"},` +
		`"spec":{"api":{"sans":["api.example.org","192.0.2.11","10.0.0.11"]},"network":{"provider":"calico"},` +
		`"storage":{"etcd":{"peerAddress":"10.0.0.11"}}}}`
	if string(c1.Config) != want {
		t.Errorf("config is\n%s\nwant\n%s", c1.Config, want)
	}
	if c1.ConfigDigest != digest([]byte(want)) || !json.Valid(c1.Config) {
		t.Errorf("digest %s does not belong to the configuration", c1.ConfigDigest)
	}
	if w, _ := c.Host("worker-1"); w.Config != nil || w.ConfigDigest != "" {
		t.Error("a worker has no k0s.yaml")
	}
	empty, ds := Describe([]byte(strings.Split(document3, "    config:")[0]), site, "", "cluster.yaml")
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	if h, _ := empty.Host("c1"); h.Config != nil {
		t.Errorf("without spec.k0s.config the configuration is k0s's own, not %s", h.Config)
	}
}

func TestDescribeRefuses(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(document3, old) {
			t.Fatalf("the document does not hold %q", old)
		}
		return strings.Replace(document3, old, new, 1)
	}
	cases := []struct{ name, doc, summary, text string }{
		{"unknown field", replace("role: controller\n", "role: controller\n    colour: red\n"), "does not fit", "colour"},
		{"no version (H10)", replace("    version: v1.36.3+k0s.2\n", ""), "not pinned", "spec.k0s.version"},
		{"loose version", replace("v1.36.3+k0s.2", "v1.36.3"), "not exact", "1.36.3"},
		{"no hostname", replace("    hostname: c1\n", ""), "no hostname", ""},
		{"same hostname", replace("hostname: c1", "hostname: worker-1"), "same hostname", "worker-1"},
		{"unknown role", replace("role: worker", "role: baker"), "rejects", "baker"},
		{"file missing", replace("    reset: true", "    files: [{src: nowhere.txt, dst: /tmp/x}]"), "missing", "nowhere.txt"},
		{"file from URL (H11)", replace("    reset: true", "    files: [{src: 'https://example.org/x', dst: /tmp/x}]"), "URL", "example.org"},
		{"openSSH", replace("ssh: {address: 192.0.2.21}", "openSSH: {address: 192.0.2.21}"), "cannot connect", "openSSH"},
		{"not YAML", "a: [", "does not fit", ""},
		{"another kind", replace("kind: Cluster\n", "kind: Clutter\n"), "not a k0sctl", "Clutter"},
		{"single host is validated too (H31)",
			`{apiVersion: k0sctl.k0sproject.io/v1beta1, kind: Cluster, spec: {hosts: [{role: controller, hostname: a, ` +
				`noTaints: true, ssh: {address: 1.2.3.4}}], k0s: {version: v1.36.3+k0s.2}}}`, "rejects the host", "noTaints"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, ds := Describe([]byte(c.doc), site, "/overlay", "cluster.yaml")
			if !ds.Has(lifecycle.SeverityError) {
				t.Fatalf("accepted: %v", ds)
			}
			if !slices.ContainsFunc(ds, func(d lifecycle.Diagnostic) bool {
				return strings.Contains(d.Summary, c.summary) && strings.Contains(d.Error(), c.text)
			}) {
				t.Errorf("no finding with %q and %q in:\n%v", c.summary, c.text, ds)
			}
		})
	}
}

// TestHazard_H33_HostKeysAreAlwaysChecked holds H33: no option in a document, and no environment, can loosen the check.
func TestHazard_H33_HostKeysAreAlwaysChecked(t *testing.T) {
	t.Setenv("SSH_KNOWN_HOSTS", "")
	doc := strings.Replace(document3, "ssh: {address: 192.0.2.21}",
		"ssh: {address: 192.0.2.21, options: {StrictHostKeyChecking: false, UserKnownHostsFile: /dev/null}, bastion: {address: 192.0.2.1}}", 1)
	_, ds := Describe([]byte(doc), site, "/overlay", "cluster.yaml")
	if !slices.ContainsFunc(ds, func(d lifecycle.Diagnostic) bool { return strings.Contains(d.Summary, "host key options") }) {
		t.Errorf("the overruled options are not named: %v", ds)
	}
	parts, err := cut([]byte(doc), site, "/overlay")
	if err != nil {
		t.Fatal(err)
	}
	_, h, err := parts.cluster("worker-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []map[string]any{h.SSH.SSHConfigOptions, h.SSH.Bastion.SSHConfigOptions} {
		if o["UserKnownHostsFile"] != "none" || o["GlobalKnownHostsFile"] != site.KnownHosts || o["StrictHostKeyChecking"] != "yes" {
			t.Errorf("host key options are %v", o)
		}
	}
	if _, ds := Describe([]byte(doc), lifecycle.SSH{}, "/overlay", "cluster.yaml"); !ds.Has(lifecycle.SeverityError) {
		t.Error("a site without known_hosts was accepted")
	}
}

// TestHazard_H26_EveryParseIsFresh holds H26: what one operation did to its objects is not seen by the next.
func TestHazard_H26_EveryParseIsFresh(t *testing.T) {
	parts, err := cut([]byte(document3), site, "/overlay")
	if err != nil {
		t.Fatal(err)
	}
	one, h, err := parts.cluster("worker-1")
	if err != nil {
		t.Fatal(err)
	}
	h.InstallFlags.Add("--force")
	h.Metadata.NeedsUpgrade = true
	one.Spec.K0s.Config["spec"] = nil
	two, again, err := parts.cluster("worker-1")
	if err != nil {
		t.Fatal(err)
	}
	if again.InstallFlags.Include("--force") || again.Metadata.NeedsUpgrade || two.Spec.K0s.Config["spec"] == nil {
		t.Error("an operation left something behind")
	}
	if n := len(two.Spec.Hosts); n != 3 {
		t.Errorf("%d hosts parsed, want the controllers and the one asked for", n)
	}
	if only, _, _ := parts.cluster("c1"); len(only.Spec.Hosts) != 2 {
		t.Errorf("%d hosts parsed for a controller, want the controllers", len(only.Spec.Hosts))
	}
}

// TestRemarks: what kiban does otherwise than k0sctl is said, and stops nothing.
func TestRemarks(t *testing.T) {
	cases := []struct{ name, add, summary string }{
		{"own binary (H19)", "    k0sBinaryPath: /opt/k0s\n", "own source of k0s"},
		{"existing binary (H19)", "    useExistingK0s: true\n", "own source of k0s"},
		{"hooks", "    hooks: {apply: {before: [date]}}\n", "hooks are not run"},
		{"secret", "    environment: {DB_PASSWORD: x}\n", "secrets in the clear"},
		{"disruption (H22)", "  options: {concurrency: {workerDisruptionPercent: 25}}\n", "workerDisruptionPercent"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, ds := Describe([]byte(strings.Replace(document3, "    reset: true\n", "    reset: true\n"+c.add, 1)), site, "/overlay",
				"cluster.yaml")
			if err := ds.Err(); err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(ds, func(d lifecycle.Diagnostic) bool { return strings.Contains(d.Summary, c.summary) && d.Hint != "" }) {
				t.Errorf("nothing about %q in %v", c.summary, ds)
			}
		})
	}
	if _, ds := Describe([]byte(document3), site, "/overlay", "cluster.yaml"); len(ds) != 0 {
		t.Errorf("a document without any of it has findings: %v", ds)
	}
}

// TestMetricsServerIsKept: a document that turns it off is told so.
func TestMetricsServerIsKept(t *testing.T) {
	for flag, told := range map[string]bool{"": false, "--disable-components=helm,metrics-server": true,
		"--disable-components=konnectivity-server": false} {
		doc := document3
		if flag != "" {
			doc = strings.Replace(doc, "    hostname: c1\n", "    hostname: c1\n    installFlags: ['"+flag+"']\n", 1)
		}
		_, ds := Describe([]byte(doc), site, "/overlay", "cluster.yaml")
		if got := slices.ContainsFunc(ds, func(d lifecycle.Diagnostic) bool { return d.Summary == "metrics-server is turned off" }); got != told {
			t.Errorf("%q: told %t, want %t: %v", flag, got, told, ds)
		}
	}
}

// What is declared as names of the API server's certificate is there, or it is said: nothing is dropped on the way.
func TestNamesAreNotDropped(t *testing.T) {
	for sans, said := range map[string]string{
		"10.9.0.5": "must be a list", "[10.9.0.5, 7]": "7 is none", "[10.9.0.5]": "", "null": "", "{a: b}": "must be a list",
	} {
		config := dig.Mapping{}
		if err := yaml.Unmarshal([]byte("spec: {api: {sans: "+sans+"}}"), &config); err != nil {
			t.Fatal(err)
		}
		err := addNames(config, nil)
		if (err != nil) != (said != "") || err != nil && !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %v", sans, err)
		}
	}
}

// Where the configuration is dynamic, what k0s keeps in the cluster is told apart from what is a controller's own.
func TestSharedConfigurationOfADynamicCluster(t *testing.T) {
	dynamic := strings.Replace(document3, "  k0s:\n", "  k0s:\n    dynamicConfig: true\n", 1)
	c, ds := Describe([]byte(dynamic), site, "/overlay", "cluster.yaml")
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	if got := string(c.Config); got != `{"spec":{"network":{"provider":"calico"}}}` {
		t.Errorf("in the cluster: %s", got)
	}
	if c, _ = Describe([]byte(document3), site, "/overlay", "cluster.yaml"); c.Config != nil {
		t.Errorf("it is not dynamic, and has %s", c.Config)
	}
}
