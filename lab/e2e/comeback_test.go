package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// v136early is a patch release before v136.
const v136early = "v1.36.2+k0s.0"

// strand upgrades a site to a version that does not come up on its first controller, by that fault.
func (b *bench) strand(fault string) result {
	b.t.Helper()
	b.Version, b.NodeTimeout = v136early, "15s"
	b.Reconnect = "90s" // an only API is away for long: kubelets, too, come back to it late
	b.write()
	b.fault("controller-1", fault, v136early)
	return b.apply(1)
}

// uids are the pods of a workload, by name.
func (b *bench) uids(cs kubernetes.Interface, app string) map[string]string {
	b.t.Helper()
	pods, err := cs.CoreV1().Pods("default").List(context.Background(), metav1.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range pods.Items {
		out[p.Name] = string(p.UID)
	}
	return out
}

// The only controller's new k0s does not stay up: the finding has its log, etcd's member, and the ways on. A fixed version that is declared
// then is put in its place, without an API, and the site comes up.
func TestOnlyControllerComesBackWithAFixedVersion(t *testing.T) {
	t.Parallel()
	b := start(t, "127.208.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	b.says(b.strand("crash"), "controller controller-1 did not come up with k0s "+v136early,
		"this machine was told that "+v136early+" cannot run",
		"etcd's only member, controller-1 at 127.208.0.11, which does not answer", "declare a fixed version of v1.36",
		"declare "+v135+", its former version")
	r := b.kiban("plan", "lab")
	b.says(r, "does not stay up", "declare a fixed version of v1.36", "this plan starts "+v136early+" again")

	b.Version = v136
	b.write()
	m := b.mark()
	b.says(b.apply(0), "is installed in its place")
	if c := b.changes(m); !strings.Contains(c, v136) || strings.Count(c, "controller-1 start ") != 1 {
		t.Errorf("the controller was not started just once, with the fixed version:\n%s", c)
	}
	b.nodesAt(cs, v136, 2)
	if !b.noted(cs, "before") {
		t.Error("what was stored is lost")
	}
	b.emptyPlan()
}

// The former version is declared again: it runs again where the new one has started nothing that writes, and is refused, with the backup
// that leads back, where the new one's API server has run.
func TestOnlyControllerGoesBack(t *testing.T) {
	t.Parallel()
	b := start(t, "127.208.1", 1, 1)
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	b.strand("crash")
	b.Version = v135
	b.write()
	b.says(b.apply(0), "restore-former", "has started neither etcd nor an API server")
	b.nodesAt(cs, v135, 1)
	b.emptyPlan()

	b.mend("controller-1")
	b.says(b.strand("crash-serving"), "has started etcd, kube-apiserver there", "kiban restore lab --from lab-"+v135)
	b.Version = v135
	b.write()
	m := b.mark()
	b.says(b.apply(1), "k0s "+v135+" may not be started here after "+v136early, "kiban restore lab --from lab-"+v135)
	b.untouched(m, "a refused way back")
	b.Version = v136
	b.write()
	b.apply(0)
	b.nodesAt(cs, v136, 1)
	if !b.noted(cs, "before") {
		t.Error("what was stored is lost")
	}
	b.emptyPlan()
}

// Of three controllers the first does not come up: the others serve, the fixed version goes onto the one that is down first, and then its
// way; with the former one declared it comes back alone.
func TestOneOfThreeControllersComesBack(t *testing.T) {
	t.Parallel()
	b := start(t, "127.208.2", 3, 1)
	b.apply(0)
	cs, _ := b.admin()
	b.says(b.strand("crash"), "2 of 3 members serve without controller-1", "controller-1 at 127.208.2.11 (does not come up)")
	b.Version = v135
	b.write()
	m := b.mark()
	b.apply(0)
	if c := b.changes(m); strings.Contains(c, "controller-2 stop") || strings.Contains(c, "controller-3 stop") || strings.Contains(c,
		"worker-1 stop") {
		t.Errorf("others were touched:\n%s", c)
	}
	b.nodesAt(cs, v135, 1)
	b.emptyPlan()

	b.strand("crash")
	b.Version = v136
	b.write()
	m = b.mark()
	b.apply(0)
	c := b.changes(m)
	first, second := strings.Index(c, "controller-1 start "), strings.Index(c, "controller-2 stop ")
	if first < 0 || second < first || strings.Count(c, "controller-1 start ") != 1 {
		t.Errorf("the one that is down was not the first:\n%s", c)
	}
	b.nodesAt(cs, v136, 1)
	b.emptyPlan()
}

// A version that was taken back from a worker is not proposed again without a word, and an upgrade that is carried on takes no backup that
// pushes out the useful one.
func TestFailedVersionIsRemembered(t *testing.T) {
	t.Parallel()
	b := start(t, "127.208.3", 1, 1)
	b.apply(0)
	cs, _ := b.admin()
	b.Version, b.NodeTimeout = v136, "15s"
	b.write()
	b.fault("worker-1", "crash", v136)
	b.apply(1)
	b.says(b.must(0, b.kiban("plan", "lab")), "k0s "+v136+" failed on this machine at", "on worker-1", "kiban show")
	if files, err := filepath.Glob(filepath.Join(b.dir, ".kiban", "backups", "lab", "*.tar.gz")); err != nil || len(files) != 1 {
		t.Errorf("backups: %q, %v", files, err)
	}
	b.mend("worker-1")
	b.apply(0)
	b.nodesAt(cs, v136, 1)
	b.emptyPlan()
}

// All controllers are lost, and the workers live: status and plan say so and name the backup, nothing is begun and no worker is touched.
// The backup goes onto bare machines, and the pods that ran before run on.
func TestLostControlPlaneComesBackOnNewMachines(t *testing.T) {
	t.Parallel()
	b := start(t, "127.208.4", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 4, 1)
	before := b.uids(cs, "web")
	file := strings.TrimSpace(b.must(0, b.kiban("backup", "lab")).stdout)
	b.destroy("controller-1")
	m := b.mark()
	for _, r := range []result{b.must(0, b.kiban("status", "lab")), b.must(3, b.kiban("plan", "lab")), b.must(3, b.kiban("apply", "lab",
		"--yes"))} {
		b.says(r, "the control plane is lost, and this is not a new cluster", "there until", "worker-1, worker-2", filepath.Base(file),
			"kiban restore lab --from "+filepath.Base(file), "--new-cluster")
		if strings.Contains(r.stdout+r.stderr, "k0s reset") {
			t.Errorf("it advises what ends the pods: %s", r)
		}
	}
	b.untouched(m, "a lost control plane that is planned")
	b.must(0, b.kiban("restore", "lab", "--from", filepath.Base(file), "--yes"))
	cs, _ = b.admin()
	b.allReady(cs, v135)
	b.eventually("the pods run", func() (bool, string) {
		after := b.uids(cs, "web")
		for name, uid := range before {
			if after[name] != uid {
				return false, "pod " + name + " is another or gone"
			}
		}
		return len(after) == len(before), "more pods than before"
	})
	b.emptyPlan()
}

// A site whose only controller does not come up with its new k0s: plan says what its log says, what was tried and how that ended, and the
// ways on in their order. The first one is tried again and said to be; the second one, which loses nothing, brings the site up.
func TestASiteThatDoesNotComeUp(t *testing.T) {
	t.Parallel()
	b := start(t, "127.208.5", 1, 1)
	b.twoStep("1h, commit: manual")
	b.write()
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	b.NodeTimeout = "15s"
	b.Version = v136
	b.write()
	b.fault("controller-1", "crash", v136)
	b.says(b.apply(1), "controller controller-1 did not come up with k0s "+v136, "with nothing lost: kiban back lab")

	m := b.mark()
	r := b.kiban("plan", "lab")
	b.inOrder(r, "k0s "+v136+" does not come up on this controller", "Its log says:", "this machine was told that "+v136+" cannot run",
		"Tried before: upgrade of k0s "+v136+" on ", "did not bring it up", "This plan tries the same again",
		"kiban node logs lab controller-1", "Back to "+v135+", with nothing lost: kiban back lab", "declare a fixed version of v1.36",
		"kiban restore lab --from lab-"+v135)
	b.untouched(m, "a plan of a site that does not come up")
	b.apply(1)
	b.says(b.kiban("plan", "lab"), "Tried before: start of k0s "+v136+" on ")

	b.must(0, b.kiban("back", "lab", "--yes", "--lock-timeout", "2m"))
	b.Version = v135
	b.write()
	b.apply(0)
	b.controllersRun(v135)
	if !b.noted(cs, "before") {
		t.Error("what was stored is lost")
	}
	b.emptyPlan()
}

// inOrder asserts that a command says texts one behind the other.
func (b *bench) inOrder(r result, texts ...string) {
	b.t.Helper()
	rest := r.stdout + r.stderr
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			b.t.Errorf("it does not say %q in its place: %s", text, r)
			return
		}
		rest = after
	}
}
