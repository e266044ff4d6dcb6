package k0s

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestA2_SessionRefusesWhatIsNotAllowed: where a document is acted upon it is held to the same allow lists that a fleet is validated by,
// whatever it went through before. Nothing is dialled.
func TestA2_SessionRefusesWhatIsNotAllowed(t *testing.T) {
	for name, c := range map[string]struct{ add, says string }{
		"a program as transport": {"    ssh: {address: 10.0.0.21, options: {ProxyCommand: id}}\n", "ProxyCommand"},
		"in capitals":            {"    ssh: {address: 10.0.0.21, options: {PROXYCOMMAND: id}}\n", "PROXYCOMMAND"},
		"of a bastion": {"    ssh: {address: 10.0.0.21, bastion: {address: 10.0.0.1, options: {ProxyCommand: id}}}\n",
			"ProxyCommand"},
		"an option as address":         {"    ssh: {address: '-oProxyCommand=id'}\n", "-oProxyCommand=id"},
		"a command behind an address":  {"    ssh: {address: '10.0.0.21; id'}\n", "10.0.0.21; id"},
		"an option as user":            {"    ssh: {address: 10.0.0.21, user: '-oProxyCommand=id'}\n", "-oProxyCommand=id"},
		"an option as bastion":         {"    ssh: {address: 10.0.0.21, bastion: {address: '-oProxyCommand=id'}}\n", "-oProxyCommand=id"},
		"another address":              {"    ssh: {address: 10.0.0.21, options: {Hostname: 10.6.6.6}}\n", "Hostname"},
		"a program as k0s":             {"    k0sInstallPath: /sbin/reboot\n", "/sbin/reboot"},
		"a key as configuration":       {"    installFlags: [--config=/var/lib/k0s/pki/ca.key]\n", "ca.key"},
		"a key in an entry of its own": {"    installFlags: [--config, /var/lib/k0s/pki/ca.key]\n", "ca.key"},
		"a system folder as data":      {"    dataDir: /etc\n", "/etc"},
		"a system folder by a flag":    {"    installFlags: [--data-dir=/etc]\n", "/etc"},
		"a system folder in two":       {"    installFlags: [--data-dir, /etc]\n", "/etc"},
		"another token":                {"    installFlags: [--token-file=/etc/shadow]\n", "/etc/shadow"},
		"this machine":                 {"    localhost: true\n", "localhost"},
		"a file over who may log in":   {"    files: [{name: x, data: y, dst: /root/.ssh/authorized_keys}]\n", "authorized_keys"},
		"a file over k0s's own key":    {"    files: [{name: x, data: y, dst: /var/lib/k0s/pki/ca.key}]\n", "ca.key"},
		"a file over the program":      {"    files: [{name: x, data: y, dst: /usr/local/bin/k0s}]\n", "/usr/local/bin/k0s"},
	} {
		t.Run(name, func(t *testing.T) {
			host := "  - role: worker\n    hostname: w9\n    privateAddress: 10.0.0.29\n"
			if !strings.Contains(c.add, "ssh:") && !strings.Contains(c.add, "localhost:") {
				host += "    ssh: {address: 10.0.0.29}\n"
			}
			doc := strings.Replace(document3, "  hosts:\n", "  hosts:\n"+host+c.add, 1)
			cluster, ds := Describe([]byte(doc), site, t.TempDir(), "cluster.yaml")
			if ds.Err() != nil {
				t.Fatal(ds)
			}
			s, err := Open(lifecycle.Site{Cluster: cluster, SSH: site}, Options{})
			if err == nil {
				s.Close()
				t.Fatal("it is opened")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %s", err, c.says)
			}
		})
	}
}

// TestFlagsInTwoEntries: k0sctl passes both on, and k0s reads them as one.
func TestFlagsInTwoEntries(t *testing.T) {
	doc := strings.Replace(document3, "  hosts:\n", "  hosts:\n  - role: worker\n    hostname: w9\n    privateAddress: 10.0.0.29\n"+
		"    ssh: {address: 10.0.0.29}\n    installFlags: [--labels, a=b, --data-dir, /data/k0s]\n", 1)
	cluster, ds := Describe([]byte(doc), site, t.TempDir(), "cluster.yaml")
	if ds.Err() != nil {
		t.Fatal(ds)
	}
	h, _ := cluster.Host("w9")
	if got := strings.Join(h.Arguments, " "); !strings.Contains(got, "--data-dir=/data/k0s") || !strings.Contains(got, "--labels=a=b") {
		t.Errorf("the arguments are %s", got)
	}
	s, err := Open(lifecycle.Site{Cluster: cluster, SSH: site}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}
