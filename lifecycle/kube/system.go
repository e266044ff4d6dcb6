package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// stackLabel is on everything that k0s itself applies; its value is the name of the stack.
const stackLabel = "k0s.k0sproject.io/stack"

// systemNames are the workloads that k0s brings, as it names them; also those of a version that labels them otherwise.
func systemNames() []string {
	return []string{"calico-kube-controllers", "calico-node", "coredns", "konnectivity-agent", "kube-proxy", "kube-router", "metrics-server"}
}

func broughtByK0s(m metav1.ObjectMeta) bool {
	return m.Labels[stackLabel] != "" || slices.Contains(systemNames(), m.Name)
}

// SystemWorkloads are the daemon sets and deployments in kube-system that k0s brings, sorted, and where they are not whole. Pods are asked
// for only of those that are not.
func (c *Client) SystemWorkloads(ctx context.Context) ([]lifecycle.Workload, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	sets, err := c.systemDaemonSets(ctx)
	if err != nil {
		return nil, err
	}
	deployments, err := c.systemDeployments(ctx)
	if err != nil {
		return nil, err
	}
	out := append(sets, deployments...)
	slices.SortFunc(out, func(a, b lifecycle.Workload) int { return cmp.Compare(a.String(), b.String()) })
	return out, nil
}

func (c *Client) systemDaemonSets(ctx context.Context) ([]lifecycle.Workload, error) {
	bounded, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	list, err := c.api.AppsV1().DaemonSets(metav1.NamespaceSystem).List(bounded, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list daemon sets: %w", err)
	}
	var out []lifecycle.Workload
	for i := range list.Items {
		d := &list.Items[i]
		if !broughtByK0s(d.ObjectMeta) {
			continue
		}
		w := lifecycle.Workload{Kind: "DaemonSet", Namespace: d.Namespace, Name: d.Name}
		if !wholeDaemonSet(d) {
			if w.Lacks, err = c.daemonSetLacks(ctx, d); err != nil {
				return nil, err
			}
		}
		out = append(out, w)
	}
	return out, nil
}

func wholeDaemonSet(d *appsv1.DaemonSet) bool {
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.NumberReady >= s.DesiredNumberScheduled &&
		(s.UpdatedNumberScheduled >= s.DesiredNumberScheduled || d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType)
}

// daemonSetLacks looks at each node that the daemon set wants a pod on.
func (c *Client) daemonSetLacks(ctx context.Context, d *appsv1.DaemonSet) ([]lifecycle.Lack, error) {
	nodes, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]corev1.Node, string, error) {
		list, err := c.api.CoreV1().Nodes().List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list nodes: %w", err)
		}
		return list.Items, list.Continue, nil
	})
	if err != nil {
		return nil, err
	}
	opts := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)}
	pods, err := pages(ctx, opts, func(ctx context.Context, opts metav1.ListOptions) ([]corev1.Pod, string, error) {
		list, err := c.api.CoreV1().Pods(d.Namespace).List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list pods of daemon set %s: %w", d.Name, err)
		}
		return list.Items, list.Continue, nil
	})
	if err != nil {
		return nil, err
	}
	return daemonSetLacks(d, nodes, pods), nil
}

// daemonSetLacks names the nodes where the daemon set has no pod that is Ready and of its template's images.
func daemonSetLacks(d *appsv1.DaemonSet, nodes []corev1.Node, pods []corev1.Pod) []lifecycle.Lack {
	here := map[string][]*corev1.Pod{}
	for i := range pods {
		if owner := metav1.GetControllerOf(&pods[i]); owner != nil && owner.UID == d.UID {
			here[pods[i].Spec.NodeName] = append(here[pods[i].Spec.NodeName], &pods[i])
		}
	}
	var out []lifecycle.Lack
	for i := range nodes {
		if n := &nodes[i]; wantsNode(d, n) {
			if why := lackOn(d, here[n.Name]); why != "" {
				out = append(out, lifecycle.Lack{Node: n.Name, Why: why})
			}
		}
	}
	slices.SortFunc(out, func(a, b lifecycle.Lack) int { return cmp.Compare(a.Node, b.Node) })
	return out
}

// lackOn says what is wrong with the daemon set's pods on one node, "" when one is Ready and new.
func lackOn(d *appsv1.DaemonSet, pods []*corev1.Pod) string {
	why := "it has no pod there"
	for _, p := range pods {
		old := oldImage(d, p)
		switch {
		case p.DeletionTimestamp != nil:
			why = p.Name + " is ending"
		case podReady(p) && old == "":
			return ""
		case podReady(p):
			why = p.Name + " still runs " + old
		default:
			why = p.Name + " is not Ready" + notReadyWhy(p)
		}
	}
	return why
}

// oldImage is an image of the pod's that its template no longer has; "" where none is, and where whoever deletes pods decides.
func oldImage(d *appsv1.DaemonSet, p *corev1.Pod) string {
	if d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return ""
	}
	want := map[string]string{}
	for _, c := range d.Spec.Template.Spec.Containers {
		want[c.Name] = c.Image
	}
	for _, c := range p.Spec.Containers {
		if image, ok := want[c.Name]; ok && image != c.Image {
			return c.Image
		}
	}
	return ""
}

// notReadyWhy is " (ImagePullBackOff: ...)", as the kubelet says of a container; "" where it says nothing.
func notReadyWhy(p *corev1.Pod) string {
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if w := c.State.Waiting; w != nil && w.Reason != "" {
			return " (" + strings.TrimSuffix(w.Reason+": "+w.Message, ": ") + ")"
		}
	}
	return ""
}

func (c *Client) systemDeployments(ctx context.Context) ([]lifecycle.Workload, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	list, err := c.api.AppsV1().Deployments(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list deployments: %w", err)
	}
	var out []lifecycle.Workload
	for i := range list.Items {
		if d := &list.Items[i]; broughtByK0s(d.ObjectMeta) {
			out = append(out, lifecycle.Workload{Kind: "Deployment", Namespace: d.Namespace, Name: d.Name, Lacks: deploymentLacks(d)})
		}
	}
	return out, nil
}

// deploymentLacks says what a deployment misses: pods that are Ready, or of its new template.
func deploymentLacks(d *appsv1.Deployment) []lifecycle.Lack {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := d.Status
	serves := false
	for _, c := range s.Conditions {
		serves = serves || c.Type == appsv1.DeploymentAvailable && c.Status == corev1.ConditionTrue
	}
	switch {
	case s.ObservedGeneration < d.Generation:
		return []lifecycle.Lack{{Why: "its controller has not looked at the change yet", Serves: serves}}
	case s.ReadyReplicas < want:
		return []lifecycle.Lack{{Why: fmt.Sprintf("%d of %d pods are Ready", s.ReadyReplicas, want), Serves: serves}}
	case s.UpdatedReplicas < want:
		return []lifecycle.Lack{{Why: fmt.Sprintf("%d of %d pods are of the new revision", s.UpdatedReplicas, want), Serves: serves}}
	}
	return nil
}
