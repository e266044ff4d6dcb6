package kubelet

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// byHand is a pool whose watch and workers do nothing by themselves: the test says when the watch tells of a pod, and when a worker looks.
type byHand struct {
	*pool
	t      *testing.T
	client *fake.Clientset
}

func newByHand(t *testing.T) *byHand {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	client := fake.NewClientset()
	p := emptyPool(ctx, client, Options{StartDelay: time.Second, TerminateDelay: time.Second}.defaults(), newAddresses())
	if err := p.watch(informers.NewSharedInformerFactory(client, 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		p.queue.ShutDown()
		for _, name := range p.running() {
			p.leave(name)
		}
	})
	return &byHand{pool: p, t: t, client: client}
}

// up starts the kubelet of the node w.
func (h *byHand) up() {
	h.t.Helper()
	if err := h.begin(newNode(Worker{Name: "w", Addr: "127.0.0.1"}, &Faults{})); err != nil {
		h.t.Fatal(err)
	}
}

// create makes the pod shop/web in the API. The watch does not tell of it.
func (h *byHand) create(uid types.UID, annotations map[string]string) *corev1.Pod {
	h.t.Helper()
	pod, err := h.client.CoreV1().Pods("shop").Create(h.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: uid, Annotations: annotations},
		Spec:       corev1.PodSpec{NodeName: "w", Containers: []corev1.Container{{Name: "web", Image: "example/web:1"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}, metav1.CreateOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
	return pod
}

// pod is what the API has.
func (h *byHand) pod() *corev1.Pod {
	h.t.Helper()
	pod, err := h.client.CoreV1().Pods("shop").Get(h.t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
	return pod
}

// told lets the watch have come so far that the pod is this one.
func (h *byHand) told(pod *corev1.Pod) {
	h.t.Helper()
	if err := h.pods.GetStore().Update(pod); err != nil {
		h.t.Fatal(err)
	}
	h.changed(pod)
}

// toldGone lets the watch tell that the pod is gone.
func (h *byHand) toldGone(pod *corev1.Pod) {
	h.t.Helper()
	if err := h.pods.GetStore().Delete(pod); err != nil {
		h.t.Fatal(err)
	}
	h.changed(pod)
}

// next waits for a pod in the queue.
func (h *byHand) next() podRef {
	ref, _ := h.queue.Get()
	return ref
}

// work does what lies in the queue, and what comes into it within a few seconds.
func (h *byHand) work() {
	for range 5 {
		for h.queue.Len() > 0 {
			h.handle(h.next())
		}
		time.Sleep(time.Second)
		synctest.Wait()
	}
}

// The kubelet is back before the watch has told that the pod ran at all.
func TestRestartIsCountedWhereTheWatchIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newByHand(t)
		h.up()
		pending := h.create("1", nil)
		h.told(pending)
		h.work()
		before := h.pod()
		if condition(before, corev1.PodReady) != corev1.ConditionTrue {
			t.Fatalf("not ready: %+v", before.Status)
		}
		h.leave("w")
		h.kill(func(s *sandbox) bool { return s.node == "w" })
		h.up() // what it has to go by is the pending pod
		h.work()
		after := h.pod()
		if got := after.Status.ContainerStatuses[0].RestartCount; got != 1 {
			t.Errorf("restart count %d", got)
		}
		if after.Status.PodIP == before.Status.PodIP || condition(after, corev1.PodReady) != corev1.ConditionTrue {
			t.Errorf("it does not run at another address: %+v", after.Status)
		}
		h.told(after)
		h.work()
		if got := h.pod().Status; got.ContainerStatuses[0].RestartCount != 1 || got.PodIP != after.Status.PodIP {
			t.Errorf("it changed when the watch had told all: %+v", got)
		}
	})
}

// A worker has a pod in hand when the kubelet is stopped and its machine loses power.
func TestStoppedKubeletActsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newByHand(t)
		h.up()
		inHand, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		h.client.PrependReactor("patch", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			once.Do(func() { close(inHand) })
			<-goOn
			return false, nil, nil
		})
		h.told(h.create("1", nil))
		h.handle(h.next())
		go h.handle(h.next())
		<-inHand
		left := make(chan struct{})
		go func() {
			defer close(left)
			h.leave("w")
		}()
		synctest.Wait()
		select {
		case <-left:
			t.Error("the kubelet has stopped with a report on its way")
		default:
		}
		close(goOn)
		<-left
		h.kill(func(s *sandbox) bool { return s.node == "w" })
		h.work()
		if !h.idle() {
			t.Errorf("something runs on a machine without power: %v", h.sandboxes)
		}
	})
}

// The pod is deleted for good after a worker has read it and before it has made anything of it.
func TestPodThatIsForgottenWhileItStartsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newByHand(t)
		h.up()
		pod := h.create("1", nil)
		h.told(pod)
		ref := h.next() // a worker has it
		h.toldGone(pod)
		h.ensure(pod)
		h.queue.Done(ref)
		h.work()
		if h.sandbox("1") != nil {
			t.Error("it still runs")
		}
	})
}

// The watch is in the middle of its first list when the kubelet starts: it has told of this pod while there was nobody to look after it.
func TestPodToldOfBeforeItsKubeletRan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newByHand(t)
		h.told(h.create("1", nil))
		h.work()
		if h.sandbox("1") != nil {
			t.Fatal("it runs without a kubelet")
		}
		if h.pods.HasSynced() {
			t.Fatal("the first list is over")
		}
		h.up()
		h.work()
		if condition(h.pod(), corev1.PodReady) != corev1.ConditionTrue {
			t.Errorf("never started: %+v", h.pod().Status)
		}
	})
}

// A pod of the same name has come in its place while the kubelet was down.
func TestPodIsReplacedByOneOfItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newByHand(t)
		h.up()
		h.told(h.create("1", nil))
		h.work()
		h.leave("w")
		former := h.pod()
		if err := h.client.CoreV1().Pods("shop").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		h.toldGone(former)
		h.told(h.create("2", nil))
		h.work()
		if h.sandbox("1") == nil || h.sandbox("2") != nil {
			t.Fatal("somebody acted for a kubelet that is down")
		}
		h.up()
		h.work()
		if h.sandbox("1") != nil || h.sandbox("2") == nil {
			t.Error("the former pod runs, or the new one does not")
		}
		if got := h.pod().Status; condition(h.pod(), corev1.PodReady) != corev1.ConditionTrue || got.ContainerStatuses[0].RestartCount != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// A pod that cannot run fails again, and says so, after its machine has lost power.
func TestFailingPodFailsAgainAfterAPowerCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newByHand(t)
		h.up()
		h.told(h.create("1", map[string]string{"lab.kiban.dev/fails": "no such file"}))
		h.work()
		h.told(h.pod())
		h.work()
		h.leave("w")
		h.kill(func(s *sandbox) bool { return s.node == "w" })
		h.up()
		for range 3 {
			h.work()
			h.told(h.pod())
		}
		c := h.pod().Status.ContainerStatuses[0]
		if c.State.Waiting == nil || c.State.Waiting.Reason != reasonCrashes || c.RestartCount != 7 {
			t.Errorf("%+v", c)
		}
	})
}
