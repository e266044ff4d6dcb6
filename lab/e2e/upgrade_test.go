package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// The main job, whole: bootstrap, nothing to do, an upgrade under load with an administrator's cordon in the way, no way back.
func TestUpgradeOfThreeControllersUnderLoad(t *testing.T) {
	t.Parallel()
	b := start(t, "127.171.0", 3, 4)
	b.apply(0)
	b.emptyPlan()

	cs, cfg := b.admin()
	b.nodesAt(cs, v135, 4)
	b.deploy(cs, "web", 3, 1)
	b.cordonAsAdmin(cs, "worker-2")

	b.Version = v136
	b.write()
	probe := b.probe("web")
	quorum := b.watchQuorum(cfg)
	b.apply(0)
	quorum.verdict(t)
	sent, failed := probe()
	t.Logf("requests during the upgrade: %d, failed: %d", sent, failed)
	if failed != 0 || sent < 200 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	b.nodesAt(cs, v136, 4)
	b.cordoned(cs, "worker-2")
	b.emptyPlan()

	b.Version = v135
	b.write()
	m := b.mark()
	if r := b.apply(1); !strings.Contains(r.stderr, "downgrade") {
		t.Errorf("a downgrade is refused in words that do not say so: %s", r)
	}
	b.untouched(m, "a refused downgrade")
}

func TestImpossibleBudgetIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	t.Parallel()
	b := start(t, "127.172.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "stubborn", 2, 0)
	b.Version = v136
	b.write()
	m := b.mark()
	r := b.apply(3)
	b.untouched(m, "a refused apply")
	for _, want := range []string{"default/stubborn", "maxUnavailable 0", "Deployment", "worker-"} {
		if !strings.Contains(r.stderr+r.stdout, want) {
			t.Errorf("the refusal does not name %q: %s", want, r)
		}
	}
	if pods, err := cs.CoreV1().Pods("default").List(context.Background(), metav1.ListOptions{LabelSelector: "app=stubborn"}); err != nil ||
		len(pods.Items) != 2 {
		t.Errorf("pods: %v, %v", pods, err)
	} else {
		for _, p := range pods.Items {
			if !strings.Contains(r.stderr+r.stdout, p.Name) {
				t.Errorf("the refusal does not name the pod %s: %s", p.Name, r)
			}
		}
	}
	b.cordoned(cs)
}

func TestHazard_H1_NonRootUserChangesNothingWhenNothingChanged(t *testing.T) {
	t.Parallel()
	b := start(t, "127.173.0", 1, 1)
	b.User = "ops"
	b.write()
	b.apply(0)
	b.emptyPlan()
	m := b.mark()
	b.apply(0)
	b.untouched(m, "a second apply")
}

func TestHopsOverTwoMinors(t *testing.T) {
	t.Parallel()
	b := start(t, "127.174.0", 1, 1)
	b.Version = v134
	b.write()
	b.apply(0)
	cs, _ := b.admin()

	b.Version = v136
	b.write()
	m := b.mark()
	r := b.apply(1)
	b.untouched(m, "a refused jump")
	if !strings.Contains(r.stderr, "v1.35") || !strings.Contains(r.stderr, "spec.upgrade.path") {
		t.Errorf("the refusal does not say what to declare: %s", r)
	}
	b.Path = []string{v135}
	b.write()
	b.apply(0)
	b.nodesAt(cs, v136, 1)
	b.emptyPlan()
}

func TestSavedPlanIsRefusedOnceAFactHasChanged(t *testing.T) {
	t.Parallel()
	b := start(t, "127.175.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.Version = v136
	b.write()
	b.must(2, b.kiban("plan", "lab", "--detailed-exitcode", "--out", "plan.json"))
	b.cordonAsAdmin(cs, "worker-1")
	m := b.mark()
	r := b.must(4, b.kiban("apply", "lab", "--yes", "--plan", "plan.json"))
	b.untouched(m, "a stale plan")
	if !strings.Contains(r.stderr, "no longer holds") {
		t.Errorf("the refusal: %s", r)
	}
	if ids := b.plan(); !slices.Contains(ids, "worker-1/drain") || slices.Contains(ids, "worker-1/uncordon") {
		t.Errorf("the node that an administrator has cordoned is to be drained and left cordoned: %v", ids)
	}
	b.must(2, b.kiban("plan", "lab", "--detailed-exitcode", "--out", "plan.json"))
	b.must(0, b.kiban("apply", "lab", "--yes", "--plan", "plan.json"))
	b.nodesAt(cs, v136, 2)
	b.cordoned(cs, "worker-1")
}

// nodesAt asserts that all n nodes are Ready at the version.
func (b *bench) nodesAt(cs kubernetes.Interface, version string, n int) {
	b.t.Helper()
	nodes, err := cs.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(nodes.Items) != n {
		b.t.Errorf("%d nodes, want %d", len(nodes.Items), n)
	}
	kubelet := version[:strings.LastIndex(version, ".")] // a node does not tell the k0s build
	for _, node := range nodes.Items {
		if node.Status.NodeInfo.KubeletVersion != kubelet {
			b.t.Errorf("%s runs %s, want %s", node.Name, node.Status.NodeInfo.KubeletVersion, kubelet)
		}
		ready := slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool { return c.Type == "Ready" && c.Status == "True" })
		if !ready {
			b.t.Errorf("%s is not Ready", node.Name)
		}
	}
}

func (b *bench) cordonAsAdmin(cs kubernetes.Interface, node string) {
	b.t.Helper()
	if _, err := cs.CoreV1().Nodes().Patch(context.Background(), node, types.MergePatchType, []byte(`{"spec":{"unschedulable":true}}`),
		metav1.PatchOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// cordoned asserts that these nodes, and no others, are cordoned, and that no mark of kiban's is left.
func (b *bench) cordoned(cs kubernetes.Interface, want ...string) {
	b.t.Helper()
	nodes, err := cs.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, n := range nodes.Items {
		if n.Spec.Unschedulable != slices.Contains(want, n.Name) {
			b.t.Errorf("%s: cordoned is %v", n.Name, n.Spec.Unschedulable)
		}
		if n.Annotations["kiban.dev/cordoned-by"] != "" {
			b.t.Errorf("%s still carries kiban's mark", n.Name)
		}
	}
}

// probe sends requests to the service, through its EndpointSlices, until the returned function is called.
func (b *bench) probe(service string) (counts func() (sent, failed int)) {
	b.t.Helper()
	kc := filepath.Join(b.dir, "kubeconfig")
	b.file(kc, b.must(0, b.kiban("kubeconfig", "lab")).stdout)
	report := filepath.Join(b.dir, "probe-"+service+".json")
	_, stop := b.background(binary(b.t, "KIBAN_LAB_BIN", "kiban-lab"), "probe", "--kubeconfig", kc, "--namespace", "default", "--service",
		service, "--report", report, "--timeout", "20s") // a slow answer is no lost one: machines here are shared
	time.Sleep(2 * time.Second) // until it has seen the endpoints
	return func() (int, int) {
		b.t.Helper()
		r := stop(os.Interrupt)
		raw, err := os.ReadFile(report)
		if err != nil {
			b.t.Fatalf("%v\n%s", err, r)
		}
		var rep struct{ Requests, Failures int }
		if err := json.Unmarshal(raw, &rep); err != nil {
			b.t.Fatalf("%v: %s", err, raw)
		}
		if rep.Failures > 0 {
			b.t.Logf("probe: %s", tail(string(raw), 2000))
		}
		return rep.Requests, rep.Failures
	}
}

func (b *bench) anyCordoned(cs kubernetes.Interface) bool {
	nodes, err := cs.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return false
	}
	return slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool { return n.Spec.Unschedulable })
}
