package k0s

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const nonce = "0123456789abcdef"

// said builds a script's output: "name=value" facts, and blocks as "name<exit>\n" + text.
func said(parts ...string) []byte {
	var b strings.Builder
	for _, p := range append(append([]string{"facts=1"}, parts...), "done=1") {
		if name, rest, ok := strings.Cut(p, "<"); ok && !strings.Contains(name, "=") {
			exit, text, _ := strings.Cut(rest, ">")
			b.WriteString(nonce + " begin " + name + "\n" + text + "\n" + nonce + " end " + name + " " + exit + "\n")
			continue
		}
		b.WriteString(nonce + " " + p + "\n")
	}
	return []byte(b.String())
}

// asked is a question to a host of that role.
func asked(role lifecycle.Role) question {
	return question{host: lifecycle.Host{Name: "h1", Role: role}, paths: paths{data: defaultDataDir}, nonce: nonce}
}

const statusWorker = `{"Version":"v1.35.7+k0s.0","Pid":42,"Role":"worker","Workloads":true}`

func TestParseFacts(t *testing.T) {
	running := "service<0>ActiveState=active\nSubState=running\nActiveEnterTimestamp=Sat 2026-11-21 21:11:37 UTC\nNRestarts=3\n"
	cases := []struct {
		name string
		out  []byte
		want func(facts) bool
	}{
		{"machine", said("hostname=W1", "machine=aarch64", "kernel=6.1", "os<0>ID=debian\nVERSION_ID=\"12\"\n", "cgroup=1",
			"free<0>Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 10 5 4 50% /\n", "clock=1795295497"),
			func(f facts) bool {
				h := f.host
				return h.Hostname == "w1" && h.Arch == "arm64" && h.OS == "debian 12" && h.CgroupV1 && h.FreeBytes == 4096 &&
					f.clock.Unix() == 1795295497 && h.Service == lifecycle.ServiceAbsent && h.Reached()
			}},
		{"running worker", said("version<0>v1.35.7+k0s.0", "unit=k0sworker",
			"unitfile<0>ExecStart=/usr/local/bin/k0s worker --token-file=/etc/k0s/t\n", "environment="+strings.Repeat("0a", 32),
			running, "status<0>"+statusWorker,
			"data=1", "token=1"),
			func(f facts) bool {
				h := f.host
				since := time.Date(2026, 11, 21, 21, 11, 37, 0, time.UTC)
				return h.Binary.String() == "v1.35.7+k0s.0" && h.Running == h.Binary && h.K0sRole == "worker" && h.Workloads &&
					h.Service == lifecycle.ServiceRunning &&
					h.ServiceSince.Equal(since) && h.Restarts == 3 && h.Data && h.Token && f.tokenFile == "/etc/k0s/t" &&
					h.Environment == "sha256:"+strings.Repeat("0a", 32) &&
					slices.Equal(h.Arguments, []string{"--data-dir=/var/lib/k0s"})
			}},
		{"status does not answer", said("unit=k0sworker", running, "status<1>Error: no socket"),
			func(f facts) bool { return f.host.Running.IsZero() && f.host.Service == lifecycle.ServiceRunning }},
		{"status of a dead process", said("unit=k0sworker", running, `status<0>{"Version":"v1.35.7+k0s.0","Pid":0}`),
			func(f facts) bool { return f.host.Running.IsZero() }},
		{"stopped, binary replaced", said("version<0>v1.36.3+k0s.2", "unit=k0sworker",
			"service<0>ActiveState=inactive\nSubState=dead\nActiveEnterTimestamp=Sat 2026-11-21 21:11:37 UTC\n"),
			func(f facts) bool {
				return f.host.Service == lifecycle.ServiceStopped && f.host.ServiceSince.IsZero() && f.host.Binary.Minor == 36 && f.host.Installed()
			}},
		{"crash loop", said("unit=k0sworker", "service<0>ActiveState=activating\nSubState=auto-restart\nNRestarts=7"),
			func(f facts) bool { return f.host.Service == lifecycle.ServiceStarting && f.host.Restarts == 7 }},
		{"given up", said("unit=k0sworker", "service<0>ActiveState=failed\nSubState=failed"),
			func(f facts) bool { return f.host.Service == lifecycle.ServiceFailed }},
		{"corrupt binary", said("version<126>sh: /usr/local/bin/k0s: cannot execute binary file\x1b[31m"),
			func(f facts) bool {
				return f.host.Binary.IsZero() && strings.Contains(f.host.BinaryProblem, "cannot execute") &&
					!strings.Contains(f.host.BinaryProblem, "\x1b")
			}},
		{"staged", said("staged=v1.36.3+k0s.2", "staged=v1.35.7+k0s.0", "staged=*", "staged=junk"),
			func(f facts) bool { return len(f.host.Staged) == 2 && f.host.Staged[0].Minor == 35 }},
		{"controller", said("unit=k0scontroller", running, "kubeconfig<0>"+adminConf(t),
			`etcd<0>{"members":{"c2":"https://10.0.0.12:2380","c1":"https://[fd00::1]:2380"}}`, "config<0># a comment\nb: 1\na: {c: x}\n"),
			func(f facts) bool {
				return !f.credentials.IsZero() && len(f.etcd) == 2 && f.etcd[0] == lifecycle.EtcdMember{Name: "c1", PeerAddress: "fd00::1"} &&
					string(f.host.Config) == `{"a":{"c":"x"},"b":1}` && f.host.ConfigDigest == digest(f.host.Config)
			}},
		{"etcd fails", said("unit=k0scontroller", running, "etcd<1>Error: context deadline exceeded"),
			func(f facts) bool { return f.etcd == nil && strings.Contains(f.etcdProblem, "deadline exceeded") }},
		{"a stopped controller's kubeconfig is not one to use",
			said("unit=k0scontroller", "service<0>ActiveState=inactive\n", "kubeconfig<0>"+adminConf(t)),
			func(f facts) bool { return f.credentials.IsZero() }},
		{"configuration is not YAML", said("config<0>a: [\n"),
			func(f facts) bool { return f.host.ConfigDigest != "" && len(f.host.Config) > 0 }},
		{"no systemd", said("systemd=none"), func(f facts) bool { return f.host.Problem == lifecycle.HostFacts }},
		{"broken off", []byte(nonce + " facts=1\n" + nonce + " begin os\nID=x"),
			func(f facts) bool { return f.host.Problem == lifecycle.HostFacts }},
		{"a banner", []byte("welcome\n"), func(f facts) bool { return f.host.Problem == lifecycle.HostFacts }},
		{"frames of another", []byte(strings.ReplaceAll(string(said("unit=k0sworker")), nonce, "ffffffffffffffff")),
			func(f facts) bool { return f.host.Problem == lifecycle.HostFacts }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if f := parseFacts(c.out, asked(lifecycle.RoleController)); !c.want(f) {
				t.Errorf("%s\ngives %+v", c.out, f)
			}
		})
	}
}

// TestScriptRunsInAnyShell runs the real script, in the shells that are here, on this machine and paths of a test.
func TestScriptRunsInAnyShell(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/k0s", "#!/bin/sh\necho v1.35.7+k0s.0\n", 0o755)
	write("bin/k0s.kiban-v1.36.3+k0s.2", "x", 0o755)
	write("bin/k0s.kiban-v1.34.10+k0s.0", "", 0o755) // as a power cut leaves it
	write("bin/systemctl", "#!/bin/sh\nexit 0\n", 0o755)
	write("etc/k0s.yaml", "# by hand\nspec: {a: 1}", 0o600) // no line break at its end
	write("etc/k0stoken", "H4sIAAAA", 0o600)
	write("data/lost+found", "", 0o600)
	write("etc/a policy.yaml", "kind: Policy\n", 0o640)
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	p := paths{binary: filepath.Join(dir, "bin/k0s"), data: filepath.Join(dir, "data"), config: filepath.Join(dir, "etc/k0s.yaml"),
		token: filepath.Join(dir, "etc/k0stoken")}
	q := question{paths: p, nonce: nonce, host: lifecycle.Host{Name: "c1", Role: lifecycle.RoleController, Files: []lifecycle.HostFile{
		{Path: filepath.Join(dir, "etc/a policy.yaml")}, {Path: filepath.Join(dir, "etc/none")}}}}
	for _, shell := range []string{"sh", "bash", "dash", "busybox"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		args := []string{"-c", script(q)}
		if shell == "busybox" {
			args = append([]string{"sh"}, args...)
		}
		out, err := exec.Command(path, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", shell, err, out)
		}
		h := parseFacts(out, q).host
		if h.Problem != "" || h.Binary.String() != "v1.35.7+k0s.0" || len(h.Staged) != 1 || string(h.Config) != `{"spec":{"a":1}}` || !h.Token ||
			h.Data || h.ServiceName != "" || h.FreeBytes == 0 {
			t.Errorf("%s: %+v\n%s", shell, h, out)
		}
		if len(h.Files) != 1 || h.Files[0].Digest != digest([]byte("kind: Policy\n")) || h.Files[0].Mode != "0640" || h.Files[0].Owner == "" ||
			h.Files[0].Path != filepath.Join(dir, "etc/a policy.yaml") {
			t.Errorf("%s: declared files are %+v", shell, h.Files)
		}
		write("etc/k0stoken", "# overwritten by k0sctl after join\n", 0o600)
		write("data/pki/ca.crt", "", 0o600)
		out, err = exec.Command(path, args...).CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		if h := parseFacts(out, q).host; h.Token || !h.Data {
			t.Errorf("%s: an overwritten token counts as one, or data is not seen: %+v", shell, h)
		}
		write("etc/k0stoken", "H4sIAAAA", 0o600)
		os.RemoveAll(filepath.Join(dir, "data/pki"))
	}
}

func FuzzParseFacts(f *testing.F) {
	f.Add(said("unit=k0scontroller", "etcd<0>{\"members\":{}}", "status<0>"+statusWorker, "version<0>x", "config<0>a: b"))
	f.Add([]byte(nonce + " begin x\n" + nonce + " end x 0\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		got := parseFacts(out, asked(lifecycle.RoleController))
		if got.host.Problem == "" && !strings.Contains(string(out), nonce+" done=1") {
			t.Error("facts were taken from an answer that broke off")
		}
		for _, s := range []string{got.host.BinaryProblem, got.etcdProblem} {
			if strings.ContainsAny(s, "\x1b\n\r") {
				t.Errorf("%q would reach a terminal", s)
			}
		}
	})
}

func FuzzSplitExec(f *testing.F) {
	f.Add(`/usr/local/bin/k0s "worker" --a=b\x20c '%%'`)
	f.Fuzz(func(t *testing.T, line string) {
		for _, a := range splitExec(line) {
			if len(a) > len(line) {
				t.Errorf("%q grew out of %q", a, line)
			}
		}
	})
}
