package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// kubeProxy is the daemon set of k0s's that carries every Service, as k0s makes it.
func (b *bench) kubeProxy(cs kubernetes.Interface) {
	b.t.Helper()
	labels := map[string]string{"k8s-app": "kube-proxy"}
	set := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "kube-proxy", Namespace: metav1.NamespaceSystem, Labels: labels},
		Spec: appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{HostNetwork: true,
				Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
				Containers:  []corev1.Container{{Name: "kube-proxy", Image: "quay.io/k0sproject/kube-proxy:v1.35.7"}}}}}}
	if _, err := cs.AppsV1().DaemonSets(set.Namespace).Create(context.Background(), set, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
	b.eventually("kube-proxy on every node", func() (bool, string) {
		now, err := cs.AppsV1().DaemonSets(set.Namespace).Get(context.Background(), set.Name, metav1.GetOptions{})
		return err == nil && now.Status.DesiredNumberScheduled > 0 && now.Status.NumberReady == now.Status.DesiredNumberScheduled, "not yet"
	})
}

// The new kube-proxy's image is on no node: k0s rolls it out as soon as the controller is back, and a node's kube-proxy goes. The rollout
// stops before the first worker is drained, and names the pod and the image; once the image is there, the same command carries on.
func TestMissingImageOfKubeProxyStopsBeforeAWorkerIsDrained(t *testing.T) {
	t.Parallel()
	b := start(t, "127.182.0", 1, 3)
	b.apply(0)
	cs, _ := b.admin()
	b.kubeProxy(cs)
	b.Version = v136
	b.write()
	rollout := func(image string) error {
		_, err := cs.AppsV1().DaemonSets(metav1.NamespaceSystem).Patch(context.Background(), "kube-proxy", types.StrategicMergePatchType,
			[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"kube-proxy","image":"`+image+`"}]}}}}`), metav1.PatchOptions{})
		return err
	}
	_, stop := b.background(binary(t, "KIBAN_BIN", "kiban"), "apply", "lab", "--yes")
	b.eventually("the API at the new version, which rolls kube-proxy out", func() (bool, string) {
		v, err := cs.Discovery().ServerVersion()
		if err != nil || !strings.HasPrefix(v.GitVersion, "v1.36.") {
			return false, "not yet"
		}
		return rollout("lab.kiban.dev/missing") == nil, "the patch is refused"
	})
	r := stop(nil)
	if r.code == 0 {
		t.Fatalf("the rollout went on: %s", r)
	}
	for _, want := range []string{"kube-proxy", "lab.kiban.dev/missing"} {
		if !strings.Contains(r.stderr+r.stdout, want) {
			t.Errorf("%q is not named: %s", want, r)
		}
	}
	nodes, err := cs.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool {
		return n.Spec.Unschedulable || strings.HasPrefix(n.Status.NodeInfo.KubeletVersion, "v1.36.")
	}) {
		t.Errorf("a worker was begun: %s", r)
	}
	if err := rollout("quay.io/k0sproject/kube-proxy:v1.36.3"); err != nil {
		t.Fatal(err)
	}
	b.apply(0)
	b.nodesAt(cs, v136, 3)
	b.emptyPlan()
}
