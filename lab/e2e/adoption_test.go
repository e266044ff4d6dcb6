package e2e

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lab/drive"
)

// TestPodsAreAdopted: pods that were created on their nodes before what owns them are taken by Deployments, StatefulSets and DaemonSets as
// they are. None is made a second time, none is replaced, and the workloads find nothing to roll out.
func TestPodsAreAdopted(t *testing.T) {
	t.Parallel()
	b := start(t, "127.219.4", 1, 3)
	b.apply(0)
	cs, _ := b.admin()
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	defer cancel()
	p := drive.Population{Namespaces: 2, Deployments: 3, Replicas: 4, StatefulSets: 2, Members: 3, DaemonSets: 1}
	nodes := []string{"worker-1", "worker-2", "worker-3"}
	uids := map[string]bool{}
	all := func() []corev1.Pod {
		list, err := cs.CoreV1().Pods("").List(ctx, metav1.ListOptions{LabelSelector: "app"})
		if err != nil {
			t.Fatal(err)
		}
		return list.Items
	}
	// whatever is made meanwhile is seen, also what is gone at the end
	watch, err := cs.CoreV1().Pods("").Watch(ctx, metav1.ListOptions{LabelSelector: "app"})
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for e := range watch.ResultChan() {
			if pod, ok := e.Object.(*corev1.Pod); ok {
				uids[string(pod.UID)] = true
			}
		}
	}()
	if err := p.Load(ctx, cs, nodes); err != nil {
		t.Fatal(err)
	}
	b.eventually("the workloads have seen their pods", func() (bool, string) {
		sets, err := cs.AppsV1().StatefulSets("").List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err.Error()
		}
		for _, s := range sets.Items {
			if s.Status.UpdatedReplicas != 3 || s.Status.ReadyReplicas != 3 {
				return false, s.Name
			}
		}
		ds, err := cs.AppsV1().Deployments("").List(ctx, metav1.ListOptions{LabelSelector: "k8s-app!=kube-dns"})
		if err != nil {
			return false, err.Error()
		}
		for _, d := range ds.Items {
			if d.Namespace != "kube-system" && (d.Status.UpdatedReplicas != 4 || d.Status.AvailableReplicas != 4) {
				return false, d.Name
			}
		}
		agents, err := cs.AppsV1().DaemonSets("team-0").Get(ctx, "agent-0", metav1.GetOptions{})
		return err == nil && agents.Status.UpdatedNumberScheduled == 3 && agents.Status.NumberAvailable == 3, "agent-0"
	})
	time.Sleep(5 * time.Second) // whoever had something to replace would have begun
	watch.Stop()
	<-heard
	pods := all()
	if want := p.Pods(len(nodes)); len(pods) != want || len(uids) != want {
		t.Errorf("%d pods, of %d that there ever were, instead of %d", len(pods), len(uids), want)
	}
	sets, err := cs.AppsV1().ReplicaSets("").List(ctx, metav1.ListOptions{LabelSelector: "app"})
	if err != nil || len(sets.Items) != p.Deployments {
		t.Errorf("%d ReplicaSets, %v", len(sets.Items), err)
	}
}
