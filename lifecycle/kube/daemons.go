package kube

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"kiban.dev/kiban/lifecycle"
)

// DaemonPods names the daemon set pods that a node lacks or that are not Ready there: "kube-system/kube-proxy-x7k2p is
// Pending", "kube-system/kube-proxy has no pod". Whether a daemon set wants a pod on the node follows from its node name,
// selector, affinity and tolerations, as in Kubernetes' own controller.
func (c *Client) DaemonPods(ctx context.Context, node string) ([]string, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	n, sets, err := c.nodeAndDaemonSets(ctx, node)
	if err != nil {
		return nil, err
	}
	pods, err := c.listPods(ctx, "", node)
	if err != nil {
		return nil, err
	}
	return missingDaemons(n, sets, pods), nil
}

func (c *Client) nodeAndDaemonSets(ctx context.Context, node string) (*corev1.Node, []appsv1.DaemonSet, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	n, err := c.api.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("get node %s: %w", node, err)
	}
	sets, err := c.api.AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("list daemon sets: %w", err)
	}
	return n, sets.Items, nil
}

// missingDaemons compares what the daemon sets want on a node with the pods there.
func missingDaemons(n *corev1.Node, sets []appsv1.DaemonSet, pods []pod) []string {
	bySet := map[types.UID][]pod{}
	for _, p := range pods {
		if p.ofDaemonSet() {
			bySet[p.owner.UID] = append(bySet[p.owner.UID], p)
		}
	}
	var missing []string
	for i := range sets {
		if wantsNode(&sets[i], n) {
			if why := lacking(&sets[i], bySet[sets[i].UID]); why != "" {
				missing = append(missing, why)
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// lacking says what is wrong with a daemon set's pods on one node, "" when one is Ready.
func lacking(d *appsv1.DaemonSet, pods []pod) string {
	why := d.Namespace + "/" + d.Name + " has no pod"
	for _, p := range pods {
		switch {
		case p.terminating:
			why = p.String() + " is terminating"
		case p.ready:
			return ""
		case p.phase == corev1.PodRunning:
			why = p.String() + " is Running, not Ready"
		default:
			why = p.String() + " is " + string(p.phase)
		}
	}
	return why
}

// wantsNode reports whether a daemon set is to have a pod on a node.
func wantsNode(d *appsv1.DaemonSet, n *corev1.Node) bool {
	spec := &d.Spec.Template.Spec
	if d.DeletionTimestamp != nil || (spec.NodeName != "" && spec.NodeName != n.Name) {
		return false
	}
	if fits, err := nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, spec.Affinity).Match(n); err != nil || !fits {
		return false
	}
	tolerations := append(daemonTolerations(spec.HostNetwork), spec.Tolerations...)
	_, repelled := schedulingv1.FindMatchingUntoleratedTaint(klog.Background(), n.Spec.Taints, tolerations, func(t *corev1.Taint) bool {
		return t.Effect != corev1.TaintEffectPreferNoSchedule
	}, true)
	return !repelled
}

// daemonTolerations are those that Kubernetes gives to every daemon set pod, for every effect: taints of the node's condition
// pass, and the pods are wanted once they have.
func daemonTolerations(hostNetwork bool) []corev1.Toleration {
	keys := []string{
		corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeUnschedulable,
		corev1.TaintNodeDiskPressure, corev1.TaintNodeMemoryPressure, corev1.TaintNodePIDPressure,
	}
	if hostNetwork {
		keys = append(keys, corev1.TaintNodeNetworkUnavailable)
	}
	var out []corev1.Toleration
	for _, key := range keys {
		out = append(out, corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists})
	}
	return out
}
