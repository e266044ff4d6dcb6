package k0s

import (
	"context"
	"fmt"
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
		{"machine", said("hostname=W1", "machine=aarch64", "kernel=6.1", "memory=2048 4", "os<0>ID=debian\nVERSION_ID=\"12\"\n", "cgroup=1",
			"free<0>Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 10 5 4 50% /\n", "clock=1795295497"),
			func(f facts) bool {
				h := f.host
				return h.Hostname == "w1" && h.Arch == "arm64" && h.OS == "debian 12" && h.CgroupV1 && h.FreeBytes == 4096 &&
					h.MemoryBytes == 2<<20 && h.SwapBytes == 4096 &&
					f.clock.Unix() == 1795295497 && h.Service == lifecycle.ServiceAbsent && h.Reached()
			}},
		{"disks", said("hostname=w1", "machine=aarch64", "clock=1795295497", "room<0>Filesystem 1024-blocks Used Available Capacity Mounted on\n"+
			"/dev/x 100000000 5 50000000 50% /\n/dev/y 100000000 99999900 100 100% /var/lib\n/dev/y 100000000 99999900 100 100% /var/lib\n"+
			"/dev/z 1 1 0 100% relative\nnonsense\n"),
			func(f facts) bool { return slices.Equal(f.host.Full, []string{"/var/lib"}) }},
		{"worker whose join failed", said("unit=k0sworker", "spent=1"), func(f facts) bool { return f.host.Spent }},
		{"controller without a kubelet", said("unit=k0scontroller", "spent=1"), func(f facts) bool { return !f.host.Spent }},
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
		{"on its way down, and still answering", said("unit=k0sworker", "service<0>ActiveState=deactivating\nSubState=stop-sigterm",
			"status<0>"+statusWorker),
			func(f facts) bool { return f.host.Service == lifecycle.ServiceStopping && f.host.Running.IsZero() }},
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
		{"etcd says how it is", said("clock=1795295497", "unit=k0scontroller", running,
			`etcdsays<0>{"header":{"cluster_id":"1","member_id":"13803658152347727308","raft_term":"2"},"version":"3.6.14","dbSize":"20480",`+
				`"leader":"13803658152347727308","dbSizeInUse":"16384","dbSizeQuota":"2147483648",`+
				`"errors":["memberID:138  alarm:NOSPACE "]}# HELP x`+"\netcd_disk_wal_fsync_duration_seconds_bucket{le=\"0.512\"} 1.5e+03\n"+
				"etcd_disk_wal_fsync_duration_seconds_count 1510\netcd_server_leader_changes_seen_total 4\n"+
				"process_start_time_seconds 1.79529189722e+09\n"),
			func(f facts) bool {
				e := f.host.Etcd
				return e.Known() && e.Version == "3.6.14" && e.Leads && !e.Leaderless && e.Size == 20480 && e.InUse == 16384 && e.Quota == 2<<30 &&
					slices.Equal(e.Alarms, []string{lifecycle.EtcdNoSpace}) && e.Fsyncs == 1510 && e.SlowFsyncs == 10 && e.LeaderChanges == 4 &&
					e.Since == time.Hour
			}},
		{"an older etcd, without a leader", said("unit=k0scontroller", running,
			`etcdsays<0>{"header":{"member_id":"7"},"dbSize":"20480","errors":["etcdserver: no leader"]}`+
				"\netcd_server_quota_backend_bytes 2.147483648e+09\n"),
			func(f facts) bool {
				e := f.host.Etcd
				return e.Known() && !e.Leads && e.Leaderless && e.Quota == 2<<30 && len(e.Alarms) == 0 && e.Since == 0
			}},
		{"etcd can't be asked", said("unit=k0scontroller", running, "etcdsays<1>curl: it is not installed there"),
			func(f facts) bool {
				return !f.host.Etcd.Known() && f.host.Etcd.Unknown == "curl: it is not installed there"
			}},
		{"etcd's metrics hang", said("unit=k0scontroller", running, `etcdsays<0>{"header":{"member_id":"7"},"dbSize":"20480","leader":"7"}`+
			"curl: (28) Operation timed out after 5001 milliseconds with 0 bytes received\n"),
			func(f facts) bool {
				e := f.host.Etcd
				return e.Known() && e.Leads && strings.HasPrefix(e.PaceUnknown, "curl: (28) Operation timed out")
			}},
		{"etcd says nothing at all", said("unit=k0scontroller", running, "etcdsays<124>", "etcd<124>"),
			func(f facts) bool {
				return !f.host.Etcd.Known() && f.etcd == nil && strings.Contains(f.etcdProblem, "did not answer within kiban's time-out")
			}},
		{"etcd says nonsense", said("unit=k0scontroller", running, `etcdsays<0>{"header":{"member_id":"7"},"dbSize":"-3","dbSizeInUse":"no"}`),
			func(f facts) bool { return !f.host.Etcd.Known() || f.host.Etcd.Size == 0 }},
		{"a control plane that is held back", said("unit=k0scontroller", running, "pinheld=1",
			"acts<0>kube-controller-manager version_info{binary=\"1.36\",component=\"kube\",emulation=\"1.35\",min_compat=\"1.34\"} 1\n"+
				"kube-scheduler curl: (7) Failed\nkube-proxy version_info{emulation=\"1.35\"} 1\nkube-scheduler version_info{emulation=\"x\"} 1\n",
			`config<0>{"spec":{"api":{"extraArgs":{"emulated-version":"1.35"}},"controllerManager":{"extraArgs":{"emulated-version":"1.35"}},`+
				`"scheduler":{"extraArgs":{"emulated-version":"1.35"}}}}`),
			func(f facts) bool {
				return f.host.PinHeld && len(f.host.Acts) == 1 && f.host.Acts["kube-controller-manager"] == "1.35"
			}},
		{"no configuration holds a pin", said("unit=k0scontroller", running, "pinheld=1", "config<0>{}"),
			func(f facts) bool { return !f.host.PinHeld }},
		{"a worker's etcd is none", said("unit=k0sworker", running, `etcdsays<0>{"header":{"member_id":"7"}}`),
			func(f facts) bool { return f.host.Etcd == nil }},
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

// script is the facts script as one text.
func script(q question) string { return "set -- " + arguments(q) + "\n" + factsScript }

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
	write("etc/containerd.toml", "# k0s_managed=true\nversion = 2\n", 0o644)
	dropInFiles := map[string]string{
		"containerd.d/old one.toml": "# version = 3\n  version=2 # as 1.35 has it\n[plugins.x]\nversion = 3\n",
		"containerd.d/new.toml":     "version = 3\n", "containerd.d/plain.toml": "[debug]\nversion = 2\n",
		"containerd.d/named-old.toml": "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n",
		"containerd.d/named-new.toml": "# not io.containerd.grpc.v1.cri\n[plugins.'io.containerd.cri.v1.images'.registry]",
		"containerd.d/.hidden.toml":   "version = 2", "containerd.d/a.toml.bak": "version = 2", "containerd.d/certs.d/x.toml": "version = 2",
	}
	for name, text := range dropInFiles {
		write("etc/"+name, text, 0o644)
	}
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	p := paths{binary: filepath.Join(dir, "bin/k0s"), data: filepath.Join(dir, "data"), config: filepath.Join(dir, "etc/k0s.yaml"),
		token: filepath.Join(dir, "etc/k0stoken"), etc: filepath.Join(dir, "etc")}
	q := question{paths: p, nonce: nonce, host: lifecycle.Host{Name: "c1", Role: lifecycle.RoleController, Files: []lifecycle.HostFile{
		{Path: filepath.Join(dir, "etc/a policy.yaml")}, {Path: filepath.Join(dir, "etc/none")},
		{Path: filepath.Join(dir, "data/manifests/site/ns.yaml")}, {Path: filepath.Join(dir, "data/manifests/site/broken-off.yaml")}}}}
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
		for _, d := range h.DropIns {
			name := strings.TrimPrefix(d.Path, "/etc/k0s/")
			if text := dropInFiles[name]; d.Form != lifecycle.ContainerdForm([]byte(text)) || d.Digest != digest([]byte(text)) {
				t.Errorf("%s: %+v of %q", shell, d, text)
			}
		}
		if len(h.DropIns) != 6 {
			t.Errorf("%s: containerd's files are %+v", shell, h.DropIns)
		}
		write("etc/containerd.toml", "version = 3\n", 0o644) // an administrator's own
		write("etc/k0stoken", "# overwritten by k0sctl after join\n", 0o600)
		write("data/images/bundle.tar", "", 0o600)
		write("data/manifests/site/ns.yaml", "kind: Namespace", 0o600)
		write("data/manifests/site/broken-off.yaml.kiban-new", "", 0o600)
		if err := os.MkdirAll(filepath.Join(dir, "data/empty"), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err = exec.Command(path, args...).CombinedOutput(); err != nil {
			t.Fatal(err)
		}
		if h := parseFacts(out, q).host; h.Problem != "" || h.Data {
			t.Errorf("%s: what the site puts there, images and empty folders count as a membership: %+v", shell, h)
		}
		write("data/manifests/site/other.yaml", "kind: Namespace", 0o600)
		if out, err = exec.Command(path, args...).CombinedOutput(); err != nil {
			t.Fatal(err)
		}
		if h := parseFacts(out, q).host; !h.Data {
			t.Errorf("%s: a file that the site does not declare is not seen", shell)
		}
		os.RemoveAll(filepath.Join(dir, "data/manifests"))
		write("data/pki/ca.crt", "", 0o600)
		out, err = exec.Command(path, args...).CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		if h := parseFacts(out, q).host; h.Token || !h.Data {
			t.Errorf("%s: an overwritten token counts as one, or data is not seen: %+v", shell, h)
		}
		for _, credentials := range []bool{false, true} {
			if credentials {
				write("data/kubelet.conf", "", 0o600)
			}
			out, err := exec.Command(path, args...).CombinedOutput()
			if spent := strings.Contains(string(out), " spent=1\n"); err != nil || spent == credentials {
				t.Errorf("%s: with credentials %t, the overwritten token is told as spent: %t, %v", shell, credentials, spent, err)
			}
		}
		os.Remove(filepath.Join(dir, "data/kubelet.conf"))
		if h := parseFacts(out, q).host; len(h.DropIns) != 7 || h.DropIns[6].Path != lifecycle.ContainerdConfig || h.DropIns[6].Form != 3 {
			t.Errorf("%s: with a configuration that is not k0s's: %+v", shell, h.DropIns)
		}
		write("etc/containerd.toml", "# k0s_managed=true\nversion = 2\n", 0o644)
		write("etc/k0stoken", "H4sIAAAA", 0o600)
		os.RemoveAll(filepath.Join(dir, "data/pki"))
	}
}

// A `k0s version` that takes longer than the script waits is our time-out, and no word against the binary.
func TestSlowBinary(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"told": {[]string{"patience=20", "load=14.52 2", "version<124>"},
			"`k0s version` did not answer within kiban's time-out of 20 s; the machine's load is 14.52, with 2 processors"},
		"not told":  {[]string{"version<124>"}, "`k0s version` did not answer within kiban's time-out"},
		"nonsense":  {[]string{"patience=x", "load=\x1b[2J y", "version<124>"}, "`k0s version` did not answer within kiban's time-out"},
		"it failed": {[]string{"patience=8", "load=0.10 2", "version<126>no such file"}, ""},
	} {
		h := parseFacts(said(c.lines...), asked(lifecycle.RoleWorker)).host
		if c.want == "" {
			if h.Problem != "" || h.BinaryProblem == "" {
				t.Errorf("%s: %+v", name, h)
			}
			continue
		}
		if h.Problem != lifecycle.HostFacts || h.Why != c.want || h.BinaryProblem != "" {
			t.Errorf("%s: %q %q, want %q", name, h.Problem, h.Why, c.want)
		}
	}
}

// The script waits longer on a machine that is loaded, and ends what it waits for.
func TestPatience(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "k0s")
	if err := os.WriteFile(bin, []byte("#!/bin/sh\nsleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "timeout"), []byte("#!/bin/sh\necho waited $3\nexit 124\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	q := question{paths: paths{binary: bin, data: dir, config: dir, token: dir}, nonce: nonce, host: lifecycle.Host{Name: "w1"}}
	for cpus, want := range map[string]string{"1000000": "8", "0": "20"} { // idle as any machine would be with a million; loaded with none
		if err := os.WriteFile(filepath.Join(dir, "nproc"), []byte("#!/bin/sh\necho "+cpus+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sh", "-c", script(q)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if h := parseFacts(out, q).host; h.Problem != lifecycle.HostFacts || !strings.Contains(h.Why, "time-out of "+want+" s") ||
			!strings.Contains(string(out), "waited "+want) {
			t.Errorf("with %s processors: %+v\n%s", cpus, h, out)
		}
	}
}

// TestScriptOutlivesEtcd runs the script on a controller whose etcd hangs. Each question to etcd is bounded, all of them are asked at
// once: none of the three programs goes on before the others have begun. What is not of etcd is known all the same, and etcd is not.
func TestScriptOutlivesEtcd(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(in(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in(name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/nproc", "#!/bin/sh\necho 1000000\n") // idle as any machine would be
	meet := fmt.Sprintf("#!/bin/sh\nmeet() { : >%[1]s/$1; for o in status list curl; do "+
		"until [ -e %[1]s/$o ]; do /bin/sleep 0.01; done; done; }\n", dir)
	write("bin/k0s", meet+"case $1 in version) echo v1.35.7+k0s.0 ;; etcd) meet list; exec sleep 1000 ;;\n"+
		"status) meet status; echo '{\"Version\":\"v1.35.7+k0s.0\",\"Pid\":1,\"Role\":\"controller\"}' ;; esac\n")
	write("bin/curl", meet+"meet curl; exec sleep 1000\n")
	// what sleeps is ended as by its bound, which is written down
	write("bin/timeout", fmt.Sprintf("#!/bin/sh\nshift 2; echo \"$1 $2 $3\" >>%s; shift\nPATH=%s:$PATH exec \"$@\"\n", in("bounds"),
		in("ends")))
	write("ends/sleep", "#!/bin/sh\nexit 124\n")
	write("bin/systemctl", fmt.Sprintf("#!/bin/sh\nprintf 'ActiveState=active\\nSubState=running\\nFragmentPath=%s\\n\\n'\n", in("unit")))
	write("unit", "[Service]\nExecStart=/usr/local/bin/k0s controller --data-dir="+in("data")+"\n")
	write("data/etcd/member", "")
	write("etc/k0s.yaml", "a: b\n")
	t.Setenv("PATH", in("bin")+":"+os.Getenv("PATH"))
	q := question{nonce: nonce, host: lifecycle.Host{Name: "c1", Role: lifecycle.RoleController}, paths: paths{binary: in("bin/k0s"),
		data: in("data"), config: in("etc/k0s.yaml"), token: in("none"), etc: in("etc"), locks: in("locks")}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only for a script that asks one after the other: it never ends
	defer cancel()
	for _, shell := range []string{"dash", "bash"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		for _, left := range []string{"bounds", "status", "list", "curl"} {
			_ = os.Remove(in(left)) // none before the first
		}
		cmd := exec.CommandContext(ctx, path, "-c", script(q))
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", shell, err, out)
		}
		f := parseFacts(out, q)
		if h := f.host; h.Problem != "" || h.Running.IsZero() || h.Binary.IsZero() || h.ConfigDigest == "" || h.FreeBytes == 0 {
			t.Errorf("%s: what does not hang is not known: %+v\n%s", shell, h, out)
		}
		if f.host.Etcd.Known() || f.etcd != nil || f.etcdProblem == "" {
			t.Errorf("%s: an etcd that hangs is told as %+v, its members as %+v\n%s", shell, f.host.Etcd, f.etcd, out)
		}
		bounds := strings.Split(strings.TrimSpace(read(t, in("bounds"))), "\n")
		slices.Sort(bounds)
		k0s := in("bin/k0s")
		want := []string{"12 " + k0s + " etcd", "12 sh -c", "8 " + k0s + " status", "8 " + k0s + " version"}
		if !slices.Equal(bounds, want) {
			t.Errorf("%s: bounds are %q, want %q", shell, bounds, want)
		}
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
