package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// Nodes are the cluster's nodes, sorted by name. Callers that ask at once share one answer, which they must not change.
func (c *Client) Nodes(ctx context.Context) ([]lifecycle.NodeState, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return c.nodes.get(ctx, c.listNodes)
}

// listNodes reads the nodes and their leases. The lists are consistent reads: API servers of 1.31 and later serve them from
// their cache, yet never older than etcd's newest revision, so one that lost its etcd cannot answer with old news.
func (c *Client) listNodes(ctx context.Context) ([]lifecycle.NodeState, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	nodes, err := c.api.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	leases, err := c.api.CoordinationV1().Leases(corev1.NamespaceNodeLease).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list node leases: %w", err)
	}
	renewed := make(map[string]time.Time, len(leases.Items))
	for i := range leases.Items {
		renewed[leases.Items[i].Name] = renewTime(&leases.Items[i])
	}
	states := make([]lifecycle.NodeState, len(nodes.Items))
	for i := range nodes.Items {
		states[i] = nodeState(&nodes.Items[i], renewed[nodes.Items[i].Name])
	}
	slices.SortFunc(states, func(a, b lifecycle.NodeState) int { return cmp.Compare(a.Name, b.Name) })
	return states, nil
}

// Node is one node as it is now.
func (c *Client) Node(ctx context.Context, name string) (lifecycle.NodeState, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.NodeState{}, err
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	n, err := c.api.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return lifecycle.NodeState{}, notRegistered(name, err)
	}
	if err != nil {
		return lifecycle.NodeState{}, fmt.Errorf("get node %s: %w", name, err)
	}
	lease, err := c.api.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(ctx, name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return lifecycle.NodeState{}, fmt.Errorf("get lease of node %s: %w", name, err)
	}
	return nodeState(n, renewTime(lease)), nil
}

// DeleteNode deletes what the cluster keeps of a machine: its Node object, and the objects that k0s has of a controller and never
// deletes itself. What is gone already, or was never there, is no error.
func (c *Client) DeleteNode(ctx context.Context, name string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	for _, kind := range []string{"etcd.k0sproject.io/v1beta1/etcdmembers", "autopilot.k0sproject.io/v1beta2/controlnodes"} {
		err := c.api.Discovery().RESTClient().Delete().AbsPath("/apis/" + kind + "/" + name).Do(ctx).Error()
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s of %s: %w", kind[strings.LastIndexByte(kind, '/')+1:], name, err)
		}
	}
	err := c.api.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	return nil
}

func notRegistered(name string, err error) error {
	return lifecycle.Errorf(name, "no such node is registered in the cluster").
		Try("A node's name is its host's hostname in lower case; compare with `kubectl get nodes`").
		Hiding(err)
}

func nodeState(n *corev1.Node, renewed time.Time) lifecycle.NodeState {
	s := lifecycle.NodeState{
		Name: n.Name, LeaseRenewed: renewed, Kubelet: n.Status.NodeInfo.KubeletVersion, Unschedulable: n.Spec.Unschedulable,
		Mark:   lifecycle.Mark{Run: n.Annotations[lifecycle.AnnotationCordonedBy], Reason: n.Annotations[lifecycle.AnnotationCordonedFor]},
		Labels: n.Labels, Why: "it has no Ready condition yet",
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			s.Ready, s.Heartbeat, s.Why = c.Status == corev1.ConditionTrue, c.LastHeartbeatTime.Time, ""
			if !s.Ready {
				s.Why = strings.TrimSuffix(c.Reason+": "+c.Message, ": ")
			}
		}
	}
	s.Taints = repelling(n.Spec.Taints)
	s.Labelled, s.Tainted = listed(n.Annotations[lifecycle.AnnotationLabelled]), listed(n.Annotations[lifecycle.AnnotationTainted])
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			s.InternalIP = a.Address
			break
		}
	}
	return s
}

// conditionTaints begins the taints that Kubernetes puts on a node for its condition or its cordon, and takes away again.
const conditionTaints = "node.kubernetes.io/"

// repelling are the taints that keep pods away and that somebody has put on the node.
func repelling(taints []corev1.Taint) []string {
	var out []string
	for _, t := range taints {
		if t.Effect != corev1.TaintEffectPreferNoSchedule && !strings.HasPrefix(t.Key, conditionTaints) {
			out = append(out, t.ToString())
		}
	}
	slices.Sort(out)
	return out
}

func renewTime(l *coordinationv1.Lease) time.Time {
	if l == nil || l.Spec.RenewTime == nil {
		return time.Time{}
	}
	return l.Spec.RenewTime.Time
}
