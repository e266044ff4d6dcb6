package kube

import (
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDaemonSetLacksByNode: each node that the daemon set wants has a pod that is Ready and of the images that are declared now, or the
// reason is told.
func TestDaemonSetLacksByNode(t *testing.T) {
	d := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "kube-proxy", UID: "d"}}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "kube-proxy", Image: "kube-proxy:v2"}}
	yes := true
	on := func(node, image string, ready bool, waits string) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "proxy-" + node,
			OwnerReferences: []metav1.OwnerReference{{Kind: "DaemonSet", UID: "d", Controller: &yes}}}}
		p.Spec.NodeName, p.Spec.Containers = node, []corev1.Container{{Name: "kube-proxy", Image: image}}
		status := corev1.ConditionFalse
		if ready {
			status = corev1.ConditionTrue
		}
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
		if waits != "" {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: waits, Message: "not found"}}}}
		}
		return p
	}
	var nodes []corev1.Node
	for _, name := range []string{"w1", "w2", "w3", "w4"} {
		nodes = append(nodes, corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	pods := []corev1.Pod{on("w1", "kube-proxy:v2", true, ""), on("w2", "kube-proxy:v1", true, ""),
		on("w3", "kube-proxy:v2", false, "ErrImagePull")}
	got := map[string]string{}
	for _, l := range daemonSetLacks(d, nodes, pods) {
		got[l.Node] = l.Why
	}
	want := map[string]string{"w2": "proxy-w2 still runs kube-proxy:v1", "w3": "proxy-w3 is not Ready (ErrImagePull: not found)",
		"w4": "it has no pod there"}
	for node, why := range want {
		if got[node] != why {
			t.Errorf("%s: %q, want %q", node, got[node], why)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

// TestSystemWorkloadsAreK0ss: what others have put into kube-system is not looked at, and pods are asked for only where something is
// missing.
func TestSystemWorkloadsAreK0ss(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	status := map[string]any{"desiredNumberScheduled": 1, "numberReady": 1, "updatedNumberScheduled": 1}
	f.put("daemonsets", object{"metadata": map[string]any{"namespace": "kube-system", "name": "kube-proxy"}, "spec": map[string]any{},
		"status": status})
	f.put("daemonsets", object{"metadata": map[string]any{"namespace": "kube-system", "name": "somebody-elses"}, "spec": map[string]any{},
		"status": map[string]any{"desiredNumberScheduled": 1}})
	f.put("deployments", object{"metadata": map[string]any{"namespace": "kube-system", "name": "new-in-this-version",
		"labels": map[string]any{stackLabel: "new"}}, "spec": map[string]any{"replicas": 2}, "status": map[string]any{"readyReplicas": 1,
		"updatedReplicas": 2, "conditions": []any{map[string]any{"type": "Available", "status": "True"}}}})
	got, err := c.SystemWorkloads(t.Context())
	if err != nil || len(got) != 2 || len(got[0].Lacks) != 0 || len(got[1].Lacks) != 1 || !got[1].Lacks[0].Serves ||
		got[1].Lacks[0].Why != "1 of 2 pods are Ready" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestForbiddenSystemWorkloadsDoNotHideTheAPI: a credential that may not read kube-system's workloads is no reason to know nothing.
func TestForbiddenSystemWorkloadsDoNotHideTheAPI(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.refuse = func(r *http.Request) (int, bool) {
		return http.StatusForbidden, strings.HasSuffix(r.URL.Path, "/namespaces/kube-system/daemonsets")
	}
	if facts, err := c.Facts(t.Context()); err != nil || facts.API.ClusterUID == "" || facts.System != nil {
		t.Errorf("%+v, %v", facts, err)
	}
}
