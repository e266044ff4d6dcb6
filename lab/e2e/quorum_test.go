package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Two of three controllers are off: status, plan and a task for a machine say that etcd has no quorum and which to bring back. The one that
// is left gives its backup for whoever asks, with a warning until when it reaches. One that comes back brings it all back.
func TestQuorumIsLost(t *testing.T) {
	t.Parallel()
	b := start(t, "127.203.3", 3, 1)
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	b.fault("controller-2", "off")
	b.fault("controller-3", "off")
	lost := "etcd has 1 of 3 members: no quorum"
	b.eventually("the API is gone", func() (bool, string) {
		r := b.must(0, b.kiban("status", "lab"))
		return strings.Contains(r.stdout+r.stderr, lost), r.stdout + r.stderr
	})
	m := b.mark()
	for _, r := range []result{b.must(0, b.kiban("status", "lab")), b.must(3, b.kiban("plan", "lab")),
		b.must(3, b.kiban("apply", "lab", "--yes")), b.node(3, "drain", "lab", "worker-1", "--yes")} {
		b.says(r, lost, "Bring controller-2 or controller-3 back", "kiban backup lab", "kiban restore lab")
	}
	b.untouched(m, "a site without a quorum that is planned")
	r := b.must(0, b.kiban("backup", "lab"))
	b.says(r, "etcd has no quorum, so the backup may be behind", "k0s runs on 1 of 3 controllers", "last written to at 20")
	if !strings.HasSuffix(strings.TrimSpace(r.stdout), ".tar.gz") {
		t.Errorf("no backup was taken: %s", r)
	}

	b.fault("controller-3", "on")
	b.eventually("the API is back", func() (bool, string) {
		r := b.kiban("plan", "lab")
		return r.code == 0, r.stdout + r.stderr
	})
	if !b.noted(cs, "before") {
		t.Error("what was stored is lost")
	}
}

// The kubelet of a worker dies: its machine answers, its pods never end. A drain that has begun says which pods hang and why, and ends when
// its time is over. The same command then takes the node out without a drain, with a warning, and the pods are made elsewhere.
func TestNodeRemoveOfADeadKubelet(t *testing.T) {
	t.Parallel()
	b := start(t, "127.203.4", 1, 2)
	b.DrainTimeout = "100s"
	b.write()
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 4, 2)
	b.fault("worker-2", "crash")
	b.must(0, b.lab("exec", "--dir", ".lab", "worker-2", "systemctl restart k0sworker"))
	r := b.node(3, "remove", "lab", "worker-2", "--yes") // its node is Ready still
	b.says(r, "asked to leave, and nothing ends them there: node worker-2 is not Ready", "was not drained within 1m40s", "kiban node remove")
	if p := b.kiban("plan", "lab"); strings.Contains(p.stdout, "an upgrade was cut off") {
		t.Errorf("what was cut off was no upgrade: %s", p)
	}
	b.says(b.node(3, "drain", "lab", "worker-2", "--yes"), "its kubelet does not answer, so nothing there would end its pods")
	b.says(b.node(0, "remove", "lab", "worker-2", "--yes"), "its pods are not moved away first: its kubelet does not answer")
	if b.nodeExists(cs, "worker-2") {
		t.Error("the node is still there")
	}
	b.eventually("the pods are elsewhere", func() (bool, string) {
		pods, err := cs.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		if err != nil {
			return false, err.Error()
		}
		for _, p := range pods.Items {
			if p.Spec.NodeName != "worker-1" {
				return false, p.Name + " is on " + p.Spec.NodeName
			}
		}
		return len(pods.Items) == 4, "too few, or too many"
	})
}
