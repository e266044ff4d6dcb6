package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubectl/pkg/drain"

	"kiban.dev/kiban/lifecycle"
)

// drainWithin is what either tool is given. It is long beside the grace periods of the shapes, which are 10 s.
const drainWithin = 25 * time.Second

// TestDrainTable drains nodes of the cluster of KIBAN_DRAIN_KUBECONFIG of every shape of workload, once with kiban and once with kubectl's
// own library, and prints the table of docs/drains.md. kiban must finish whatever kubectl does, with no more evictions, and not slower.
//
// The last node of the cluster takes the pods of all others. The cluster is for the test alone.
func TestDrainTable(t *testing.T) {
	path := os.Getenv("KIBAN_DRAIN_KUBECONFIG")
	if path == "" {
		t.Skip("KIBAN_DRAIN_KUBECONFIG names no cluster; `make drains` makes one")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := newTableBench(t, raw)
	all := shapes()
	rows := make([]tableRow, len(all))
	free := make(chan string, len(b.nodes))
	for _, n := range b.nodes {
		free <- n
	}
	var wg sync.WaitGroup
	for i, s := range all {
		node := <-free
		wg.Go(func() {
			defer func() { free <- node }()
			rows[i] = tableRow{shape: s.name, kubectl: b.drain(s, i, node, "kubectl"), kiban: b.drain(s, i, node, "kiban")}
		})
	}
	wg.Wait()
	var out strings.Builder
	out.WriteString("| workload | kubectl drain | evictions | s | kiban | evictions | s |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		out.WriteString(r.String())
		r.judge(t)
	}
	fmt.Print(out.String())
	if file := os.Getenv("KIBAN_DRAIN_TABLE"); file != "" {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// outcome is how a drain went.
type outcome struct {
	err error
	// granted are the evictions that the API carried out, refused those that it did not.
	granted, refused int
	took             time.Duration
}

func (o outcome) String() string {
	how := "done"
	switch {
	case o.err == nil:
	case o.took >= drainWithin:
		how = "not within its time"
	default:
		how = "refused"
	}
	evictions := fmt.Sprint(o.granted)
	if o.refused > 0 {
		evictions += fmt.Sprintf(" (+%d refused)", o.refused)
	}
	return fmt.Sprintf("%s | %s | %.1f", how, evictions, o.took.Seconds())
}

type tableRow struct {
	shape          string
	kubectl, kiban outcome
}

func (r tableRow) String() string {
	return fmt.Sprintf("| %s | %s | %s |\n", r.shape, r.kubectl, r.kiban)
}

// judge holds kiban's drain against kubectl's. A busy machine may cost either of them some seconds.
func (r tableRow) judge(t *testing.T) {
	t.Helper()
	switch {
	case r.kubectl.err == nil && r.kiban.err != nil:
		t.Errorf("%s: kubectl finishes, kiban does not: %v", r.shape, r.kiban.err)
	case r.kiban.granted > r.kubectl.granted && r.kubectl.err == nil && r.shape != "Job": // a job's pods come and go by themselves
		t.Errorf("%s: %d evictions, kubectl needs %d", r.shape, r.kiban.granted, r.kubectl.granted)
	case r.kubectl.err == nil && r.kiban.took > r.kubectl.took+3*time.Second:
		t.Errorf("%s: it took %s, kubectl %s", r.shape, r.kiban.took, r.kubectl.took)
	case r.kiban.err != nil && !told(r.kiban.err):
		t.Errorf("%s: it is not said what holds the node: %v", r.shape, r.kiban.err)
	}
}

// told reports whether a finding names what holds the node.
func told(err error) bool {
	d, ok := errors.AsType[lifecycle.Diagnostic](err)
	return ok && d.Detail != "" && d.Hint != "" && !strings.Contains(d.Detail, "could not be evicted")
}

// tableBench is the cluster.
type tableBench struct {
	t          *testing.T
	kubeconfig []byte
	admin      kubernetes.Interface
	nodes      []string
	other      string
}

func newTableBench(t *testing.T, kubeconfig []byte) *tableBench {
	c := New(given(kubeconfig), nil, Options{})
	if err := c.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	nodes, err := c.Nodes(t.Context())
	if err != nil || len(nodes) < 2 {
		t.Fatalf("want two nodes or more: %v, %v", nodes, err)
	}
	b := &tableBench{t: t, kubeconfig: kubeconfig, admin: c.api, other: nodes[len(nodes)-1].Name}
	for _, n := range nodes[:len(nodes)-1] {
		b.nodes = append(b.nodes, n.Name)
	}
	return b
}

// drain lays the shape out, drains the node of it with a tool, and clears up.
func (b *tableBench) drain(s shape, number int, node, tool string) outcome {
	b.t.Helper()
	ctx := context.Background()
	namespace := fmt.Sprintf("shape-%d-%s", number, tool)
	if _, err := b.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		metav1.CreateOptions{}); err != nil {
		b.t.Errorf("%s: %v", s.name, err)
		return outcome{err: err}
	}
	defer b.clear(namespace, node)
	for _, o := range s.objects() {
		if o, err := placed(o, node, b.other, s.nowhere); err != nil {
			b.t.Errorf("%s: %v", s.name, err)
		} else if err := b.create(ctx, namespace, o); err != nil {
			b.t.Errorf("%s: %v", s.name, err)
		}
	}
	if why := b.settled(s, namespace, node); why != "" {
		b.t.Errorf("%s is not there: %s", s.name, why)
		return outcome{err: errors.New(why)}
	}
	if s.deleted {
		if err := b.admin.CoreV1().Pods(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			b.t.Error(err)
		}
	}
	if tool == "kubectl" {
		return b.byKubectl(node)
	}
	return b.byKiban(node)
}

func (b *tableBench) create(ctx context.Context, in string, o runtime.Object) (err error) {
	opts := metav1.CreateOptions{}
	switch o := o.(type) {
	case *appsv1.Deployment:
		_, err = b.admin.AppsV1().Deployments(in).Create(ctx, o, opts)
	case *appsv1.StatefulSet:
		_, err = b.admin.AppsV1().StatefulSets(in).Create(ctx, o, opts)
	case *appsv1.DaemonSet:
		_, err = b.admin.AppsV1().DaemonSets(in).Create(ctx, o, opts)
	case *batchv1.Job:
		_, err = b.admin.BatchV1().Jobs(in).Create(ctx, o, opts)
	case *policyv1.PodDisruptionBudget:
		_, err = b.admin.PolicyV1().PodDisruptionBudgets(in).Create(ctx, o, opts)
	case *corev1.Pod:
		for range 50 { // the namespace's service account comes a moment after it
			if _, err = b.admin.CoreV1().Pods(in).Create(ctx, o, opts); err == nil {
				return nil
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return err
}

// settled waits until the shape's pods are on the node as they are to be, and its budgets count them. It returns what is missing.
func (b *tableBench) settled(s shape, namespace, node string) string {
	why := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if why = b.missing(s, namespace, node); why == "" {
			return ""
		}
	}
	return why
}

func (b *tableBench) missing(s shape, namespace, node string) string {
	pods, err := b.admin.CoreV1().Pods(namespace).List(context.Background(), metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		return err.Error()
	}
	here, ready := 0, 0
	for i := range pods.Items {
		if p := &pods.Items[i]; p.Status.Phase == s.phase {
			here++
			if podReady(p) {
				ready++
			}
		}
	}
	if here < s.pods || ready < s.ready {
		return fmt.Sprintf("%d of %d pods are %s, %d of %d Ready, of %d", here, s.pods, s.phase, ready, s.ready, len(pods.Items))
	}
	budgets, err := b.admin.PolicyV1().PodDisruptionBudgets(namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	if len(budgets.Items) > 1 {
		return "" // of two budgets over a pod the API counts one, whichever
	}
	for _, p := range budgets.Items {
		if st := p.Status; st.ObservedGeneration < p.Generation || int(st.ExpectedPods) != s.pods || int(st.CurrentHealthy) != s.ready {
			return fmt.Sprintf("budget %s: %+v", p.Name, st)
		}
	}
	return ""
}

// counter counts evictions.
type counter struct {
	http.RoundTripper
	granted, refused atomic.Int32
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if eviction(r) && err == nil {
		if resp.StatusCode < http.StatusBadRequest {
			c.granted.Add(1)
		} else {
			c.refused.Add(1)
		}
	}
	return resp, err
}

// byKubectl is what `kubectl drain NODE --ignore-daemonsets --delete-emptydir-data --timeout=...` does.
func (b *tableBench) byKubectl(name string) outcome {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(b.kubeconfig)
	if err != nil {
		return outcome{err: err}
	}
	cfg.QPS, cfg.Burst = 200, 400
	count := &counter{}
	cfg.Wrap(func(rt http.RoundTripper) http.RoundTripper { count.RoundTripper = rt; return count })
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return outcome{err: err}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	helper := &drain.Helper{Ctx: ctx, Client: client, GracePeriodSeconds: -1, IgnoreAllDaemonSets: true, DeleteEmptyDirData: true,
		Timeout: drainWithin, EvictErrorRetryDelay: 5 * time.Second, Out: io.Discard, ErrOut: io.Discard}
	node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		err = drain.RunCordonOrUncordon(helper, node, true)
	}
	if err != nil {
		return outcome{err: err}
	}
	began := time.Now()
	err = drain.RunNodeDrain(helper, name)
	return outcome{err, int(count.granted.Load()), int(count.refused.Load()), time.Since(began)}
}

func (b *tableBench) byKiban(node string) outcome {
	ctx := context.Background()
	c := New(given(b.kubeconfig), nil, Options{})
	if err := c.connect(ctx); err != nil {
		return outcome{err: err}
	}
	defer c.Close()
	cfg, err := c.RESTConfig(ctx)
	if err != nil {
		return outcome{err: err}
	}
	count := &counter{RoundTripper: cfg.Transport}
	cfg.Transport = count
	if c.api, err = kubernetes.NewForConfig(cfg); err != nil {
		return outcome{err: err}
	}
	if err := c.Cordon(ctx, node, lifecycle.Mark{Run: "table"}); err != nil {
		return outcome{err: err}
	}
	began := time.Now()
	err = c.Drain(ctx, node, lifecycle.Drain{Timeout: drainWithin, DeleteEmptyDirData: true, EvictionRetry: 2 * time.Second}, func(string) {})
	return outcome{err, int(count.granted.Load()), int(count.refused.Load()), time.Since(began)}
}

// clear removes the shape and returns the node.
func (b *tableBench) clear(namespace, node string) {
	b.t.Helper()
	ctx := context.Background()
	patch := `{"metadata":{"annotations":{"` + lifecycle.AnnotationCordonedBy + `":null,"` + lifecycle.AnnotationCordonedFor +
		`":null}},"spec":{"unschedulable":null}}`
	if _, err := b.admin.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		b.t.Error(err)
	}
	if err := b.admin.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil {
		b.t.Error(err)
	}
	now := int64(0)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		pods, err := b.admin.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err == nil && len(pods.Items) == 0 {
			return
		}
		for i := range pods.Items {
			if p := &pods.Items[i]; slices.Contains(p.Finalizers, "example.com/detach") {
				_, _ = b.admin.CoreV1().Pods(namespace).Patch(ctx, p.Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`),
					metav1.PatchOptions{})
			}
			_ = b.admin.CoreV1().Pods(namespace).Delete(ctx, pods.Items[i].Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
		}
	}
	b.t.Errorf("%s is not empty", namespace)
}
