package kubelet

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// one is a pool with one running kubelet, "w", and an API of its own that only stores things. Its pod has a name of its own, so that nobody
// takes one of another lab on this computer for it.
type one struct {
	*pool
	t      *testing.T
	client kubernetes.Interface
	faults Faults
	name   string
}

func newOne(t *testing.T) *one {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	client := fake.NewClientset()
	watched := watchedPods(client)
	p := emptyPool(ctx, client, Options{StartDelay: time.Millisecond, TerminateDelay: 50 * time.Millisecond}.defaults(), newAddresses())
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	<-watched
	o := &one{pool: p, t: t, client: client, name: "web-" + strings.ToLower(rand.Text())}
	o.up()
	return o
}

// watchedPods is closed when client's pods are watched. What is created between an informer's list and its watch is lost, for this API's
// watch begins where it is, not where the list ended.
func watchedPods(client *fake.Clientset) <-chan struct{} {
	watched := make(chan struct{})
	var once sync.Once
	client.PrependWatchReactor("pods", func(a clienttesting.Action) (bool, watch.Interface, error) {
		w, err := client.Tracker().Watch(a.GetResource(), a.GetNamespace())
		once.Do(func() { close(watched) })
		return true, w, err
	})
	return watched
}

func (o *one) up() {
	o.t.Helper()
	if err := o.begin(newNode(Worker{Name: "w", Addr: "127.0.0.1"}, &o.faults)); err != nil {
		o.t.Fatal(err)
	}
}

func (o *one) down() { o.leave("w") }

func (o *one) create(annotations map[string]string) {
	o.t.Helper()
	marks := map[string]string{AnnotationServe: "true"}
	for k, v := range annotations {
		marks[k] = v
	}
	_, err := o.client.CoreV1().Pods("shop").Create(o.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: o.name, Namespace: "shop", UID: "1", Annotations: marks},
		Spec: corev1.PodSpec{NodeName: "w", Containers: []corev1.Container{
			{Name: "web", Image: "example/web:1", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}},
		}},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}, metav1.CreateOptions{})
	if err != nil {
		o.t.Fatal(err)
	}
}

// ask marks the pod as asked to end, as the API server does.
func (o *one) askToEnd() {
	o.t.Helper()
	pod, grace, now := o.pod(), int64(30), metav1.Now()
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &now, &grace
	if _, err := o.client.CoreV1().Pods("shop").Update(o.t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *one) pod() *corev1.Pod {
	pod, err := o.client.CoreV1().Pods("shop").Get(o.t.Context(), o.name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return pod
}

func (o *one) ready() bool {
	pod := o.pod()
	return pod != nil && condition(pod, corev1.PodReady) == corev1.ConditionTrue
}

func (o *one) until(what string, is func() bool) {
	o.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	o.t.Fatalf("never: %s; pod %+v", what, o.pod())
}

// answers asks the pod at an address.
func (o *one) answers(ip string) bool {
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(fmt.Sprintf("http://%s/", ListeningAt(ip, 8080)))
	if err != nil {
		return false
	}
	defer r.Body.Close()
	return r.Header.Get(PodHeader) == "shop/"+o.name
}

// elapse lets time go by for a pod that was asked to end.
func (o *one) elapse(d time.Duration) {
	s := o.sandbox("1")
	s.mu.Lock()
	s.ending = s.ending.Add(-d)
	s.mu.Unlock()
	o.changed(o.pod())
}

func TestPodServesWhileItLives(t *testing.T) {
	o := newOne(t)
	o.create(map[string]string{AnnotationDrain: "20"})
	o.until("ready", o.ready)
	ip := o.pod().Status.PodIP
	if !strings.HasPrefix(ip, "10.244.") || !o.answers(ip) {
		t.Fatalf("%s does not answer", ip)
	}
	o.askToEnd()
	o.until("asked to end", func() bool {
		s := o.sandbox("1")
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.ending.IsZero()
	})
	if !o.answers(ip) {
		t.Error("it refused at once")
	}
	o.elapse(20 * time.Second)
	o.until("refuses", func() bool { return !o.answers(ip) })
	o.until("forgotten", func() bool { return o.pod() == nil })
}

func TestPodOutlivesItsKubelet(t *testing.T) {
	o := newOne(t)
	o.create(nil)
	o.until("ready", o.ready)
	ip := o.pod().Status.PodIP
	o.down()
	o.askToEnd()
	time.Sleep(200 * time.Millisecond)
	if o.pod() == nil || !o.answers(ip) {
		t.Error("it ended with nobody there to end it")
	}
	o.up()
	o.until("forgotten", func() bool { return o.pod() == nil })
}

func TestKilledPodStartsAgainAtAnotherAddress(t *testing.T) {
	o := newOne(t)
	o.create(nil)
	o.until("ready", o.ready)
	ip := o.pod().Status.PodIP
	o.down()
	o.kill(func(s *sandbox) bool { return s.node == "w" })
	if o.answers(ip) {
		t.Error("it answers after its machine lost power")
	}
	if !o.ready() {
		t.Error("the API server noticed by itself")
	}
	o.up()
	o.until("started again", func() bool {
		pod := o.pod()
		return o.ready() && pod.Status.PodIP != ip && pod.Status.ContainerStatuses[0].RestartCount == 1
	})
	if got := o.pod().Status.PodIPs; len(got) != 1 || !o.answers(got[0].IP) {
		t.Errorf("addresses after the restart: %v", got)
	}
}

func TestHeldPodDoesNotEnd(t *testing.T) {
	o := newOne(t)
	o.faults.HoldPods.Store(true)
	o.create(map[string]string{AnnotationDrain: "0"})
	o.until("ready", o.ready)
	o.askToEnd()
	time.Sleep(300 * time.Millisecond)
	if o.pod() == nil {
		t.Fatal("it ended")
	}
	o.faults.HoldPods.Store(false)
	o.until("forgotten", func() bool { return o.pod() == nil })
}

func TestForgottenPodIsEnded(t *testing.T) {
	o := newOne(t)
	o.create(nil)
	o.until("ready", o.ready)
	ip := o.pod().Status.PodIP
	if err := o.client.CoreV1().Pods("shop").Delete(t.Context(), o.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	o.until("refuses", func() bool { return !o.answers(ip) })
}

func TestUnreadyNode(t *testing.T) {
	n := &node{worker: Worker{Name: "w", Version: "v1.36.3+k0s.2"}, faults: &Faults{}, ready: false}
	was := n.object()
	if c := nodeCondition(was, corev1.NodeReady); c.Status != corev1.ConditionFalse || c.LastHeartbeatTime.IsZero() {
		t.Errorf("%+v", c)
	}
	then := metav1.NewTime(time.Now().Add(-time.Hour))
	for i := range was.Status.Conditions {
		was.Status.Conditions[i].LastTransitionTime, was.Status.Conditions[i].LastHeartbeatTime = then, then
	}
	n.ready = true
	status := n.status(was)
	for _, c := range status.Conditions {
		if changed := !c.LastTransitionTime.Equal(&then); changed != (c.Type == corev1.NodeReady) || c.LastHeartbeatTime.Equal(&then) {
			t.Errorf("%+v", c)
		}
	}
	if status.NodeInfo.KubeletVersion != "v1.36.3+k0s" {
		t.Error(status.NodeInfo.KubeletVersion)
	}
	n.faults.RuntimeDown.Store(true)
	if c := nodeCondition(&corev1.Node{Status: n.status(was)}, corev1.NodeReady); n.well() || c.Status != corev1.ConditionFalse ||
		c.Message != "container runtime is down" {
		t.Errorf("without its runtime: %+v", c)
	}
}
