package e2e

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// holder is who the cluster's lease says has the lock; "" when nobody does.
func (b *bench) holder(cs kubernetes.Interface) (run string, epoch int) {
	l, err := cs.CoordinationV1().Leases("kube-system").Get(context.Background(), "kiban", metav1.GetOptions{})
	if err != nil {
		return "", 0
	}
	if l.Spec.HolderIdentity != nil {
		run = *l.Spec.HolderIdentity
	}
	if l.Spec.LeaseTransitions != nil {
		epoch = int(*l.Spec.LeaseTransitions)
	}
	return run, epoch
}

func (r result) says(t *testing.T, what ...string) {
	t.Helper()
	for _, w := range what {
		if !strings.Contains(r.stderr, w) {
			t.Errorf("does not say %q: %s", w, r)
		}
	}
}

// Two that set up the same machines at once: one does, the other stops with exit code 3, names the first, and has touched nothing.
// Neither leaves a lock behind.
func TestTwoBootstrapsAtOnce(t *testing.T) {
	t.Parallel()
	b := start(t, "127.201.0", 1, 1)
	b.User = "ops" // who may not write there without sudo
	b.write()
	bin := binary(t, "KIBAN_BIN", "kiban")
	_, first := b.background(bin, "apply", "lab", "--yes")
	_, second := b.background(bin, "apply", "lab", "--yes")
	rs := []result{first(nil), second(nil)}
	if rs[0].code == 3 {
		rs[0], rs[1] = rs[1], rs[0]
	}
	if rs[0].code != 0 || rs[1].code != 3 {
		t.Fatalf("want exit 0 and 3: %s\n\n%s", rs[0], rs[1])
	}
	host, _ := os.Hostname()
	rs[1].says(t, "another run is changing this site", "@"+host, "has it since", "apply", "/run/kiban on controller-1", "--lock-timeout")
	if strings.Contains(rs[1].stderr, "Run 2") {
		t.Errorf("it began a run: %s", rs[1])
	}
	b.emptyPlan()
	cs, _ := b.admin()
	run, epoch := b.holder(cs)
	if run != "" || epoch != 1 {
		t.Errorf("the lease afterwards: holder %q, epoch %d; want it adopted once and given up", run, epoch)
	}
	if left := strings.TrimSpace(b.must(0, b.lab("exec", "--dir", ".lab", "controller-1", "ls /run/kiban")).stdout); left != "epoch.1" {
		t.Errorf("left on the controller: %q, want nothing but the epoch", left)
	}
	m := b.mark()
	b.apply(0)
	b.untouched(m, "an apply of nothing")
	if _, again := b.holder(cs); again != epoch {
		t.Error("an apply of nothing took the lock")
	}
}

// A holder that is stopped for longer than its lease loses the lock to the next run, and finds out before its next step. Before that, the
// next run is told who has it.
func TestFenceStopsAHolderThatWasStopped(t *testing.T) {
	t.Parallel()
	b := start(t, "127.201.10", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 2, 1)
	b.Version, b.DrainTimeout = v136, "5m"
	b.write()
	b.fault("worker-1", "hold-pods")
	b.fault("worker-2", "hold-pods")
	bin := binary(t, "KIBAN_BIN", "kiban")
	cmd, first := b.background(bin, "apply", "lab", "--yes")
	b.eventually("a worker is being drained", func() (bool, string) { return b.anyCordoned(cs), "none is cordoned" })
	run, epoch := b.holder(cs)
	if run == "" || epoch != 2 {
		t.Fatalf("the lease: holder %q, epoch %d", run, epoch)
	}
	r := b.apply(3)
	r.says(t, "another run is changing this site", run, "lease kube-system/kiban")
	if r.took > 2*time.Minute { // the drain may take five
		t.Errorf("took %s to say so", r.took)
	}
	if r := b.must(0, b.kiban("status", "lab")); !strings.Contains(r.stdout, "Locked: ") || !strings.Contains(r.stdout, run) {
		t.Errorf("status does not show the lock: %s", r)
	}

	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, second := b.background(bin, "apply", "lab", "--yes", "--lock-timeout", "3m")
	b.eventually("the lock is taken over", func() (bool, string) {
		now, e := b.holder(cs)
		return now != run && now != "" && e == 3, now
	})
	b.mend("worker-1") // the drain in hand can end now, and another step would follow
	b.mend("worker-2")
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	stopped := first(nil)
	if stopped.code != 3 {
		t.Errorf("the former holder: want exit 3: %s", stopped)
	}
	stopped.says(t, "another run has taken the lock over")
	if r := second(nil); r.code != 0 {
		t.Errorf("the next holder: %s", r)
	}
	b.nodesAt(cs, v136, 2)
	b.cordoned(cs)
	b.emptyPlan()
	if run, _ := b.holder(cs); run != "" {
		t.Errorf("the lock is still held by %s", run)
	}
}

// The lock of a run that was killed is had at once on the same machine; one that lives is taken away by `kiban unlock`, and stops.
func TestKilledHolderAndUnlock(t *testing.T) {
	t.Parallel()
	b := start(t, "127.201.20", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 2, 1)
	b.Version, b.DrainTimeout = v136, "5m"
	b.write()
	b.fault("worker-1", "hold-pods")
	b.fault("worker-2", "hold-pods")
	bin := binary(t, "KIBAN_BIN", "kiban")
	_, killed := b.background(bin, "apply", "lab", "--yes")
	b.eventually("the worker is being drained", func() (bool, string) { return b.anyCordoned(cs), "it is not cordoned" })
	killed(os.Kill)
	run, epoch := b.holder(cs)
	if run == "" {
		t.Fatal("a killed run holds no lock")
	}

	_, next := b.background(bin, "apply", "lab", "--yes")
	b.eventually("the lock is taken over at once",
		func() (bool, string) { now, e := b.holder(cs); return now != run && e == epoch+1, now })
	b.kiban("plan", "lab").says(t, "another run is at work on this site", "has it since", "kiban status lab")
	b.must(1, b.kiban("unlock", "lab")).says(t, "has it since", "kiban unlock lab --yes")
	b.must(0, b.kiban("unlock", "lab", "--yes"))
	b.mend("worker-1")
	b.mend("worker-2")
	r := next(nil)
	if r.code != 3 {
		t.Errorf("a run whose lock was taken away: %s", r)
	}
	r.says(t, "somebody took the lock away")
	b.apply(0)
	b.nodesAt(cs, v136, 2)
	b.cordoned(cs)
	b.emptyPlan()
}
