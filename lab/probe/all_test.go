package probe

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"

	"kiban.dev/kiban/lab/kubelet"
)

// answering is a server that says that it is a pod, on a port that the pod then declares.
func answering(t *testing.T, key string) (address string, port int32, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(kubelet.PodHeader, key)
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP")
	}
	return "127.0.0.1", int32(at.Port), func() { s.Close() }
}

func readyPod(namespace, called, uid string, port int32, owner *metav1.OwnerReference) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: called, UID: types.UID(uid),
		Annotations: map[string]string{kubelet.AnnotationServe: "true"}, Labels: map[string]string{}},
		Spec:   corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{ContainerPort: port}}}}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}
	if owner != nil {
		owner.Controller = ptr.To(true)
		p.OwnerReferences = []metav1.OwnerReference{*owner}
	}
	return p
}

func sliceOf(namespace, service, pod, address string, ports ...int32) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: service + "-1",
		Labels: map[string]string{discoveryv1.LabelServiceName: service}}}
	for _, p := range ports {
		s.Ports = append(s.Ports, discoveryv1.EndpointPort{Port: ptr.To(p)})
	}
	if pod != "" {
		s.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{address},
			TargetRef: &corev1.ObjectReference{Namespace: namespace, Name: pod}}}
	}
	return s
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

// TestEveryServiceIsAsked follows Services through their lives: one that is well, one that loses its only pod, one that comes later, one
// that is deleted; and leaves alone those whose pods do not answer.
func TestEveryServiceIsAsked(t *testing.T) {
	at, wellPort, _ := answering(t, "shop/web-1")
	_, lostPort, stop := answering(t, "shop/db-0")
	_, newPort, _ := answering(t, "shop/late-1")
	mute := readyPod("shop", "mute-1", "u4", 9, nil)
	mute.Annotations = nil
	client := fake.NewClientset(readyPod("shop", "web-1", "u1", wellPort, nil), readyPod("shop", "db-0", "u2", lostPort, nil), mute,
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "late"}},
		// the first port is one that the pod does not declare
		sliceOf("shop", "web", "web-1", at, 9, wellPort), sliceOf("shop", "db", "db-0", at, lostPort), sliceOf("shop", "mute", "mute-1", at, 9),
		sliceOf("shop", "empty", "", ""))
	a := &All{opts: AllOptions{Rate: 500, Timeout: time.Second}, client: client, workloads: newWorkloads(), services: newServices()}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	of := func(called string) ServiceReport {
		for _, s := range a.Report().Services {
			if s.Name == called {
				return s
			}
		}
		return ServiceReport{}
	}
	until(t, "web and db are asked", func() bool { return of("web").Requests > 5 && of("db").Requests > 5 })
	if r := a.Report(); r.Failures != 0 || len(r.Services) != 2 {
		t.Fatalf("%+v", r)
	}
	stop()
	until(t, "db's endpoint outlives its pod, which shows", func() bool { return of("db").Failures > 0 })
	slices := client.DiscoveryV1().EndpointSlices("shop")
	if _, err := slices.Update(ctx, sliceOf("shop", "db", "", "", lostPort), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "db has no endpoint, which is a failure, too", func() bool {
		f := of("db").Failed
		return len(f) > 0 && f[len(f)-1].Error == "no endpoint is ready"
	})
	// a Service that is new: its slice comes before its pod is known
	if _, err := slices.Create(ctx, sliceOf("shop", "late", "late-1", at, newPort), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Pods("shop").Create(ctx, readyPod("shop", "late-1", "u3", newPort, nil), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "late is asked", func() bool { return of("late").Requests > 5 })
	if err := client.CoreV1().Services("shop").Delete(ctx, "late", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "late is gone", func() bool { return !of("late").Gone.IsZero() })
	asked := of("late").Requests
	before := of("web").Requests
	until(t, "web goes on", func() bool { return of("web").Requests > before+20 })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r := a.Report()
	if late := of("late"); late.Failures != 0 || late.Requests > asked+2 {
		t.Errorf("a Service that was deleted: %+v, %d when it went", late, asked)
	}
	if web := of("web"); web.Failures != 0 || r.Ended.IsZero() || r.Requests != web.Requests+of("db").Requests+of("late").Requests {
		t.Errorf("%+v", r)
	}
	if of("mute").Requests+of("empty").Requests != 0 {
		t.Error("a Service that nobody serves was asked")
	}
}

// TestFewestReadyPods counts each workload's pods by whose they are.
func TestFewestReadyPods(t *testing.T) {
	w := newWorkloads()
	web := func(n string, hash string) *corev1.Pod {
		p := readyPod("shop", "web-"+n, n, 80, &metav1.OwnerReference{Kind: "ReplicaSet", Name: "web-" + hash})
		p.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
		return p
	}
	db := readyPod("shop", "db-0", "d0", 80, &metav1.OwnerReference{Kind: "StatefulSet", Name: "db"})
	bare := readyPod("shop", "alone-x", "a1", 80, &metav1.OwnerReference{Kind: "ReplicaSet", Name: "alone"})
	w.wants("Deployment", "shop", "web", 3, false)
	for _, p := range []*corev1.Pod{web("1", "aa"), web("2", "aa"), web("3", "bb"), db, bare,
		readyPod("shop", "job-1", "j1", 80, &metav1.OwnerReference{Kind: "Job", Name: "job"}), readyPod("shop", "own", "o1", 80, nil)} {
		w.pod(p, false)
	}
	w.wants("StatefulSet", "shop", "db", 2, false) // one short from the start
	w.wants("ReplicaSet", "shop", "alone", 1, false)
	w.begin(time.Now())
	ending := web("1", "aa")
	ending.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	w.pod(ending, false)
	w.pod(ending, true) // counted once
	unready := web("2", "aa")
	unready.Status.Conditions[0].Status = corev1.ConditionFalse
	w.pod(unready, false)
	w.pod(web("4", "bb"), false)
	w.pod(web("2", "aa"), false)
	// one that comes later counts from when it is whole
	w.wants("DaemonSet", "kube-system", "agent", 2, false)
	agent := func(n string) *corev1.Pod {
		return readyPod("kube-system", "agent-"+n, "g"+n, 80, &metav1.OwnerReference{Kind: "DaemonSet", Name: "agent"})
	}
	w.pod(agent("1"), false)
	if slices.ContainsFunc(w.report(), func(r WorkloadReport) bool { return r.Name == "agent" }) {
		t.Error("a workload that was never whole is told of")
	}
	w.pod(agent("2"), false)
	w.pod(agent("1"), true)
	// one that is deleted loses nothing by that
	w.wants("ReplicaSet", "shop", "alone", 0, true)
	w.pod(bare, true)

	var got []string
	for _, r := range w.report() {
		got = append(got, strings.Join([]string{r.Kind, r.Namespace, r.Name}, " "))
		if r.FewestAt.IsZero() {
			t.Errorf("%+v", r)
		}
		got[len(got)-1] += " " + string(rune('0'+r.Fewest)) + " of " + string(rune('0'+r.Desired)) + ", now " + string(rune('0'+r.Ready))
	}
	if want := []string{"DaemonSet kube-system agent 1 of 2, now 1", "ReplicaSet shop alone 1 of 1, now 0",
		"StatefulSet shop db 1 of 2, now 1", "Deployment shop web 1 of 3, now 3"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}
