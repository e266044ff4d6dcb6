package allowed

import (
	"slices"
	"strings"
	"testing"
)

// TestA2_SSHOptions: an option may choose algorithms, identities and times. None starts a program or leads elsewhere.
func TestA2_SSHOptions(t *testing.T) {
	for name, values := range map[string][]any{
		"Ciphers": {"aes128-ctr,aes256-ctr", "+aes128-cbc", []any{"aes128-ctr", "aes256-ctr"}}, "ciphers": {"aes128-ctr"},
		"KexAlgorithms": {"curve25519-sha256@libssh.org"}, "HostKeyAlgorithms": {"-ssh-rsa*"}, "MACs": {"hmac-sha2-256"},
		"ConnectTimeout": {10, "1m30s"}, "ServerAliveInterval": {5}, "ServerAliveCountMax": {3}, "TCPKeepAlive": {true, "no"},
		"IdentitiesOnly": {true, "yes"}, "CertificateFile": {"~/.ssh/id-cert.pub", "none"}, "PreferredAuthentications": {"publickey"},
		"StrictHostKeyChecking": {"yes", false}, "UserKnownHostsFile": {"/dev/null"}, "AddressFamily": {"inet6"}, "LogLevel": {"ERROR"},
		"BindAddress": {"10.0.0.1", "fe80::1%eth0"}, "RekeyLimit": {"1G 1h"}, "Compression": {nil},
	} {
		for _, value := range values {
			if r := SSHOption(name, value); r.Refused() {
				t.Errorf("%s: %v is refused: %+v", name, value, r)
			}
		}
	}
	for name, value := range map[string]any{
		"ProxyCommand": "sh -c id", "proxycommand": "sh -c id", "LocalCommand": "id", "PermitLocalCommand": true, "KnownHostsCommand": "/bin/id",
		"Match": "exec id", "Include": "/etc/x", "Hostname": "10.6.6.6", "HostKeyAlias": "other", "IdentityAgent": "/tmp/agent",
		"ProxyJump": "evil", "ProxyUseFdpass": true, "PKCS11Provider": "/tmp/x.so", "SecurityKeyProvider": "/tmp/x.so", "XAuthLocation": "/tmp/x",
		"ForwardAgent": true, "ForwardX11": true, "LocalForward": "1 a:1", "RemoteForward": "1 a:1", "DynamicForward": "1", "Tunnel": "yes",
		"ControlPath": "/tmp/x", "ControlMaster": "auto", "SendEnv": "*", "SetEnv": "A=b", "RemoteCommand": "id", "VerifyHostKeyDNS": true,
		"NoHostAuthenticationForLocalhost": true, "IdentityFile": "/proc/self/environ", "User": "root", "Port": 2222, "Nonsense": "x",
		"RevokedHostKeys": "/tmp/x", "CanonicalizeHostname": "always", "UpdateHostKeys": true,
	} {
		if r := SSHOption(name, value); !r.Refused() || r.Try == "" || r.Why == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for name, value := range map[string]any{"CertificateFile": "/tmp/${KIBAN_GITLAB_TOKEN}", "ConnectTimeout": "soon", "Ciphers": "$(id)",
		"BatchMode": map[string]any{}, "BindAddress": "a\nProxyCommand id", "LogLevel": []any{"ERROR", "a b"}} {
		if r := SSHOption(name, value); !r.Refused() || r.Try == "" {
			t.Errorf("%s: %v is no value: %+v", name, value, r)
		}
	}
	if r := SSHOption("Hostname", "x"); !strings.Contains(r.Try, "address:") {
		t.Errorf("the field for it is not named: %+v", r)
	}
}

// TestA2_Reach: an address and a user are one word each, for a shell that they are copied into and for ssh.
func TestA2_Reach(t *testing.T) {
	for judge, c := range map[string]struct {
		by       func(string) Refusal
		yes, not []string
	}{
		"address": {Address,
			[]string{"192.0.2.11", "fe80::1%eth0", "2001:db8::1", "node-1", "node_1.example.com", "node-1.example.com.", "a",
				"xn--bcher-kva.example", strings.Repeat("a", 253) + "."},
			[]string{"", "-oProxyCommand=id", "10.0.0.1; id", "10.0.0.1\nHost *", "$(id)", "${TOKEN}.example", "`id`", "a b", "а.example",
				"１９２.0.2.1", "a|b", "a\u202eb", "host:22", "root@host", "[::1]", "a\x00", "-", strings.Repeat("a", 254)}},
		"user": {User,
			[]string{"root", "ubuntu", "first.last", "ops@example.com", `CORP\ops`, "_k0s", "core-1", strings.Repeat("a", 255)},
			[]string{"", "-oProxyCommand=id", "root -o X", "root;id", "$USER", "a\nb", "rооt", "a`id`", strings.Repeat("a", 256)}},
		"known_hosts": {KnownHosts,
			[]string{"known_hosts", "../../.lab/ssh/known_hosts", "/etc/ssh/known_hosts", "~/.ssh/known_hosts",
				"/home/Jürgen/my fleet/known_hosts"},
			[]string{"", "-x", "known_hosts; id", "$(id)", "a`id`", "a\nb", "a|b", "'a'", "a>b", "a&b"}},
	} {
		for _, text := range c.yes {
			if r := c.by(text); r.Refused() {
				t.Errorf("%s: %q is refused: %+v", judge, text, r)
			}
		}
		for _, text := range c.not {
			if r := c.by(text); !r.Refused() || r.Try == "" {
				t.Errorf("%s: %q: %+v", judge, text, r)
			}
		}
	}
}

// TestA2_InstallFlags: the flags of `k0s install`, in all their spellings, and what is none of them.
func TestA2_InstallFlags(t *testing.T) {
	for _, entry := range []string{
		"--debug", "--debug=true", "-d", "-v", "--enable-worker", "--enable-worker=true", "--no-taints", "--single", "--force", "--start",
		"--labels=a=b", "--labels a=b", "--labels='a=b,c/d=e'", `--labels="a=b"`, "--labels=topology.kubernetes.io/zone=rack-d,type=storage",
		"--labels=role", " --labels=a=b ", "--taints=a=b:NoSchedule", "--taints a:NoExecute", "--profile=gpu", "--ignore-pre-flight-checks",
		"--kubelet-extra-args='--v=4 --max-pods=50'", `--kubelet-extra-args="--node-labels='a=b'"`, "--kubelet-extra-args=--v=4",
		"--kubelet-extra-args=-v 4", "--kubelet-extra-args=", "--kube-controller-manager-extra-args='--node-monitor-period=3s'",
		"--disable-components=helm,metrics-server", "--disable-components konnectivity-server", "--feature-gates=A=true,B=false",
		"--logging=kubelet=2,etcd=debug", "-l kubelet=2", "--iptables-mode=nft", "--cri-socket=remote:/run/containerd/containerd.sock",
		"--cri-socket remote:unix:///var/run/crio/crio.sock", "--data-dir=/data/k0s", "--kubelet-root-dir=/var/lib/kubelet",
		"--token-file=/etc/k0s/k0stoken", "--token-file /run/k0s/token", "--config=/etc/k0s/k0s.yaml", "-c /etc/k0s/k0s.yaml",
		"--status-socket=/run/k0s/status.sock", "--k0s-cloud-provider-port=10258", "--k0s-cloud-provider-update-frequency=2m0s",
		"--api-server-stop-timeout=30s", "--env=HTTPS_PROXY=http://proxy:3128", "-e NO_PROXY=a,b", "--debugListenOn=:6060",
		"--enable-dynamic-config=true", "--enable-metrics-scraper", "--enable-cloud-provider=false", "--cidr-range=10.96.0.0/12", "--init-only",
	} {
		if r := InstallFlag(entry, nil); r.Refused() {
			t.Errorf("%q is refused: %+v", entry, r)
		}
	}
	for _, entry := range []string{
		"--config=/var/lib/k0s/pki/ca.key", "--config /root/.ssh/id_ed25519", "-c=/etc/shadow", "-c /etc/shadow", "-c/etc/shadow", "--config=-",
		"--config='/var/lib/k0s/pki/ca.key'", "--config=/etc/k0s/../shadow", "--config=/etc/k0s/k0stoken", "--config",
		"--config=etc/k0s/k0s.yaml",
		"--token-file=/etc/shadow", "--token-file=/etc/k0s/../passwd", "--token-file=/var/lib/k0s/pki/ca.key", "--token-file=/etc/k0s/k0s.yaml",
		"--data-dir=/", "--data-dir=/etc", "--data-dir=/var/lib", "--data-dir=/usr/lib/x", "--data-dir=../x", "--kubelet-root-dir=/root",
		"--status-socket=/etc/x", "--cri-socket=/bin/sh", "--cri-socket=remote:/etc/x", "--labels=a=b\nExecStartPre=/bin/id",
		"--kubelet-extra-args=--v=4\n--x", "--kubelet-extra-args='--v=4", "--kubelet-extra-args=id", "--profile=a b", "--iptables-mode=$(id)",
		"--env=A=b\nUser=x", "--env=a b=c", "--debug=maybe", "--labels=a=b --config=/x", "--help", "--unknown=x", "enable-worker", "", "-x", "--",
		"--disable-components=a;b", "--taints=a=$(id)",
	} {
		if r := InstallFlag(entry, nil); !r.Refused() || r.Try == "" {
			t.Errorf("%q passes: %+v", entry, r)
		}
	}
	got := Joined([]string{"--labels", "a=b", "--debug", "-c", "/etc/shadow", "x", "--taints=a:b", "c"})
	if want := []string{"--labels=a=b", "--debug", "-c=/etc/shadow", "x", "--taints=a:b", "c"}; !slices.Equal(got, want) {
		t.Errorf("joined %q, want %q", got, want)
	}
}

// TestA2_PathsByPurpose: a path on a machine may be where such a thing may be.
func TestA2_PathsByPurpose(t *testing.T) {
	for _, c := range []struct {
		what      string
		judge     func(string) Refusal
		good, bad []string
	}{
		{"a binary", Binary, []string{"/usr/local/bin/k0s", "/opt/bin/k0s", "/opt/k0s/bin/k0s", "/usr/bin/k0s", "/var/lib/k0s/k0s"},
			[]string{"/sbin/reboot", "/usr/bin/reboot", "/usr/local/bin/../../sbin/k0s", "/tmp/k0s", "/home/x/k0s", "k0s", "/etc/k0s/k0s", "/k0s",
				"/usr/local/bin/k0s; id", "/opt/k0s/", ""}},
		{"a data folder", DataDir, []string{"/var/lib/k0s", "/data", "/data/k0s", "/mnt/disk1/k0s", "/srv/k0s", "/opt/k0s", "/k0s",
			"/usr/local/k0s",
			"/var/lib/kubelet", "/home/k0s"},
			[]string{"/", "/etc", "/etc/k0s", "/usr", "/usr/lib/k0s", "/var", "/var/lib", "/var/log/k0s", "/root", "/root/k0s", "/home", "/opt",
				"/mnt", "/run/k0s",
				"/boot/k0s", "/data/", "/data/../etc", "data", "/tmp/k0s", "/data/a b"}},
	} {
		for _, p := range c.good {
			if r := c.judge(p); r.Refused() {
				t.Errorf("%s: %s is refused: %+v", c.what, p, r)
			}
		}
		for _, p := range c.bad {
			if r := c.judge(p); !r.Refused() || r.Try == "" {
				t.Errorf("%s: %q passes", c.what, p)
			}
		}
	}
}

// TestA2_FilesOfHosts: files of a cluster go to where its programs read them, not over what decides who is root.
func TestA2_FilesOfHosts(t *testing.T) {
	m := Machine{DataDir: "/data/k0s"}
	for _, p := range []string{"/etc/motd", "/etc/k0s/audit-policy.yaml", "/etc/k0s/containerd.d/registry.toml",
		"/etc/containerd/certs.d/a/hosts.toml",
		"/var/lib/k0s/images/bundle.tar", "/data/k0s/images/bundle.tar", "/data/k0s/manifests/x/y.yaml", "/etc/sysctl.d/90-k8s.conf",
		"/etc/modules-load.d/br.conf", "/etc/systemd/system/k0sworker.service.d/limits.conf", "/etc/security/limits.d/k0s.conf",
		"/usr/local/share/ca-certificates/ours.crt", "/opt/cni/bin/x", "/srv/x", "/var/lib/app/x y", "/etc/multipath.conf",
		"/etc/chrony/chrony.conf"} {
		if r := m.File(p, nil); r.Refused() {
			t.Errorf("%s is refused: %+v", p, r)
		}
	}
	bad := []string{"/etc/shadow", "/etc/passwd", "/etc/sudoers", "/etc/sudoers.d/x", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/x",
		"/etc/pam.d/sudo",
		"/root/.ssh/authorized_keys", "/home/ops/.ssh/authorized_keys", "/opt/x/.ssh/authorized_keys", "/etc/cron.d/x", "/etc/crontab",
		"/etc/ld.so.preload", "/etc/profile.d/x.sh", "/data/k0s/pki/ca.key", "/data/k0s/etcd/x", "/data/k0s/bin/kubelet", "/usr/bin/k0s",
		"/bin/sh",
		"/boot/x", "/proc/sysrq-trigger", "/run/kiban/lock", "/root/x"}
	for _, p := range bad {
		if r := m.File(p, nil); !r.Refused() || !strings.Contains(r.Try, "hostFiles") {
			t.Errorf("%s passes, or there is no way to declare it: %+v", p, r)
		}
		if r := m.File(p, []string{p}); r.Refused() {
			t.Errorf("%s is refused although the owners name it: %+v", p, r)
		}
	}
	if r := m.File("/etc/ssh/sshd_config.d/x", []string{"/etc/ssh/sshd_config.d/"}); r.Refused() {
		t.Errorf("a folder that the owners name: %+v", r)
	}
	for _, p := range []string{"/etc/k0s/k0s.yaml", "/etc/k0s/k0stoken", "/usr/local/bin/k0s", "/usr/local/bin/k0s.kiban-v1", "etc/x",
		"/etc/../x", "/",
		"/etc/systemd/system/k0sworker.service", "/etc/a\nb"} {
		if r := m.File(p, []string{p, "/"}); !r.Refused() {
			t.Errorf("%q passes", p)
		}
	}
}
