package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// importCase is a k0sctl document with one thing changed: what is written in place of KIND, META, K0S (of spec.k0s), MORE (of spec), HOST
// and SSH (of the controller), WAY (all of its connection) and WORKER.
type importCase struct {
	field string // of k0sctl's types; "" for what is none
	put   string // "HOST dataDir: /x"
	says  string // "": imported without a word; "!..." refused; else imported with that warning
}

// Whatever k0sctl takes is imported, or refused with the line and the way on: each field of its types, in the forms that people write.
var importCases = []importCase{
	{"apiVersion", "API k0sctl.k0sproject.io/v1alpha1", "!Write `apiVersion"},
	{"kind", "KIND cluster", ""},
	{"metadata.name", "META {}", ""},
	{"metadata.user", "META {name: plant, user: admin}", ""},
	{"spec.hosts.dataDir", "WORKER dataDir: /data/k0s", ""},
	{"spec.hosts.environment", "WORKER environment: {HTTP_PROXY: 'http://p:3128', FOO: 1, BAR: true}", ""},
	{"spec.hosts.files.data", "WORKER files: [{name: motd, data: hi, dstDir: /etc/k0s}]", ""},
	{"spec.hosts.files.src", "WORKER files: [{src: f.txt, dst: /etc/k0s/f}]", ""},
	{"spec.hosts.files.src", "WORKER files: [{src: '*.txt', dstDir: /etc/k0s/d}]", ""},
	{"spec.hosts.files.src", "WORKER files: [{src: 'https://x/y', dst: /etc/k0s/y}]", "!Copy the file into the repository"},
	{"spec.hosts.files.src", "WORKER files: [{src: none.txt, dst: /etc/k0s/f}]", "!Write src relative to"},
	{"spec.hosts.files.dst", "WORKER files: [{src: f.txt, dst: f}]", "!from the root"},
	{"spec.hosts.files.dstDir", "WORKER files: [{src: f.txt, dstDir: /etc/k0s}]", ""},
	{"spec.hosts.files.name", "WORKER files: [{name: f, src: f.txt, dstDir: /etc/k0s}]", ""},
	{"spec.hosts.files.perm", "WORKER files: [{src: f.txt, dst: /etc/k0s/f, perm: 0600}]", ""},
	{"spec.hosts.files.perm", "WORKER files: [{src: f.txt, dst: /etc/k0s/f, perm: '0644'}]", ""},
	{"spec.hosts.files.dirPerm", "WORKER files: [{src: f.txt, dst: /etc/k0s/f, dirPerm: 0700}]", ""},
	{"spec.hosts.files.user", "WORKER files: [{src: f.txt, dst: /etc/k0s/f, user: root}]", ""},
	{"spec.hosts.files.group", "WORKER files: [{src: f.txt, dst: /etc/k0s/f, group: root}]", ""},
	{"spec.hosts.hooks", "WORKER hooks: {install: {before: [date]}, upgrade: {after: [date]}, reset: {after: [date]}}", ""},
	{"spec.hosts.hooks", "WORKER hooks: {apply: {before: [date]}}", "Move what they do into one of those"},
	{"spec.hosts.hooks", "WORKER hooks: {connect: {after: [date]}, backup: {after: [date]}}", "some hooks are not run"},
	{"spec.hosts.hostname", "WORKER os: debian", ""}, // as every host below has one
	{"spec.hosts.installFlags", "WORKER installFlags: ['--debug', --labels=a=b]", ""},
	{"spec.hosts.installFlags", `WORKER installFlags: ['--kubelet-extra-args="--max-pods=200 --v=2"']`, ""},
	{"spec.hosts.installFlags", "WORKER installFlags: ['--labels a=b', '--taints', 'x=y:NoSchedule']", ""},
	{"spec.hosts.installFlags", "WORKER installFlags: ['--labels=a=b', '--labels=c=d']", ""},
	{"spec.hosts.installFlags", "HOST installFlags: [--enable-worker]", ""},
	{"spec.hosts.installFlags", "HOST installFlags: [--enable-worker=true, --no-taints]", ""},
	{"spec.hosts.installFlags", "WORKER installFlags: [--data-dir=/data/k0s]", "Write `dataDir: /data/k0s` instead"},
	{"spec.hosts.installFlags", "WORKER installFlags: [--unheard=1]", "!The flags are"},
	{"spec.hosts.k0sBinaryPath", "WORKER k0sBinaryPath: ./k0s", "!set spec.binaries"},
	{"spec.hosts.k0sDownloadURL", "WORKER k0sDownloadURL: 'https://x/k0s'", "!set spec.binaries"},
	{"spec.hosts.useExistingK0s", "WORKER useExistingK0s: true", "!set spec.binaries"},
	{"spec.hosts.k0sInstallPath", "WORKER k0sInstallPath: /opt/bin/k0s", ""},
	{"spec.hosts.k0sInstallPath", "WORKER k0sInstallPath: /home/k0s/k0s", "!Name a file called k0s below"},
	{"spec.hosts.kubeletRootDir", "WORKER kubeletRootDir: /data/kubelet", ""},
	{"spec.hosts.localhost", "WAY localhost: true", "!Use `ssh:`"},
	{"spec.hosts.openSSH", "WAY openSSH: {address: 127.0.0.1}", "!Use `ssh:`"},
	{"spec.hosts.winRM", "WAY winRM: {address: 127.0.0.1, user: a, password: b}", "!Use `ssh:`"},
	{"spec.hosts.noTaints", "HOST noTaints: true, installFlags: [--enable-worker]", ""},
	{"spec.hosts.noTaints", "WORKER noTaints: true", "!noTaints"},
	{"spec.hosts.os", "WORKER os: flatcar", ""},
	{"spec.hosts.privateAddress", "WORKER privateInterface: eth1", ""},
	{"spec.hosts.privateInterface", "HOST privateInterface: wg0", ""},
	{"spec.hosts.reset", "WORKER reset: true", ""},
	{"spec.hosts.role", "WORKER uploadBinary: yes", ""},
	{"spec.hosts.uploadBinary", "WORKER uploadBinary: true", ""},
	{"spec.hosts.ssh.address", "WAY ssh: {address: $ADDRESS, port: 1}", "!Write the value itself"},
	{"spec.hosts.ssh.user", "SSH user: ops", ""},
	{"spec.hosts.ssh.port", "WAY ssh: {address: 127.0.0.1, port: '1'}", "!Correct the value"},
	{"spec.hosts.ssh.keyPath", "SSH keyPath: ~/.ssh/id", ""},
	{"spec.hosts.ssh.bastion", "SSH bastion: {address: 127.0.0.3, port: 1, user: j}", ""},
	{"spec.hosts.ssh.options", "SSH options: {Ciphers: aes128-ctr}", ""},
	{"spec.hosts.ssh.options", "SSH options: {StrictHostKeyChecking: 'no'}", "Host keys are always checked"},
	{"spec.hosts.ssh.options", "SSH options: {ProxyCommand: nc}", "!Write `bastion:`"},
	{"spec.k0s.config", "K0S config: {spec: {telemetry: {enabled: false}}}", ""},
	{"spec.k0s.config", "K0S config: {spec: {telemetri: {enabled: false}}}", "!Did you mean"},
	{"spec.k0s.dynamicConfig", "K0S dynamicConfig: true", ""},
	{"spec.k0s.version", "VERSION 1.36.3+k0s.2", ""},
	{"spec.k0s.version", "VERSION 1.36.3", "!exact"},
	{"spec.k0s.versionChannel", "VERSION null, versionChannel: stable", "!set spec.k0s.version"},
	{"spec.options.concurrency.limit", "MORE options: {concurrency: {limit: 10}}", "concurrency.limit"},
	{"spec.options.concurrency.uploads", "MORE options: {concurrency: {uploads: 1}}", "concurrency.uploads"},
	{"spec.options.concurrency.workerDisruptionPercent", "MORE options: {concurrency: {workerDisruptionPercent: 20}}", ""},
	{"spec.options.drain.deleteEmptyDirData", "MORE options: {drain: {deleteEmptyDirData: false}}", "drain.deleteEmptyDirData"},
	{"spec.options.drain.enabled", "MORE options: {drain: {enabled: false}}", "drain.enabled"},
	{"spec.options.drain.force", "MORE options: {drain: {force: false}}", "drain.force"},
	{"spec.options.drain.gracePeriod", "MORE options: {drain: {gracePeriod: 1m}}", "drain.gracePeriod"},
	{"spec.options.drain.ignoreDaemonSets", "MORE options: {drain: {ignoreDaemonSets: false}}", "drain.ignoreDaemonSets"},
	{"spec.options.drain.podSelector", "MORE options: {drain: {podSelector: a=b}}", "drain.podSelector"},
	{"spec.options.drain.skipWaitForDeleteTimeout", "MORE options: {drain: {skipWaitForDeleteTimeout: 9s}}", "drain.skipWaitForDeleteTimeout"},
	{"spec.options.drain.timeout", "MORE options: {drain: {timeout: 9m}}", "Set spec.upgrade of the Site"},
	{"spec.options.evictTaint.controllerWorkers", "MORE options: {evictTaint: {enabled: true, controllerWorkers: true}}",
		"evictTaint.controllerWorkers"},
	{"spec.options.evictTaint.effect", "MORE options: {evictTaint: {enabled: true, effect: NoSchedule}}", "evictTaint.effect"},
	{"spec.options.evictTaint.enabled", "MORE options: {evictTaint: {enabled: true}}", "evictTaint.enabled"},
	{"spec.options.evictTaint.taint", "MORE options: {evictTaint: {taint: 'a=b:NoExecute'}}", "evictTaint.taint"},
	{"spec.options.wait.enabled", "MORE options: {wait: {enabled: false}}", "wait.enabled"},
	{"", "WORKER adress: x", "!adress"},
	{"", "MORE nonsense: {}", "!nonsense"},
}

func TestImportTakesWhatK0sctlTakes(t *testing.T) {
	listed, err := os.ReadFile(filepath.Join("..", "..", "lifecycle", "k0s", "testdata", "k0sctl_fields.txt"))
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for field := range strings.FieldsSeq(string(listed)) {
		missing[field] = true
	}
	fleet := t.TempDir()
	for name, content := range map[string]string{"overlays/README.md": "", "f.txt": "x", "g.txt": "y", "known_hosts": "127.0.0.? " +
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3z1Y0e1Yf3mE0n8u3C9l0g1b7o0Qw1r2s3t4u5v6w7\n"} {
		path := filepath.Join(fleet, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", t.TempDir())
	line := regexp.MustCompile(`k0sctl\.yaml( line [0-9]+|\n)`)
	for _, c := range importCases {
		delete(missing, c.field)
		file := filepath.Join(fleet, "k0sctl.yaml")
		if err := os.WriteFile(file, []byte(k0sctlDocument(c.put)), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := Run(t.Context(), Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
			Size: func() (int, int) { return 80, 24 }},
			[]string{"--fleet", fleet, "import", file, "--offline", "--site", "plant", "--known-hosts", filepath.Join(fleet, "known_hosts")})
		says, refused := strings.CutPrefix(c.says, "!")
		switch said := errs.String(); {
		case (code != exitDone) != refused, !strings.Contains(said, says), c.says == "" && said != "":
			t.Errorf("%s: exit %d, want %q:\n%s", c.put, code, c.says, said)
		case refused && !line.MatchString(said):
			t.Errorf("%s: the refusal names no line of the document:\n%s", c.put, said)
		}
		if err := os.RemoveAll(filepath.Join(fleet, "overlays", "plant")); err != nil {
			t.Fatal(err)
		}
	}
	for field := range missing {
		t.Errorf("no document with %s is imported", field)
	}
}

// TestImportShowsHostKeys: before a machine is asked for its name, a person sees whose keys they are, and whose is not known yet.
func TestImportShowsHostKeys(t *testing.T) {
	fleet := t.TempDir()
	if err := os.Mkdir(filepath.Join(fleet, "overlays"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(fleet, "k0sctl.yaml")
	document := strings.Replace(k0sctlDocument("HOST noTaints: false"), "hostname: w1, ", "", 1)
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	s := wire()
	s.HostKeys = func(_ context.Context, site lifecycle.Site) (lifecycle.HostKeys, error) {
		var seen lifecycle.HostKeys
		for _, h := range site.Cluster.Hosts {
			seen.Keys = append(seen.Keys, lifecycle.HostKey{Host: h.Name, Address: h.Address, Type: "ssh-ed25519", Fingerprint: "SHA256:x"})
		}
		return seen, nil
	}
	var out, errs bytes.Buffer
	streams := Streams{In: strings.NewReader("no\n"), InTTY: true, Out: &out, Err: &errs, Getenv: func(string) string { return "" },
		Size: func() (int, int) { return 80, 24 }}
	code := run(t.Context(), streams, []string{"--fleet", fleet, "import", file}, s)
	for _, line := range []string{`HOST +ADDRESS`, `cp1 +127.0.0.1`, `not known yet +127.0.0.2`, `Are these the machines' host keys\?`} {
		if !regexp.MustCompile(`(?m)^` + line).MatchString(errs.String()) {
			t.Errorf("no line %q", line)
		}
	}
	if _, err := os.Stat(filepath.Join(fleet, "overlays", "plant")); code != exitFailed || err == nil {
		t.Errorf("exit %d, and %v", code, err)
	}
	if t.Failed() {
		t.Log(errs.String())
	}
}

func k0sctlDocument(put string) string {
	where, what, _ := strings.Cut(put, " ")
	in := map[string]string{"API": "k0sctl.k0sproject.io/v1beta1", "KIND": "Cluster", "META": "{name: plant}", "VERSION": "v1.36.3+k0s.2",
		"WAY": "ssh: {address: 127.0.0.1, port: 1<SSH>}", "MORE": ""}
	for _, place := range []string{"HOST", "WORKER", "K0S", "SSH"} {
		in[place] = ""
		if place == where {
			what = ", " + what
		}
	}
	in[where] = what
	doc := `apiVersion: <API>
kind: <KIND>
metadata: <META>
spec:
  hosts:
  - {hostname: cp1, role: controller, privateAddress: 10.9.0.11, <WAY><HOST>}
  - {hostname: w1, role: worker, privateAddress: 10.9.0.21, ssh: {address: 127.0.0.2, port: 1}<WORKER>}
  k0s: {version: <VERSION><K0S>}
  <MORE>
`
	for _, place := range []string{"API", "KIND", "META", "WAY", "HOST", "SSH", "WORKER", "VERSION", "K0S", "MORE"} {
		doc = strings.Replace(doc, "<"+place+">", in[place], 1)
	}
	return doc
}
