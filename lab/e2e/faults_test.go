package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func (b *bench) fault(machine string, kind ...string) {
	b.t.Helper()
	b.must(0, b.lab(append([]string{"fault", "--dir", ".lab", machine}, kind...)...))
}

func (b *bench) mend(machine string) {
	b.t.Helper()
	b.must(0, b.lab("fault", "--dir", ".lab", machine, "--clear"))
}

// Each fault is named with what to do about it, touches nothing, and leaves nothing that the next run does not bring to its end.
func TestFaultsAreNamedAndLeaveNothingHalfDone(t *testing.T) {
	t.Parallel()
	b := start(t, "127.178.0", 1, 2)
	mirror := filepath.Join(b.dir, ".lab", "mirror", v135, "k0s-"+v135+"-amd64")
	for _, f := range []struct {
		name        string
		set, unset  func()
		args        []string
		code        int
		says        []string
		mayTouch    bool
		withinAbout time.Duration
	}{
		{name: "another host key", set: func() { b.fault("worker-1", "host-key") }, unset: func() { b.mend("worker-1") }, code: 1,
			says: []string{"worker-1", "the host's key is not the known one", "known_hosts, line"}},
		{name: "a key that is refused", set: func() { b.fault("worker-1", "ssh-auth") }, unset: func() { b.mend("worker-1") }, code: 1,
			says: []string{"worker-1", "key"}},
		{name: "sudo that wants a password", set: func() { b.User = "ops"; b.write(); b.fault("worker-1", "sudo") },
			unset: func() { b.User = "root"; b.write(); b.mend("worker-1") }, code: 1, says: []string{"worker-1", "sudo"}},
		{name: "a controller that is off", set: func() { b.fault("controller-1", "off") }, unset: func() { b.mend("controller-1") }, code: 3,
			says: []string{"controller-1", "refused"}, withinAbout: 2 * time.Minute},
		{name: "a binary that is not the released one", set: func() { tamper(t, mirror) }, unset: func() { tamper(t, mirror) }, code: 1,
			says: []string{"checksum", v135}, mayTouch: true},
		{name: "a full disk", set: func() { b.fault("worker-2", "disk-full") }, unset: func() { b.mend("worker-2") }, code: 1,
			says: []string{"worker-2", "not enough room"}, mayTouch: true},
		{name: "a worker that is off", set: func() { b.fault("worker-2", "off") }, unset: func() { b.mend("worker-2") }, code: 3,
			says: []string{"worker-2", "refused", "not wholly as declared"}, withinAbout: 2 * time.Minute, mayTouch: true},
		{name: "a worker that does not answer", set: func() { b.fault("worker-2", "ssh-hang") }, unset: func() { b.mend("worker-2") }, code: 3,
			says: []string{"worker-2", "i/o timeout", "not wholly as declared"}, withinAbout: 2 * time.Minute},
	} {
		t.Run(f.name, func(t *testing.T) {
			b := b.in(t)
			f.set()
			m := b.mark()
			r := b.kiban("apply", "lab", "--yes")
			f.unset()
			if r.code != f.code {
				t.Errorf("exit %d, want %d: %s", r.code, f.code, r)
			}
			for _, want := range f.says {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("does not say %q: %s", want, r)
				}
			}
			if f.withinAbout > 0 && r.took > f.withinAbout {
				t.Errorf("took %s to say so", r.took)
			}
			if !f.mayTouch {
				b.untouched(m, "a refused apply")
			}
		})
	}
	b.apply(0)
	b.emptyPlan()
}

// in is the bench for a subtest.
func (b *bench) in(t *testing.T) *bench {
	c := *b
	c.t = t
	return &c
}

// tamper flips a byte in the middle of the file; twice, and it is as it was.
func tamper(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 0xff
	if err := os.WriteFile(path, raw, 0o755); err != nil {
		t.Fatal(err)
	}
}

// A drain that does not end stops the rollout at its time limit, names the pod, and gives the node back; so does an operator's
// interrupt. Afterwards the same command goes through.
func TestDrainThatNeverEnds(t *testing.T) {
	t.Parallel()
	b := start(t, "127.179.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 2, 1)
	b.Version, b.DrainTimeout = v136, "8s"
	b.write()
	b.fault("worker-1", "hold-pods")
	b.fault("worker-2", "hold-pods")
	r := b.kiban("apply", "lab", "--yes")
	if r.code != 1 && r.code != 3 {
		t.Fatalf("a drain that can't end: %s", r)
	}
	for _, want := range []string{"drain", "default/web-"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("does not say %q: %s", want, r)
		}
	}
	b.cordoned(cs) // none

	b.DrainTimeout = "10m"
	b.write()
	_, stop := b.background(binary(t, "KIBAN_BIN", "kiban"), "apply", "lab", "--yes")
	b.eventually("a worker is being drained", func() (bool, string) { return b.anyCordoned(cs), "none is cordoned" })
	b.mend("worker-1")
	b.mend("worker-2")
	if r := stop(os.Interrupt); r.code != 130 {
		t.Errorf("interrupted: %s", r)
	}
	b.apply(0)
	b.nodesAt(cs, v136, 2)
	b.cordoned(cs)
	b.emptyPlan()
}

// A new version that crashes again and again does not pass for upgraded because its node still looks Ready, and no other node is
// touched (H37).
func TestHazard_H37_CrashLoopingVersionStopsAtTheFirstNode(t *testing.T) {
	t.Parallel()
	b := start(t, "127.180.0", 1, 3)
	b.apply(0)
	cs, _ := b.admin()
	b.Version, b.NodeTimeout = v136, "20s"
	b.write()
	for _, w := range []string{"worker-1", "worker-2", "worker-3"} {
		b.fault(w, "crash", v136)
	}
	m := b.mark()
	r := b.apply(1)
	if !strings.Contains(r.stderr, "worker-1") {
		t.Errorf("does not name the node: %s", r)
	}
	c := b.changes(m)
	for _, w := range []string{"worker-2", "worker-3"} {
		if strings.Contains(c, w+" stop ") {
			t.Errorf("%s was touched after the first node had failed:\n%s", w, c)
		}
	}
	for _, w := range []string{"worker-1", "worker-2", "worker-3"} {
		b.mend(w)
	}
	b.apply(0)
	b.nodesAt(cs, v136, 3)
	b.cordoned(cs)
	b.emptyPlan()
}

// Killed at any of several moments of an upgrade, then run again: the same end.
func TestKilledApplyIsCarriedOn(t *testing.T) {
	t.Parallel()
	b := start(t, "127.181.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 2, 1)
	b.Version = v136
	b.write()
	for i, after := range []time.Duration{1500 * time.Millisecond, 4 * time.Second, 9 * time.Second, 25 * time.Second, 28 * time.Second} {
		_, stop := b.background(binary(t, "KIBAN_BIN", "kiban"), "apply", "lab", "--yes")
		time.Sleep(after)
		r := stop(os.Kill)
		t.Logf("run %d killed after %s (%s)", i+1, after, tail(strings.TrimSpace(r.stderr), 120))
	}
	b.apply(0)
	b.nodesAt(cs, v136, 2)
	b.cordoned(cs)
	b.emptyPlan()
}

// A staged binary that is damaged is found before the only controller stops for it, and staged again by the same command. One that is
// damaged where it is installed, while the service is down, is replaced by the same command, too.
func TestA6_DamagedBinaryOfTheOnlyController(t *testing.T) {
	t.Parallel()
	b := start(t, "127.181.9", 1, 1)
	b.apply(0)
	cs, _ := b.admin()
	b.Version = v136
	b.write()
	b.fault("controller-1", "fail", "k0s backup")
	b.apply(1)
	b.mend("controller-1")
	b.fault("controller-1", "corrupt", "/usr/local/bin/k0s.kiban-"+v136)
	r := b.apply(0)
	if !strings.Contains(r.stderr, "is damaged") {
		t.Errorf("it does not say that the staged binary was damaged: %s", r)
	}
	b.nodesAt(cs, v136, 1)
	b.emptyPlan()

	b.must(0, b.lab("exec", "--dir", ".lab", "controller-1", "systemctl stop k0scontroller"))
	b.fault("controller-1", "corrupt")
	r = b.apply(0)
	if !strings.Contains(r.stderr, "its k0s binary does not run") {
		t.Errorf("it does not say that the binary was damaged: %s", r)
	}
	b.nodesAt(cs, v136, 1)
	b.emptyPlan()
}
