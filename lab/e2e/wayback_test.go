package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A worker whose new k0s never becomes Ready is back on the old one within a minute of its deadline and in service, no other worker is
// touched, and the plan says what remains. When the cause is gone, the same command goes through.
func TestWorkerThatDoesNotComeBackGetsItsFormerK0s(t *testing.T) {
	t.Parallel()
	b := start(t, "127.206.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.Version, b.NodeTimeout = v136, "15s"
	b.write()
	text := b.must(0, b.kiban("plan", "lab")).stdout
	if !strings.Contains(text, "restore-former "+v135) {
		t.Errorf("the plan does not show the way back:\n%s", text)
	}
	b.fault("worker-1", "never-ready", v136)
	m := b.mark()
	r := b.apply(1)
	for _, want := range []string{"worker-1 did not come up with k0s " + v136 + "; it runs " + v135 + " again and is back in service",
		"is not Ready", "last lines of the log",
		"starting k0s " + v136} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("does not say %q: %s", want, r)
		}
	}
	if c := b.changes(m); strings.Contains(c, "worker-2 stop ") {
		t.Errorf("another worker was touched:\n%s", c)
	}
	if r := b.must(0, b.kiban("show", "latest", "-o", "markdown")); !strings.Contains(r.stdout, "restore-former") ||
		!strings.Contains(r.stdout, "last lines of the log") {
		t.Errorf("the run shown again does not tell of the way back: %s", r)
	}
	b.nodesAt(cs, v135, 2)
	b.cordoned(cs)
	ids := b.plan()
	if want := "worker-1/upgrade"; !slices.Contains(ids, want) || slices.Contains(ids, "controller-1/upgrade") {
		t.Errorf("what remains is not in the plan: %s", ids)
	}
	b.mend("worker-1")
	b.apply(0)
	b.nodesAt(cs, v136, 2)
	b.cordoned(cs)
	b.emptyPlan()
}

// A controller that does not come back stops the rollout while the others hold the quorum, and is not taken back. The plan
// says what remains.
func TestControllerThatDoesNotComeBackStopsTheRollout(t *testing.T) {
	t.Parallel()
	b := start(t, "127.206.1", 3, 1)
	b.apply(0)
	b.Version, b.NodeTimeout = v136, "15s"
	b.write()
	b.fault("controller-1", "crash", v136)
	m := b.mark()
	r := b.apply(1)
	for _, want := range []string{"controller controller-1 did not come up with k0s " + v136, "etcd has quorum", "last lines of the log",
		"is not taken back"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("does not say %q: %s", want, r)
		}
	}
	if c := b.changes(m); strings.Contains(c, "controller-2 stop ") || strings.Contains(c, "worker-1 stop ") {
		t.Errorf("another machine was touched:\n%s", c)
	}
	if ids := b.plan(); !slices.Contains(ids, "controller-2/upgrade") || !slices.Contains(ids, "worker-1/upgrade") {
		t.Errorf("what remains is not in the plan: %s", ids)
	}
}

// Killed while the new k0s does not become Ready, the next run finds what was kept and takes the worker back all the same.
func TestWayBackOutlivesTheRun(t *testing.T) {
	t.Parallel()
	b := start(t, "127.206.2", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.Version, b.NodeTimeout = v136, "90s"
	b.write()
	b.fault("worker-1", "never-ready", v136)
	m := b.mark()
	_, stop := b.background(binary(t, "KIBAN_BIN", "kiban"), "apply", "lab", "--yes")
	b.eventually("the worker starts with its new k0s", func() (bool, string) {
		c := b.changes(m)
		return strings.Contains(c, "worker-1 start "), c
	})
	stop(os.Kill)
	b.NodeTimeout = "15s"
	b.write()
	if r := b.apply(1); !strings.Contains(r.stderr, "it runs "+v135+" again and is back in service") {
		t.Errorf("the second run does not take it back: %s", r)
	}
	b.nodesAt(cs, v135, 2)
	b.cordoned(cs)
}

// A configuration that its API server does not start with is taken back from the first controller, which serves again; no other
// controller is touched, and the finding says what was put back. With the configuration put right the same command goes through.
func TestConfigurationThatDoesNotComeUpIsTakenBack(t *testing.T) {
	t.Parallel()
	b := start(t, "127.206.3", 3, 1)
	b.apply(0)
	b.NodeTimeout = "30s"
	b.Config = "        api:\n          extraArgs:\n            proffiling: \"false\"\n"
	b.write()
	m := b.mark()
	r := b.apply(1)
	for _, want := range []string{"controller-1 did not come up with its change; it runs with what it had before again", "Put back was",
		"spec.api.extraArgs.proffiling"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("does not say %q: %s", want, r)
		}
	}
	if c := b.changes(m); strings.Contains(c, "controller-2 stop ") || strings.Contains(c, "controller-3 stop ") {
		t.Errorf("another controller was touched:\n%s", c)
	}
	b.Config = ""
	b.write()
	b.emptyPlan()
	b.Config = "        api:\n          extraArgs:\n            profiling: \"false\"\n"
	b.write()
	b.apply(0)
	b.emptyPlan()
}

// A wrong argument of the kubelet: the first worker does not become Ready with it, has its former arguments again within its deadline and
// is back in service, and no other worker is touched. The plan that tries the same again says that it failed; with it corrected the same
// command goes through.
func TestWorkerWithAWrongArgumentIsTakenBack(t *testing.T) {
	t.Parallel()
	b := start(t, "127.206.4", 1, 2)
	b.NodeTimeout = "20s"
	b.write()
	b.apply(0)
	cs, _ := b.admin()
	cluster := filepath.Join(b.dir, "overlays", "lab", "cluster.yaml")
	doc, err := os.ReadFile(cluster)
	if err != nil {
		t.Fatal(err)
	}
	declare := func(argument string) {
		b.file(cluster, strings.ReplaceAll(string(doc), "    role: worker\n",
			"    role: worker\n    installFlags: ['--kubelet-extra-args="+argument+"']\n"))
	}
	declare("--no-such-flag=1")
	m := b.mark()
	unit := func() string {
		return b.must(0, b.lab("exec", "--dir", ".lab", "worker-1", "cat /etc/systemd/system/k0sworker.service")).stdout
	}
	before := unit()
	b.says(b.apply(1), "worker-1 did not come up with its change; it runs with what it had before again and is back in service",
		"Put back was", "unknown flag: --no-such-flag")
	if c := b.changes(m); strings.Contains(c, "worker-2 stop ") || strings.Contains(c, "controller-1 stop ") {
		t.Errorf("another machine was touched:\n%s", c)
	}
	if now := unit(); now != before {
		t.Errorf("its service is not what it was:\n%s\n%s", before, now)
	}
	b.nodesAt(cs, v135, 2)
	b.cordoned(cs)
	b.says(b.must(0, b.kiban("plan", "lab")), "the same change failed on this machine at", "on worker-1", "kiban show")

	declare("--max-pods=77")
	r := b.must(0, b.kiban("plan", "lab"))
	if strings.Contains(r.stdout, "failed on this machine") {
		t.Errorf("of a corrected change: %s", r)
	}
	b.apply(0)
	b.nodesAt(cs, v135, 2)
	b.cordoned(cs)
	b.emptyPlan()
}
