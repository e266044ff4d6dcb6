package k0s

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestHazard_H28_NoSecretIsLogged holds H28.
func TestHazard_H28_NoSecretIsLogged(t *testing.T) {
	var b bytes.Buffer
	f := newFarm(t, "c1", "w1")
	f.log = slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	f.spec = "    config:\n      spec: {network: {controlPlaneLoadBalancing: {keepalived: {vrrpInstances: [{authPass: hunter2}]}}}}\n"
	f.fakes["c1"].write("token", token(t), 0o600)
	admin := adminConf(t)
	f.fakes["c1"].write("data/pki/admin.conf", admin, 0o600)
	s := f.open(v135)
	f.do(s, v135, "c1/stage", "c1/initialize", "w1/stage", "w1/join-worker")
	got, err := s.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Credentials.IsZero() {
		t.Fatal("the kubeconfig was not read")
	}
	f.fakes["w1"].write("etc/k0stoken", token(t), 0o600)
	f.do(s, v135, "w1/tidy")
	s.Close()
	log := b.String()
	for _, c := range f.audit {
		log += c.Command + "\n"
	}
	if !strings.Contains(log, "k0s install worker") {
		t.Error("the log does not even have the commands")
	}
	_, key, _ := strings.Cut(admin, "client-key-data: ")
	if key = strings.Trim(key, "}] \n"); len(key) < 100 {
		t.Fatalf("no key in %s", admin)
	}
	for _, secret := range []string{token(t), "secretsecret", "hunter2", key} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// TestDynamicConfig: the first controller starts with the whole configuration, and keeps its own part only.
func TestDynamicConfig(t *testing.T) {
	f := newFarm(t, "c1")
	f.spec = "    dynamicConfig: true\n    config:\n      spec: {api: {sans: [a.example]}, telemetry: {enabled: false}}\n"
	m := f.fakes["c1"]
	m.write("bin/systemctl", strings.Replace(fakeSystemctl, "start) ", `start) cp "$ROOT/etc/k0s.yaml" "$ROOT/started-with"; `, 1), 0o755)
	s := f.open(v135)
	f.do(s, v135, "c1/stage", "c1/initialize")
	if got := m.read("started-with"); !strings.Contains(got, "telemetry") {
		t.Errorf("it was started with\n%s", got)
	}
	declared, _ := s.site.Cluster.Host("c1")
	h := f.state(s, "c1")
	if h.ConfigDigest != declared.ConfigDigest || strings.Contains(string(h.Config), "telemetry") {
		t.Errorf("afterwards it has\n%s\nwant\n%s", h.Config, declared.Config)
	}
	if !slices.Contains(h.Arguments, "--enable-dynamic-config=true") || !slices.Equal(h.Arguments, declared.Arguments) {
		t.Errorf("arguments are %q, want %q", h.Arguments, declared.Arguments)
	}
}

func TestHooks(t *testing.T) {
	f := newFarm(t, "c1")
	m := f.fakes["c1"]
	note := func(what string) string { return "[echo " + what + " >> " + m.root + "/hooks]" }
	f.extra["c1"] = "    hooks: {install: {before: " + note("one") + ", after: " + note("two") + "}, upgrade: {before: " + note("three") +
		", after: " + note("four") + "}}\n"
	s := f.open(v135)
	f.do(s, v135, "c1/stage", "c1/initialize", "c1/initialize")
	f.do(s, v136, "c1/stage", "c1/upgrade", "c1/upgrade")
	if got := strings.Fields(m.read("hooks")); !slices.Equal(got, []string{"one", "two", "three", "four"}) {
		t.Errorf("hooks ran as %v", got)
	}
}

// TestUpgradeNeedsItsBinary: nothing is stopped before it is sure that it can be started again.
func TestUpgradeNeedsItsBinary(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	before := f.state(s, "w1")
	if err := f.try(t.Context(), s, v136, "w1/upgrade"); err == nil || !strings.Contains(err.Error(), "is not on the machine") {
		t.Errorf("error is %v", err)
	}
	if h := f.state(s, "w1"); h.Service != before.Service || h.Binary != before.Binary {
		t.Errorf("a refused upgrade stopped the machine: %+v", h)
	}
}

// TestHazard_H25_ServiceThatHasJustStarted holds H25: `k0s status` answers a moment after systemd does, which is no reason for a restart.
func TestHazard_H25_ServiceThatHasJustStarted(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	m.write("running/k0sworker", "", 0o644) // it runs, and says nothing
	time.AfterFunc(300*time.Millisecond, func() {
		_ = os.WriteFile(filepath.Join(m.root, "running/k0sworker"), []byte(v135), 0o644)
	})
	before := len(f.audit)
	f.do(s, v135, "w1/upgrade")
	if sent := f.audit[before:]; len(sent) != 0 {
		t.Errorf("it was sent %v", sent)
	}
}
