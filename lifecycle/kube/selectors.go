package kube

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// selects reports whether a budget guards a pod with these labels. As in policy/v1, a missing selector selects nothing and an
// empty one everything in the namespace.
func selects(b *policyv1.PodDisruptionBudget, pod map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	return err == nil && s.Matches(labels.Set(pod))
}
