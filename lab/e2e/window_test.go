package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"kiban.dev/kiban/lab/drive"
)

// cordonEvent is what the API's watch says of a node's cordon.
type cordonEvent struct {
	node string
	out  bool
	at   time.Time
}

// recordCordons follows every change of every node's cordon through the API's own watch, from now on.
func (b *bench) recordCordons(cs kubernetes.Interface) (stop func() []cordonEvent) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	var events []cordonEvent
	was := map[string]bool{}
	go func() {
		defer close(done)
		version := ""
		for ctx.Err() == nil { // a restarted API server ends the watch; the next one carries on where it ended
			w, err := cs.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{ResourceVersion: version})
			if err != nil {
				version = ""
				time.Sleep(100 * time.Millisecond)
				continue
			}
			for e := range w.ResultChan() {
				n, ok := e.Object.(*corev1.Node)
				if e.Type == watch.Error {
					version = "" // too old for the server: begin with what there is now
				}
				if !ok || e.Type == watch.Bookmark || e.Type == watch.Error {
					continue
				}
				version = n.ResourceVersion
				if was[n.Name] != n.Spec.Unschedulable {
					was[n.Name] = n.Spec.Unschedulable
					events = append(events, cordonEvent{n.Name, n.Spec.Unschedulable, time.Now()})
				}
			}
		}
	}()
	return func() []cordonEvent { cancel(); <-done; return events }
}

// 20 workers, four at a time: never more than four out of service, and the window slides: a node starts as soon as any other has
// finished, not when a batch has.
func TestWindowOfFourOverTwentyWorkers(t *testing.T) {
	t.Parallel()
	b := start(t, "127.176.0", 1, 20)
	b.MaxUnavailable = "4"
	b.write()
	b.apply(0)
	cs, _ := b.admin()
	b.deploySlow(cs)

	b.Version = v136
	b.write()
	stop := b.recordCordons(cs)
	b.apply(0)
	events := stop()
	b.nodesAt(cs, v136, 20)

	out, most, cordons, slid := map[string]bool{}, 0, 0, 0
	var batch []string
	for _, e := range events {
		if !e.out {
			delete(out, e.node)
			continue
		}
		// A window in batches starts a batch only when all of the last one are back. Count starts with an earlier one still out.
		if len(out) > 0 && len(batch) == 4 {
			slid++
		}
		out[e.node] = true
		most = max(most, len(out))
		cordons++
		if batch = append(batch, e.node); len(batch) > 4 {
			batch = batch[len(batch)-4:]
		}
	}
	t.Logf("%d nodes cordoned, at most %d at once, %d times one started while others were still out", cordons, most, slid)
	if cordons != 20 || len(out) != 0 {
		t.Errorf("%d nodes were cordoned, want each of the 20 once; still out: %v", cordons, out)
	}
	if most > 4 {
		t.Errorf("%d nodes were out of service at once", most)
	}
	if most < 4 || slid < 8 {
		t.Errorf("the window does not slide: at most %d out, %d sliding starts", most, slid)
	}
}

// deploySlow puts a pod on every worker whose end takes between one and six seconds, so that node times are uneven.
func (b *bench) deploySlow(cs kubernetes.Interface) {
	b.t.Helper()
	for i := range b.Workers {
		if _, err := cs.CoreV1().ReplicationControllers("default").
			Create(context.Background(), drive.SlowPod(fmt.Sprintf("worker-%d", i+1), 1+i%6), metav1.CreateOptions{}); err != nil {
			b.t.Fatal(err)
		}
	}
	b.eventually("a slow pod on every worker", func() (bool, string) {
		pods, err := cs.CoreV1().Pods("default").List(context.Background(), metav1.ListOptions{LabelSelector: "app=slow"})
		if err != nil {
			return false, err.Error()
		}
		running := 0
		for _, p := range pods.Items {
			if p.Status.Phase == corev1.PodRunning {
				running++
			}
		}
		return running == b.Workers, fmt.Sprintf("%d of %d", running, b.Workers)
	})
}
