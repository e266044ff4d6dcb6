package k0s

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestSSHArguments: OpenSSH reaches a machine as kiban does, by OpenSSH's own account, and so does the client that it starts for a bastion.
func TestSSHArguments(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a fleet, 100% ours")
	known := filepath.Join(dir, "known_hosts")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(known, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	site := lifecycle.Site{Name: "x", Dir: dir, SSH: lifecycle.SSH{KnownHosts: known, User: "ops", Port: 2222, KeyPath: "keys/it's mine"}}
	site.Cluster.Hosts = []lifecycle.Host{{Name: "w1", Role: lifecycle.RoleWorker, Address: "10.0.0.1"}}
	site.Cluster.Document = []byte(`apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata: {name: x}
spec:
  hosts:
  - hostname: w1
    role: worker
    ssh: {address: 10.0.0.1, bastion: {address: 192.0.2.1, user: jump, port: 2022, keyPath: "jump's key"}}
  k0s: {version: v1.36.3+k0s.0}
`)
	args, err := SSHArguments(site, "w1")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(args, "\n")
	for _, want := range []string{"-F\nnone\n", "-o\nStrictHostKeyChecking=yes\n", "-o\nUserKnownHostsFile=none\n",
		"-o\nGlobalKnownHostsFile=\"" + known + "\"\n", "-i\n" + filepath.Join(dir, "keys/it's mine") + "\n", "-p\n2222\n-l\nops\n--\n10.0.0.1"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	var proxy string
	for _, a := range args {
		if p, ok := strings.CutPrefix(a, "ProxyCommand="); ok {
			proxy = p
		}
	}
	for _, want := range []string{"'-l' 'jump' -W '[%h]:%p' '--' '192.0.2.1'", "100%% ours", `'jump'\''s key'`[1:]} {
		if !strings.Contains(proxy, want) {
			t.Errorf("there is no %q in ProxyCommand=%s", want, proxy)
		}
	}
	client, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("there is no ssh to ask")
	}
	out, err := exec.Command(client, append([]string{"-G"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"user ops\n", "port 2222\n", "hostname 10.0.0.1\n", "stricthostkeychecking true\n",
		"userknownhostsfile none\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("ssh does not say %q", want)
		}
	}
	if _, err := SSHArguments(site, "w2"); err == nil {
		t.Error("a machine that is not declared can be reached")
	}
}
