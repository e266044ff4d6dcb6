package k0s

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const tokenID = "abc123"

// token is a join token as k0s makes them.
func token(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte("clusters:\n- cluster: {server: 'https://10.0.0.11:6443'}\nusers:\n- user: {token: " + tokenID + ".secretsecret}\n"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func (f *farm) state(s *Session, name string) lifecycle.HostState {
	f.t.Helper()
	h, err := s.HostFacts(f.t.Context(), name)
	if err != nil || !h.Reached() {
		f.t.Fatalf("%s: %v %s", name, err, h.Why)
	}
	return h
}

func bootstrap(t *testing.T, names ...string) (*farm, *Session) {
	t.Helper()
	f := newFarm(t, names...)
	s := f.open(v135)
	f.fakes["c1"].write("token", token(t), 0o600)
	for _, n := range names {
		f.do(s, v135, n+"/stage")
		switch {
		case n == "c1":
			f.do(s, v135, n+"/initialize")
		case strings.HasPrefix(n, "c"):
			f.do(s, v135, n+"/join-controller")
		default:
			f.do(s, v135, n+"/join-worker")
		}
	}
	return f, s
}

func TestBootstrapThenUpgrade(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	for _, name := range []string{"c1", "w1"} {
		declared, _ := s.site.Cluster.Host(name)
		h := f.state(s, name)
		if h.Running.String() != v135 || h.Service != lifecycle.ServiceRunning || len(h.Staged) != 0 || h.Token ||
			!slices.Equal(h.Arguments, declared.Arguments) {
			t.Errorf("%s after the bootstrap: %+v\nwant arguments %q", name, h, declared.Arguments)
		}
	}
	if got := f.fakes["c1"].read("invalidated"); strings.TrimSpace(got) != tokenID {
		t.Errorf("invalidated tokens are %q, want %q", got, tokenID)
	}
	for _, c := range f.audit {
		if strings.Contains(c.Command, token(t)) || c.Step == "" {
			t.Errorf("a command that is not fit for a record: %+v", c)
		}
	}

	f.do(s, v136, "w1/stage")
	if h := f.state(s, "w1"); h.Running.String() != v135 || len(h.Staged) != 1 {
		t.Errorf("staging is to change nothing that runs: %+v", h)
	}
	f.do(s, v136, "w1/upgrade")
	declared, _ := s.site.Cluster.Host("w1")
	if h := f.state(s, "w1"); h.Running.String() != v136 || h.Binary.String() != v136 || len(h.Staged) != 0 ||
		!slices.Equal(h.Arguments, declared.Arguments) {
		t.Errorf("after the upgrade: %+v", h)
	}
	if unit := f.fakes["w1"].read("unit/k0sworker.service"); !strings.Contains(unit, "--token-file=") {
		t.Errorf("the unit lost its token file: %s", unit)
	}
	if unit := f.fakes["c1"].read("unit/k0scontroller.service"); strings.Contains(unit, "--token-file=") {
		t.Errorf("the first controller got a token file: %s", unit)
	}
}

// TestStepsAreIdempotent: a step that is done changes nothing when it is run again.
func TestStepsAreIdempotent(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.do(s, v136, "w1/stage", "w1/upgrade")
	before := len(f.audit)
	f.do(s, v136, "w1/stage", "w1/upgrade", "w1/reinstall", "w1/start", "w1/join-worker")
	f.do(s, v135, "c1/stage", "c1/initialize", "c1/configure")
	for _, c := range f.audit[before:] {
		if !strings.HasPrefix(c.Command, "[ -s ") { // a look at the kubelet's credentials
			t.Errorf("%s sent %s to %s", c.Step, c.Command, c.Host)
		}
	}
}

// TestHazard_H8_InterruptedUpgradeIsFinished goes through every state that a killed run can leave (H8).
func TestHazard_H8_InterruptedUpgradeIsFinished(t *testing.T) {
	cases := map[string]func(f *fake){
		"stopped with the old binary": func(f *fake) { os.Remove(filepath.Join(f.root, "running/k0sworker")) },
		"stopped with the new binary": func(f *fake) {
			os.Remove(filepath.Join(f.root, "running/k0sworker"))
			f.write("bin/k0s", standIn(v136), 0o755)
		},
		"new binary, old service running": func(f *fake) { f.write("bin/k0s", standIn(v136), 0o755) },
		"not started after the install": func(f *fake) {
			os.Remove(filepath.Join(f.root, "running/k0sworker"))
			f.write("bin/k0s", standIn(v136), 0o755)
		},
	}
	for name, leave := range cases {
		t.Run(name, func(t *testing.T) {
			f, s := bootstrap(t, "c1", "w1")
			f.do(s, v136, "w1/stage")
			leave(f.fakes["w1"])
			f.do(s, v136, "w1/upgrade")
			if h := f.state(s, "w1"); h.Running.String() != v136 || h.Service != lifecycle.ServiceRunning {
				t.Errorf("%+v", h)
			}
		})
	}
}

// TestHazard_H16_TokenIsAlwaysSpent holds H16: a join that fails leaves neither a valid token nor one on disk.
func TestHazard_H16_TokenIsAlwaysSpent(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	s := f.open(v135)
	f.do(s, v135, "c1/stage", "c1/initialize", "w1/stage")
	f.fakes["c1"].write("token", token(t), 0o600)
	f.fakes["w1"].write("fail-start", "", 0o600)
	err := f.try(t.Context(), s, v135, "w1/join-worker")
	if err == nil {
		t.Fatal("the join did not fail")
	}
	if got := f.fakes["c1"].read("invalidated"); strings.TrimSpace(got) != tokenID {
		t.Errorf("the token is still valid: %v", err)
	}
	if h := f.state(s, "w1"); h.Token || !strings.HasPrefix(f.fakes["w1"].read("etc/k0stoken"), "# overwritten") {
		t.Error("the token is still on the machine")
	}
	if f.fakes["w1"].read("unit/k0sworker.service") == "" {
		t.Error("the failed join was undone: k0sctl's clean-up resets machines (H4, H5), kiban must not")
	}
	os.Remove(filepath.Join(f.fakes["w1"].root, "fail-start"))
	f.do(s, v135, "w1/join-worker")
	if h := f.state(s, "w1"); h.Running.String() != v135 || h.Token {
		t.Errorf("the join was not resumed: %+v", h)
	}
}

// TestALostLockCleansUpNothing: whoever interrupts a join has its token spent all the same. A run that has lost the site's lock touches
// nothing more: what lies there may be another run's by now, whose plans find tokens that are left.
func TestALostLockCleansUpNothing(t *testing.T) {
	for name, c := range map[string]struct {
		cause error
		spent bool
	}{
		"somebody interrupts": {errors.New("interrupted"), true},
		"the lock is lost":    {lifecycle.Blockedf("lab", "nothing more is done: another run has taken the lock over"), false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, "c1", "w1")
			s := f.open(v135)
			f.do(s, v135, "c1/stage", "c1/initialize", "w1/stage")
			f.fakes["c1"].write("token", token(t), 0o600)
			ctx, cancel := context.WithCancelCause(t.Context())
			v, _ := lifecycle.ParseVersion(v135)
			join := lifecycle.Step{ID: "w1/join-worker", Target: "w1", Action: lifecycle.ActionJoinWorker, Version: v}
			err := s.Do(ctx, join, func(does string) {
				if strings.Contains(does, "has joined") {
					cancel(c.cause)
				}
			})
			if err == nil {
				t.Fatal("the join was not interrupted")
			}
			if spent := strings.TrimSpace(f.fakes["c1"].read("invalidated")) == tokenID; spent != c.spent {
				t.Errorf("the token is invalid: %t", spent)
			}
			if h := f.state(s, "w1"); h.Token == c.spent {
				t.Errorf("the token lies there: %t", h.Token)
			}
		})
	}
}

// TestHazard_H14_WrongChecksumStopsEverything holds H14.
func TestHazard_H14_WrongChecksumStopsEverything(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	f.write("mirror/"+v136+"/k0s-"+v136+"-amd64", "#!/bin/sh\nevil\n")
	s := f.open(v136)
	for _, step := range []string{"c1/stage", "w1/stage"} {
		err := f.try(t.Context(), s, v136, step)
		if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "checksum") {
			t.Errorf("%s: %v", step, err)
		}
	}
	for name, m := range f.fakes {
		if h := f.state(s, name); len(h.Staged) != 0 {
			t.Errorf("%s got a binary that is not the released one", name)
		}
		for _, c := range m.sent() {
			if strings.Contains(c, ".upload") {
				t.Errorf("%s was sent %s", name, c)
			}
		}
	}
	pinned := f.site(v136)
	pinned.Binary.SHA256 = map[string]string{v136 + "/amd64": strings.TrimPrefix(digest([]byte("#!/bin/sh\nevil\n")), "sha256:")}
	p, err := Open(pinned, Options{CacheDir: t.TempDir(), limits: inFolders()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := f.try(t.Context(), p, v136, "w1/stage"); err != nil {
		t.Errorf("a pinned checksum wins over the file's: %v", err)
	}
}

func TestDamagedUpload(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	f.fakes["w1"].write("bin/sha256sum", "#!/bin/sh\necho 0000 x\n", 0o755)
	s := f.open(v136)
	if err := f.try(t.Context(), s, v136, "w1/stage"); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error is %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(f.fakes["w1"].root, "bin/.k0s.kiban-*"))
	if h := f.state(s, "w1"); len(h.Staged) != 0 || len(left) != 0 {
		t.Errorf("a damaged upload stays: %v %v", h.Staged, left)
	}
}

func TestFullDisk(t *testing.T) {
	f := newFarm(t, "c1", "w1", "w2")
	f.fakes["w1"].write("bin/install", "#!/bin/sh\necho 'install: error writing: No space left on device' >&2\nexit 1\n", 0o755)
	f.fakes["w2"].write("bin/df", "#!/bin/sh\nprintf 'x\\n/dev/x 10 10 1 100%% /\\n'\n", 0o755)
	s := f.open(v136)
	for _, step := range []string{"w1/stage", "w2/stage"} {
		err := f.try(t.Context(), s, v136, step)
		if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || d.Summary != "the disk is full" || d.Subject != step[:2] {
			t.Errorf("%s: %v", step, err)
		}
	}
}

// TestHazard_H39_CgroupV1IsFoundBeforeAnythingStops holds H39: such a machine is found out before anything on it is stopped.
func TestHazard_H39_CgroupV1IsFoundBeforeAnythingStops(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	s := f.open(v135)
	task := &task{Session: s, step: lifecycle.Step{Target: "w1"}, ctx: t.Context()}
	if err := task.attachTarget(); err != nil {
		t.Fatal(err)
	}
	task.on.host.Arguments = nil
	old := facts{host: lifecycle.HostState{ServiceName: "k0sworker", CgroupV1: true}}
	for version, refused := range map[string]bool{"v1.34.10+k0s.0": false, v135: true, v136: true} {
		v, _ := lifecycle.ParseVersion(version)
		old.host.Staged = []lifecycle.Version{v}
		if err := task.upgradable(old, v); (err != nil) != refused {
			t.Errorf("%s: %v", version, err)
		}
	}
	old.host.ServiceName = "k0scontroller"
	v, _ := lifecycle.ParseVersion("v1.34.10+k0s.0")
	if err := task.upgradable(old, v); err == nil || !strings.Contains(err.Error(), "another role") {
		t.Errorf("a change of role passed: %v", err)
	}
}

func TestConfigure(t *testing.T) {
	f := newFarm(t, "c1")
	f.spec = "    config:\n      spec: {api: {sans: [a.example]}}\n"
	s := f.open(v135)
	f.do(s, v135, "c1/stage", "c1/initialize")
	declared, _ := s.site.Cluster.Host("c1")
	if h := f.state(s, "c1"); h.ConfigDigest != declared.ConfigDigest {
		t.Fatalf("k0s.yaml is\n%s\nwant\n%s", h.Config, declared.Config)
	}
	if st, err := os.Stat(filepath.Join(f.fakes["c1"].root, "etc/k0s.yaml")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("k0s.yaml has mode %v (%v)", st.Mode(), err)
	}

	f.spec = "    config:\n      spec: {api: {sans: [b.example]}}\n"
	s = f.open(v135)
	f.audit = nil
	f.do(s, "", "c1/configure")
	declared, _ = s.site.Cluster.Host("c1")
	h := f.state(s, "c1")
	if h.ConfigDigest != declared.ConfigDigest || h.Service != lifecycle.ServiceRunning {
		t.Errorf("after configure: %s, %s", h.Config, h.Service)
	}
	stop := slices.IndexFunc(f.audit, func(c Command) bool { return c.Command == "systemctl stop k0scontroller" })
	validate := slices.IndexFunc(f.audit, func(c Command) bool { return strings.Contains(c.Command, "config validate") })
	if stop < 0 || validate < 0 || validate > stop {
		t.Errorf("the configuration is to be validated before the service stops: %v", f.audit)
	}

	f.spec = "    config:\n      spec: {api: {sans: [reject-me]}}\n"
	s = f.open(v135)
	if err := f.try(t.Context(), s, "", "c1/configure"); err == nil || !strings.Contains(err.Error(), "rejects the configuration") {
		t.Errorf("error is %v", err)
	}
	if again := f.state(s, "c1"); again.ConfigDigest != h.ConfigDigest || again.Service != lifecycle.ServiceRunning {
		t.Error("a rejected configuration changed the machine")
	}

	f.spec = "    config:\n      spec: {api: {sans: [c.example]}}\n"
	s = f.open(v135)
	f.audit = nil
	f.do(s, v136, "c1/configure") // an upgrade follows
	if slices.ContainsFunc(f.audit, func(c Command) bool { return strings.HasPrefix(c.Command, "systemctl") }) {
		t.Errorf("the upgrade that follows is to restart the service, not this: %v", f.audit)
	}
}

func TestForeignConfigIsKept(t *testing.T) {
	f := newFarm(t, "c1")
	f.spec = "    config:\n      spec: {api: {sans: [a.example]}}\n"
	f.fakes["c1"].write("etc/k0s.yaml", "spec: {}\n", 0o600)
	s := f.open(v135)
	f.do(s, v135, "c1/stage", "c1/initialize")
	if got := f.fakes["c1"].read("etc/k0s.yaml.old"); got != "spec: {}\n" {
		t.Errorf("the administrator's file is %q", got)
	}
}

func TestRemoval(t *testing.T) {
	f, s := bootstrap(t, "c1", "c2", "w1")
	f.do(s, "", "c2/leave-etcd")
	if got := f.fakes["c1"].read("left"); !strings.Contains(got, "--peer-address 10.0.0.12") || !strings.Contains(got, "--data-dir") {
		t.Errorf("another controller was to be asked with the right flags (H6): %q", got)
	}
	if f.fakes["c2"].read("left") != "" {
		t.Error("the controller was asked to leave by itself")
	}
	f.do(s, "", "w1/reset", "w1/reset")
	if h := f.state(s, "w1"); h.Installed() || h.Data || !h.Binary.IsZero() {
		t.Errorf("after the reset: %+v", h)
	}
	f.fakes["c2"].write("fail-reset", "", 0o600)
	err := f.try(t.Context(), s, "", "c2/reset")
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "not wiped") {
		t.Errorf("a failed `k0s reset` passed for a good one (H29): %v", err)
	}
}

// A command that can't be recorded is not sent: nobody could say afterwards what was done.
func TestUnrecordedCommandsAreNotSent(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.do(s, v136, "w1/stage")
	f.auditErr = errors.New("no space left on device")
	err := f.try(t.Context(), s, v136, "w1/upgrade")
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "can't be recorded") {
		t.Errorf("the step: %v", err)
	}
	if h := f.state(s, "w1"); h.Running.String() != v135 || h.Service != lifecycle.ServiceRunning {
		t.Errorf("the machine was changed: %+v", h)
	}
}

// A data folder that was declared anew is not where the data is: what the machine has is read there and wiped there.
func TestTheDataFolderThatAMachineHas(t *testing.T) {
	f, old := bootstrap(t, "c1", "w1")
	old.Close()
	f.fakes["c1"].write("data/pki/admin.conf", "clusters: []\n", 0o600)
	site := f.site(v135)
	doc := string(site.Cluster.Document)
	for _, m := range f.fakes {
		doc = strings.ReplaceAll(doc, "dataDir: "+m.root+"/data", "dataDir: "+m.root+"/moved")
	}
	moved, ds := Describe([]byte(doc), site.SSH, site.Dir, "cluster.yaml")
	if err := ds.Err(); err != nil || string(moved.Document) == string(site.Cluster.Document) {
		t.Fatal(err)
	}
	site.Cluster = moved
	s, err := Open(site, Options{Log: f.log, CacheDir: filepath.Join(f.dir, "cache"), limits: inFolders()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, name := range []string{"c1", "w1"} {
		if h := f.state(s, name); !h.Data || !slices.Contains(h.Arguments, "--data-dir="+f.fakes[name].root+"/data") {
			t.Errorf("%s: its data is not seen: %+v", name, h)
		}
	}
	f.do(s, "", "w1/reset")
	want := "reset --data-dir=" + f.fakes["w1"].root + "/data"
	if all := strings.Join(f.fakes["w1"].commands, "\n"); !strings.Contains(all, want) && !strings.Contains(strings.ReplaceAll(all, "'", ""),
		want) {
		t.Errorf("it was reset where nothing is:\n%s", all[max(0, len(all)-600):])
	}
}

func TestTidy(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.do(s, v136, "w1/stage")
	f.do(s, "v1.34.10+k0s.0", "w1/stage")
	f.fakes["w1"].write("etc/k0stoken", token(t), 0o600)
	f.fakes["w1"].write("bin/.k0s.kiban-v1.36.3+k0s.2.upload", "half", 0o600)
	os.Remove(filepath.Join(f.fakes["c1"].root, "invalidated"))
	f.do(s, v136, "w1/tidy")
	h := f.state(s, "w1")
	if len(h.Staged) != 1 || h.Staged[0].String() != v136 || h.Token || f.fakes["w1"].read("bin/.k0s.kiban-v1.36.3+k0s.2.upload") != "" {
		t.Errorf("after tidying: %+v", h)
	}
	if strings.TrimSpace(f.fakes["c1"].read("invalidated")) != tokenID {
		t.Error("the token that was found is still valid")
	}
}

// A run that was killed between making a token worthless and overwriting it, and a token that has run out, leave one that can't be
// invalidated any more: there is nothing left to do but to overwrite it.
func TestTidyATokenThatIsGone(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.fakes["w1"].write("etc/k0stoken", token(t), 0o600)
	f.fakes["c1"].write("token-gone", "yes", 0o600)
	f.do(s, "", "w1/tidy")
	if h := f.state(s, "w1"); h.Token {
		t.Error("the token still lies on the machine")
	}
}

// The backup is streamed as it is, nothing of it is written on the machine, and one that breaks off is an error.
func TestHazard_H18_BackupIsStreamed(t *testing.T) {
	f, s := bootstrap(t, "c1")
	f.fakes["c1"].write("backup.tar.gz", "what k0s\x00 wrote\n", 0o600)
	before := f.fakes["c1"].files()
	f.do(s, "", "cluster/backup")
	if b, err := os.ReadFile(filepath.Join(f.dir, v135+".tar.gz")); err != nil || string(b) != "what k0s\x00 wrote\n" {
		t.Errorf("%q was kept, %v", b, err)
	}
	if after := f.fakes["c1"].files(); !slices.Equal(after, before) {
		t.Errorf("the machine had %v and has %v", before, after)
	}
	if err := os.Remove(filepath.Join(f.fakes["c1"].root, "backup.tar.gz")); err != nil {
		t.Fatal(err)
	}
	if err := f.try(t.Context(), s, "", "cluster/backup"); err == nil {
		t.Error("a backup that failed on the machine passed")
	}
}

func TestHazard_H11_OnlyContentDecides(t *testing.T) {
	f := newFarm(t, "c1")
	m := f.fakes["c1"]
	f.write("motd.txt", "welcome")
	f.extra["c1"] = "    files:\n    - {src: motd.txt, dst: " + m.root + "/etc/motd, perm: '0640'}\n    - {name: inline, data: hello, dst: " +
		m.root + "/etc/inline}\n"
	s := f.open(v135)
	f.do(s, v135, "c1/prepare")
	if m.read("etc/motd") != "welcome" || m.read("etc/inline") != "hello" {
		t.Errorf("files are %q and %q", m.read("etc/motd"), m.read("etc/inline"))
	}
	if st, _ := os.Stat(filepath.Join(m.root, "etc/motd")); st.Mode().Perm() != 0o640 {
		t.Errorf("mode is %v", st.Mode())
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(f.dir, "motd.txt"), later, later); err != nil {
		t.Fatal(err)
	}
	f.audit = nil
	f.do(s, v135, "c1/prepare")
	for _, c := range f.audit {
		if strings.Contains(c.Command, "/dev/stdin") {
			t.Errorf("a file whose time alone changed was uploaded again (H11): %s", c.Command)
		}
	}
}

func TestMergedEnvironment(t *testing.T) {
	got := merged("PATH=/bin\nHTTP_PROXY=old", map[string]string{"HTTP_PROXY": "new", "A": "1"})
	if got != "PATH=/bin\nHTTP_PROXY=new\nA=1" && got != "PATH=/bin\nHTTP_PROXY=new\nA=1\n" {
		t.Errorf("%q", got)
	}
	if again := merged(got, map[string]string{"HTTP_PROXY": "new", "A": "1"}); again != got {
		t.Errorf("a second time gives %q", again)
	}
}

// TestInterruptedStep: a step ends soon after its context, and cleans up all the same.
func TestInterruptedStep(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	m.set(func() { m.hang = true })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := s.Do(ctx, lifecycle.Step{ID: "w1/start", Target: "w1", Action: lifecycle.ActionStart}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Minute {
		t.Errorf("%v after %s", err, time.Since(begin))
	}
	if err := s.Do(t.Context(), lifecycle.Step{ID: "w1/drain", Target: "w1", Action: lifecycle.ActionDrain}, nil); err == nil {
		t.Error("an action of the API was done to a machine")
	}
}

// Whatever is done on a machine has a function here, but for the wait for an operator, which is the caller's.
func TestEveryActionOnMachinesIsDone(t *testing.T) {
	for _, a := range lifecycle.Actions() {
		if want := a.Doer() == lifecycle.DoerMachines && a != lifecycle.ActionAwait; (action(a) != nil) != want {
			t.Errorf("%s: done here %t, want %t", a, !want, want)
		}
	}
}

// TestBackupWithoutAQuorum: k0s takes its backup of the member on one controller, which gives it without asking the others. It is taken of
// one that is with the others; where there is none, it is said to be behind, and until when its data reach.
func TestBackupWithoutAQuorum(t *testing.T) {
	f, s := bootstrap(t, "c1", "c2", "c3")
	for _, name := range []string{"c1", "c2", "c3"} {
		f.fakes[name].write("backup.tar.gz", name+"'s", 0o600)
	}
	kept := func() string {
		f.do(s, "", "cluster/backup")
		b, err := os.ReadFile(filepath.Join(f.dir, v135+".tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := kept(); got != "c1's" || f.behind != nil {
		t.Errorf("with a quorum: %q, %v", got, f.behind)
	}
	f.fakes["c1"].write("no-quorum", "", 0o600)
	if got := kept(); got != "c2's" || f.behind != nil {
		t.Errorf("c1 is cut off: %q, %v", got, f.behind)
	}
	f.fakes["c2"].write("no-quorum", "", 0o600)
	if got := kept(); got != "c3's" || f.behind != nil {
		t.Errorf("c1 and c2 are cut off: %q, %v", got, f.behind)
	}
	f.fakes["c3"].write("no-quorum", "", 0o600)
	if got := kept(); got != "c1's" || f.behind == nil || !strings.Contains(f.behind.Detail, "context deadline exceeded") ||
		!strings.Contains(f.behind.Detail, "Until when they reach is not known") {
		t.Errorf("none has a quorum: %q, %+v", got, f.behind)
	}
	f.fakes["c1"].write("data/etcd/member/snap/db", "", 0o600)
	at := time.Date(2026, 11, 29, 3, 12, 30, 0, time.UTC) // half a minute, for a clock that a slow answer makes seem off
	if err := os.Chtimes(filepath.Join(f.fakes["c1"].root, "data/etcd/member/snap/db"), at, at); err != nil {
		t.Fatal(err)
	}
	if kept(); f.behind == nil || !strings.Contains(f.behind.Detail, "last written to at 2026-11-29 03:1") {
		t.Errorf("its age is not told: %+v", f.behind)
	}
}

// TestBackupIsOfTheNewestVersion: while an upgrade is under way a backup leads back to the new version, whichever controller gives it: what
// an API server of that has written is in it.
func TestBackupIsOfTheNewestVersion(t *testing.T) {
	f, s := bootstrap(t, "c1", "c2")
	f.do(s, v136, "c2/stage", "c2/upgrade")
	f.fakes["c1"].write("backup.tar.gz", "x", 0o600)
	f.do(s, "", "cluster/backup")
	if _, err := os.Stat(filepath.Join(f.dir, v136+".tar.gz")); err != nil {
		t.Errorf("it is not called after %s: %v", v136, err)
	}
}
