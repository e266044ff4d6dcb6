package kube

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lifecycle"
)

// arrivals tells pods that came to a node while it was drained from those that no cordon keeps away. The scheduler may have placed the
// former just before the cordon, so they go too. The latter come back however often they are evicted; `kubectl drain` does not look at
// them, and a drain that did would not end.
type arrivals struct {
	owners map[types.UID]int // evictions, by the owner of the pod
	told   map[types.UID]bool
}

func newArrivals() arrivals {
	return arrivals{owners: map[types.UID]int{}, told: map[types.UID]bool{}}
}

// evicted notes an eviction.
func (a arrivals) evicted(p *corev1.Pod) {
	if owner := metav1.GetControllerOf(p); owner != nil {
		a.owners[owner.UID]++
	}
}

// stays reports whether a pod that came after the drain began is left where it is.
func (d *drainer) stays(ctx context.Context, p *corev1.Pod) bool {
	why := ""
	switch owner := metav1.GetControllerOf(p); {
	case tolerates(p, corev1.TaintNodeUnschedulable):
		why = "it tolerates the cordon"
	case owner != nil && d.arrivals.owners[owner.UID] > 0 && d.client.bound(ctx, p.Namespace, owner) == d.node:
		why = owner.Kind + " " + owner.Name + " binds its pods to this node"
	default:
		return false
	}
	if !d.arrivals.told[p.UID] {
		d.arrivals.told[p.UID] = true
		d.progress(p.Namespace + "/" + p.Name + " came to the node while it was drained and is left there: " + why)
	}
	return true
}

// tolerates reports whether the pod may be scheduled to a node with that taint.
func tolerates(p *corev1.Pod, key string) bool {
	for _, t := range p.Spec.Tolerations {
		if (t.Key == key || t.Key == "" && t.Operator == corev1.TolerationOpExists) &&
			(t.Effect == "" || t.Effect == corev1.TaintEffectNoSchedule) {
			return true
		}
	}
	return false
}

// bound is the node that a controller's template names, past the scheduler; "" where it names none, or cannot be asked.
func (c *Client) bound(ctx context.Context, namespace string, owner *metav1.OwnerReference) string {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	switch owner.Kind {
	case "ReplicaSet":
		if rs, err := c.api.AppsV1().ReplicaSets(namespace).Get(ctx, owner.Name, metav1.GetOptions{}); err == nil {
			return rs.Spec.Template.Spec.NodeName
		}
	case "StatefulSet":
		if set, err := c.api.AppsV1().StatefulSets(namespace).Get(ctx, owner.Name, metav1.GetOptions{}); err == nil {
			return set.Spec.Template.Spec.NodeName
		}
	case "Job":
		if job, err := c.api.BatchV1().Jobs(namespace).Get(ctx, owner.Name, metav1.GetOptions{}); err == nil {
			return job.Spec.Template.Spec.NodeName
		}
	case "ReplicationController":
		if rc, err := c.api.CoreV1().ReplicationControllers(namespace).Get(ctx, owner.Name, metav1.GetOptions{}); err == nil &&
			rc.Spec.Template != nil {
			return rc.Spec.Template.Spec.NodeName
		}
	}
	return ""
}
