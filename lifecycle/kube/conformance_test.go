package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kiban.dev/kiban/lifecycle"
)

// stage is a cluster that the conformance suite may use: a node to work on, and a namespace of its own.
type stage struct {
	client    *Client
	node      string
	namespace string
	owner     metav1.OwnerReference
}

// TestConformanceFake runs the suite against the fake API.
func TestConformanceFake(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	for _, name := range []string{"worker-1", "worker-2"} {
		f.put("nodes", object{"metadata": map[string]any{"name": name, "labels": map[string]any{"kubernetes.io/hostname": name}},
			"spec": map[string]any{}, "status": map[string]any{
				"nodeInfo":   map[string]any{"kubeletVersion": "v1.36.3+k0s"},
				"addresses":  []any{map[string]any{"type": "InternalIP", "address": "10.0.0.1"}},
				"conditions": []any{map[string]any{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-02T12:00:00Z"}}}})
		f.put("leases", object{"metadata": map[string]any{"namespace": "kube-node-lease", "name": name},
			"spec": map[string]any{"renewTime": "2026-01-02T12:00:01.000000Z"}})
	}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler"} {
		f.put("leases", object{"metadata": map[string]any{"namespace": "kube-system", "name": name},
			"spec": map[string]any{"holderIdentity": "c1", "renewTime": "2026-01-02T12:00:01.000000Z"}})
	}
	conformance(t, c, "worker-1", nil)
}

// TestConformanceReal runs the suite against the cluster of KIBAN_TEST_KUBECONFIG, on its last node or the one that
// KIBAN_TEST_NODE names. It cordons and drains that node.
func TestConformanceReal(t *testing.T) {
	path := os.Getenv("KIBAN_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("KIBAN_TEST_KUBECONFIG names no cluster")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := New(given(raw), nil, Options{})
	if err := c.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	node := os.Getenv("KIBAN_TEST_NODE")
	if node == "" {
		nodes, err := c.Nodes(t.Context())
		if err != nil || len(nodes) == 0 {
			t.Fatalf("no nodes to work on: %v", err)
		}
		node = nodes[len(nodes)-1].Name
	}
	conformance(t, c, node, (*stage).realObjects)
	conformLock(t, c)
}

// conformance is what every API must show, and real what only one with its controllers does.
func conformance(t *testing.T, c *Client, node string, real func(*stage, *testing.T)) {
	ns, err := c.api.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("kiban-test-%d", time.Now().UnixNano())}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.api.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{}) })
	// An owner that no controller minds: its pods are neither bare nor made anew.
	cm, err := c.api.CoreV1().ConfigMaps(ns.Name).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}},
		metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	s := &stage{client: c, node: node, namespace: ns.Name,
		owner: metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: cm.Name, UID: cm.UID, Controller: &yes}}
	t.Run("nodes", s.nodes)
	t.Run("facts", s.facts)
	t.Run("control plane", s.controlPlane)
	t.Run("cordon and uncordon", s.cordon)
	t.Run("an administrator's cordon stays", s.adminCordon)
	t.Run("a node in maintenance stays closed", s.maintenance)
	t.Run("cordon while others write", s.contention)
	t.Run("drain", s.drain)
	t.Run("drain held by a budget", s.drainHeld)
	t.Run("drain goes on when the budget gives way", s.drainReleased)
	t.Run("drain refuses pods that nothing makes anew", s.drainBare)
	t.Run("drain is interrupted", s.drainCancelled)
	t.Run("delete a node", s.deleteNode)
	t.Run("objects", s.objects)
	t.Run("refusals", s.refusals)
	t.Run("inventories", s.inventories)
	if real != nil {
		t.Run("cluster", func(t *testing.T) { real(s, t) })
	}
	t.Run("nothing is left running", nothingLeft)
}

func (s *stage) nodes(t *testing.T) {
	n, err := s.client.Node(t.Context(), s.node)
	if err != nil || !n.Ready || n.Kubelet == "" || n.Heartbeat.IsZero() || n.LeaseRenewed.IsZero() || n.InternalIP == "" ||
		n.Labels["kubernetes.io/hostname"] == "" {
		t.Errorf("node: %+v, %v", n, err)
	}
	all, err := s.client.Nodes(t.Context())
	if err != nil || !slices.ContainsFunc(all, func(o lifecycle.NodeState) bool {
		return o.Name == s.node && o.Kubelet == n.Kubelet && !o.LeaseRenewed.IsZero()
	}) {
		t.Errorf("nodes: %+v, %v", all, err)
	}
	_, err = s.client.Node(t.Context(), "no-such-node")
	wantDiagnostic(t, err, lifecycle.SeverityError, "no such node")
}

func (s *stage) facts(t *testing.T) {
	s.pod(t, "bare", func(p *corev1.Pod) { p.OwnerReferences = nil })
	s.pod(t, "guarded", label("app", "facts"))
	s.budget(t, "facts", 1)
	defer s.clear(t)
	var f lifecycle.ClusterFacts
	s.eventually(t, "the facts", func() string {
		var err error
		if f, err = s.client.Facts(t.Context()); err != nil {
			return err.Error()
		}
		i := slices.IndexFunc(f.Budgets, func(b lifecycle.Budget) bool { return b.Namespace == s.namespace && b.Name == "facts" })
		if i < 0 || f.Budgets[i].Expected != 1 || f.Budgets[i].Healthy != 1 || f.Budgets[i].Allowed != 0 || !f.Budgets[i].Never() ||
			f.Budgets[i].Rule != "minAvailable 1" {
			return fmt.Sprintf("budgets: %+v", f.Budgets)
		}
		if p := f.Budgets[i].Pods; len(p) != 1 || p[0] != (lifecycle.BudgetPod{Name: "guarded", Node: s.node, Ready: true}) ||
			f.Budgets[i].Owner != "ConfigMap "+s.namespace+"/owner" {
			return fmt.Sprintf("budget: %+v", f.Budgets[i])
		}
		return ""
	})
	if !slices.Contains(f.Stuck, lifecycle.StuckPod{Namespace: s.namespace, Name: "bare", Node: s.node, Bare: true}) {
		t.Errorf("stuck pods: %+v", f.Stuck)
	}
	if f.API.ClusterUID == "" || len(f.API.Servers) == 0 || !f.API.Servers[0].Ready || f.API.Servers[0].Version == "" || f.API.Unknown != "" {
		t.Errorf("API: %+v", f.API)
	}
}

func (s *stage) controlPlane(t *testing.T) {
	leases, err := s.client.LeaderLeases(t.Context())
	if err != nil || len(leases) != 2 || leases[0].Holder == "" || leases[1].Renewed.IsZero() {
		t.Errorf("leases: %+v, %v", leases, err)
	}
	if _, err := s.client.StaleEndpoints(t.Context()); err != nil {
		t.Errorf("endpoints: %v", err)
	}
	if missing, err := s.client.DaemonPods(t.Context(), s.node); err != nil || len(missing) > 0 {
		t.Errorf("daemon set pods: %v, %v", missing, err)
	}
}

func (s *stage) cordon(t *testing.T) {
	mine := lifecycle.Mark{Run: "r1", Reason: "upgrade to v1.36.3+k0s.2"}
	later := lifecycle.Mark{Run: "r2", Reason: "go on"}
	for i, mark := range []lifecycle.Mark{mine, mine, later} { // twice is once, and a later run takes over
		if err := s.client.Cordon(t.Context(), s.node, mark); err != nil {
			t.Fatalf("cordon %d: %v", i, err)
		}
		s.wantNode(t, true, mark)
	}
	for range 2 {
		if err := s.client.Uncordon(t.Context(), s.node); err != nil {
			t.Fatal(err)
		}
		s.wantNode(t, false, lifecycle.Mark{})
	}
	wantDiagnostic(t, s.client.Cordon(t.Context(), "no-such-node", mine), lifecycle.SeverityError, "no such node")
	if err := s.client.Cordon(t.Context(), s.node, lifecycle.Mark{}); err == nil {
		t.Error("a cordon without a mark was made")
	}
}

func (s *stage) adminCordon(t *testing.T) {
	s.patch(t, `{"spec":{"unschedulable":true}}`)
	defer s.patch(t, `{"spec":{"unschedulable":null}}`)
	wantDiagnostic(t, s.client.Cordon(t.Context(), s.node, lifecycle.Mark{Run: "r1"}), lifecycle.SeverityBlocked, "cordoned already")
	if err := s.client.Uncordon(t.Context(), s.node); err != nil {
		t.Error(err)
	}
	s.wantNode(t, true, lifecycle.Mark{})
}

// maintenance: a rollout does not take an operator's cordon over; an operator may take over anyone's.
func (s *stage) maintenance(t *testing.T) {
	operator := lifecycle.Mark{Run: lifecycle.MaintenanceMark + "r1", Reason: "disk swap"}
	s.patch(t, `{"spec":{"unschedulable":true}}`)
	wantDiagnostic(t, s.client.Cordon(t.Context(), s.node, operator), lifecycle.SeverityBlocked, "cordoned already")
	taking := operator
	taking.TakeOver = true
	if err := s.client.Cordon(t.Context(), s.node, taking); err != nil {
		t.Fatal(err)
	}
	s.wantNode(t, true, operator)
	wantDiagnostic(t, s.client.Cordon(t.Context(), s.node, lifecycle.Mark{Run: "r2"}), lifecycle.SeverityBlocked, "in maintenance")
	s.wantNode(t, true, operator)
	if err := s.client.Uncordon(t.Context(), s.node); err != nil {
		t.Fatal(err)
	}
	s.wantNode(t, false, lifecycle.Mark{})
}

// contention: another writer changes the node all the time, and neither loses anything.
func (s *stage) contention(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			patch := fmt.Sprintf(`{"metadata":{"annotations":{"kiban.test/writer":"%d"}}}`, i)
			_, _ = s.client.api.CoreV1().Nodes().Patch(ctx, s.node, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
			time.Sleep(5 * time.Millisecond)
		}
	})
	for range 10 {
		if err := s.client.Cordon(t.Context(), s.node, lifecycle.Mark{Run: "r1"}); err != nil {
			t.Error(err)
		}
		s.wantNode(t, true, lifecycle.Mark{Run: "r1"})
		if err := s.client.Uncordon(t.Context(), s.node); err != nil {
			t.Error(err)
		}
		s.wantNode(t, false, lifecycle.Mark{})
	}
	stop()
	wg.Wait()
	s.patch(t, `{"metadata":{"annotations":{"kiban.test/writer":null}}}`)
}

func (s *stage) drain(t *testing.T) {
	s.pod(t, "web-1")
	s.pod(t, "web-2", func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	})
	defer s.shut(t)()
	defer s.clear(t)
	var lines lineLog
	if err := s.client.Drain(t.Context(), s.node, lifecycle.Drain{Timeout: time.Minute, EvictionRetry: time.Second, GracePeriod: time.Second,
		DeleteEmptyDirData: true}, lines.add); err != nil {
		t.Fatalf("%v\n%s", err, lines.all())
	}
	for _, want := range []string{"evicting " + s.namespace + "/web-1", "evicted " + s.namespace + "/web-1",
		"evicted " + s.namespace + "/web-2"} {
		lines.want(t, want, 1)
	}
}

// shut closes the node for new pods until what it gives is called.
func (s *stage) shut(t *testing.T) (open func()) {
	t.Helper()
	s.patch(t, `{"spec":{"unschedulable":true}}`)
	return func() { s.patch(t, `{"spec":{"unschedulable":null}}`) }
}

// drainHeld guards H35: a refused eviction is asked for at the policy's pace, and what holds it is named, once.
func (s *stage) drainHeld(t *testing.T) {
	s.pod(t, "held", label("app", "held"))
	s.budget(t, "guard", 1)
	s.guard(t, "guard", "held")
	defer s.shut(t)()
	defer s.clear(t)
	var lines lineLog
	began := time.Now()
	err := s.client.Drain(t.Context(), s.node, lifecycle.Drain{Timeout: 3 * time.Second, EvictionRetry: time.Second, GracePeriod: time.Second},
		lines.add)
	wantDiagnostic(t, err, lifecycle.SeverityBlocked, "not drained within 3s")
	line := s.namespace + "/held is held by budget " + s.namespace + "/guard (0 disruptions allowed, 1 of 1 healthy, minAvailable 1)"
	if err == nil || !strings.Contains(err.Error(), line) {
		t.Errorf("the error does not name what holds the pod: %v", err)
	}
	lines.want(t, line, 1)
	if d := time.Since(began); d < 3*time.Second || d > time.Minute {
		t.Errorf("it took %s", d)
	}
}

// drainReleased: the drain does not wait out its retry interval when the budget allows a disruption sooner.
func (s *stage) drainReleased(t *testing.T) {
	s.pod(t, "held", label("app", "held"))
	s.budget(t, "guard", 1)
	s.guard(t, "guard", "held")
	defer s.shut(t)()
	defer s.clear(t)
	began := time.Now()
	release := time.AfterFunc(time.Second, func() {
		_ = s.client.api.PolicyV1().PodDisruptionBudgets(s.namespace).Delete(context.Background(), "guard", metav1.DeleteOptions{})
	})
	defer release.Stop()
	if err := s.client.Drain(t.Context(), s.node, lifecycle.Drain{Timeout: 10 * time.Minute, EvictionRetry: 5 * time.Minute,
		GracePeriod: time.Second}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d < time.Second || d > time.Minute {
		t.Errorf("it took %s; the budget gave way after 1s", d)
	}
}

func (s *stage) drainBare(t *testing.T) {
	s.pod(t, "bare", func(p *corev1.Pod) { p.OwnerReferences = nil })
	s.pod(t, "scratch", func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	})
	defer s.shut(t)()
	defer s.clear(t)
	policy := lifecycle.Drain{Timeout: time.Minute, EvictionRetry: time.Second, GracePeriod: time.Second}
	err := s.client.Drain(t.Context(), s.node, policy, func(string) {})
	wantDiagnostic(t, err, lifecycle.SeverityBlocked, "may not be moved")
	for _, want := range []string{s.namespace + "/bare", "drain.force is false", s.namespace + "/scratch",
		"drain.deleteEmptyDirData is false"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	policy.Force, policy.DeleteEmptyDirData = true, true
	if err := s.client.Drain(t.Context(), s.node, policy, func(string) {}); err != nil {
		t.Error(err)
	}
}

func (s *stage) drainCancelled(t *testing.T) {
	s.pod(t, "held", label("app", "held"))
	s.budget(t, "guard", 1)
	s.guard(t, "guard", "held")
	defer s.shut(t)()
	defer s.clear(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(500*time.Millisecond, cancel)
	began := time.Now()
	err := s.client.Drain(ctx, s.node, lifecycle.Drain{Timeout: 10 * time.Minute, EvictionRetry: 5 * time.Minute}, func(string) {})
	if !errors.Is(err, context.Canceled) || time.Since(began) > time.Minute {
		t.Errorf("got %v after %s", err, time.Since(began))
	}
}

func (s *stage) deleteNode(t *testing.T) {
	_, err := s.client.api.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "kiban-test-gone"}},
		metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.client.DeleteNode(t.Context(), "kiban-test-gone"); err != nil {
			t.Error(err)
		}
	}
	_, err = s.client.Node(t.Context(), "kiban-test-gone")
	wantDiagnostic(t, err, lifecycle.SeverityError, "no such node")
}

// nothingLeft: no drain and no watch outlives its call.
func nothingLeft(t *testing.T) {
	var stacks string
	for range 50 {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "StreamWatcher") && !strings.Contains(stacks, "(*drainer)") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("goroutines are left:\n%s", stacks)
}

// --- setting the stage

func label(k, v string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels = map[string]string{k: v} }
}

// pod puts a pod on the node and waits until it is Ready.
func (s *stage) pod(t *testing.T, name string, edit ...func(*corev1.Pod)) {
	t.Helper()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace, OwnerReferences: []metav1.OwnerReference{s.owner}},
		Spec: corev1.PodSpec{NodeName: s.node, Containers: []corev1.Container{{Name: "c", Image: "registry.k8s.io/pause:3.10"}},
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}}}
	for _, e := range edit {
		e(p)
	}
	s.eventually(t, "pod "+name, func() string { // the namespace's service account may be a moment behind
		_, err := s.client.api.CoreV1().Pods(s.namespace).Create(t.Context(), p, metav1.CreateOptions{})
		if err != nil {
			return err.Error()
		}
		return ""
	})
	s.eventually(t, "pod "+name+" Ready", func() string {
		now, err := s.client.api.CoreV1().Pods(s.namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil || !podReady(now) {
			return fmt.Sprintf("%v, %+v", err, now.Status)
		}
		return ""
	})
}

// budget makes a budget over the pods labelled app: <name>.
func (s *stage) budget(t *testing.T, name string, minAvailable int32) {
	t.Helper()
	low := intstr.FromInt32(minAvailable)
	b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace},
		Spec: policyv1.PodDisruptionBudgetSpec{MinAvailable: &low, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}}}
	if name == "guard" {
		b.Spec.Selector.MatchLabels["app"] = "held"
	}
	if _, err := s.client.api.PolicyV1().PodDisruptionBudgets(s.namespace).Create(t.Context(), b, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// guard waits until a budget's status knows its pod.
func (s *stage) guard(t *testing.T, budget, pod string) {
	t.Helper()
	s.eventually(t, "budget "+budget+" over "+pod, func() string {
		b, err := s.client.api.PolicyV1().PodDisruptionBudgets(s.namespace).Get(t.Context(), budget, metav1.GetOptions{})
		if err != nil || b.Status.ExpectedPods != 1 || b.Status.CurrentHealthy != 1 || b.Status.ObservedGeneration < b.Generation {
			return fmt.Sprintf("%v, %+v", err, b.Status)
		}
		return ""
	})
}

// clear removes what a case has put into the namespace.
func (s *stage) clear(t *testing.T) {
	t.Helper()
	budgets, _ := s.client.listBudgets(t.Context(), s.namespace)
	for _, b := range budgets {
		_ = s.client.api.PolicyV1().PodDisruptionBudgets(s.namespace).Delete(t.Context(), b.Name, metav1.DeleteOptions{})
	}
	s.eventually(t, "an empty namespace", func() string {
		pods, err := s.client.listPods(t.Context(), s.namespace, "")
		if err != nil {
			return err.Error()
		}
		now := int64(0)
		for _, p := range pods {
			_ = s.client.api.CoreV1().Pods(s.namespace).Delete(t.Context(), p.name, metav1.DeleteOptions{GracePeriodSeconds: &now})
		}
		if len(pods) > 0 {
			return fmt.Sprintf("%d pods", len(pods))
		}
		return ""
	})
}

func (s *stage) patch(t *testing.T, patch string) {
	t.Helper()
	if _, err := s.client.api.CoreV1().Nodes().Patch(t.Context(), s.node, types.MergePatchType, []byte(patch),
		metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) wantNode(t *testing.T, cordoned bool, mark lifecycle.Mark) {
	t.Helper()
	n, err := s.client.Node(t.Context(), s.node)
	if err != nil || n.Unschedulable != cordoned || n.Mark != mark {
		t.Errorf("want cordoned=%v, mark %+v; got %v, %+v, error %v", cordoned, mark, n.Unschedulable, n.Mark, err)
	}
}

func (s *stage) eventually(t *testing.T, what string, look func() string) {
	t.Helper()
	var why string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if why = look(); why == "" {
			return
		}
	}
	t.Fatalf("%s: %s", what, why)
}

func wantDiagnostic(t *testing.T, err error, severity lifecycle.Severity, words string) {
	t.Helper()
	d, ok := errors.AsType[lifecycle.Diagnostic](err)
	if !ok || d.Severity != severity || !strings.Contains(d.Summary, words) || d.Hint == "" {
		t.Errorf("want a diagnostic (%s) with %q and a hint, got %#v", severity, words, err)
	}
}

// lineLog keeps progress lines.
type lineLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *lineLog) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, s)
}

func (l *lineLog) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func (l *lineLog) want(t *testing.T, line string, times int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, s := range l.lines {
		if s == line {
			n++
		}
	}
	if n != times {
		t.Errorf("%q came %d times, want %d, in\n%s", line, n, times, strings.Join(l.lines, "\n"))
	}
}
