package kube

import (
	"context"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// policies are those that may deny a pod when it is made, with what binds them. What their expressions come to is not worked out.
func (c *Client) policies(ctx context.Context, kinds []lifecycle.PodKind) ([]lifecycle.PodPolicy, error) {
	namespaces, err := c.namespaceLabels(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	all, err := c.api.AdmissionregistrationV1().ValidatingAdmissionPolicies().List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) { // served since v1.30
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("list admission policies: %w", err)
	}
	bound, err := c.api.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list what binds admission policies: %w", err)
	}
	var out []lifecycle.PodPolicy
	for i := range bound.Items {
		b := &bound.Items[i]
		at := slices.IndexFunc(all.Items, func(p admissionv1.ValidatingAdmissionPolicy) bool { return p.Name == b.Spec.PolicyName })
		if at < 0 || !slices.Contains(b.Spec.ValidationActions, admissionv1.Deny) {
			continue
		}
		one := lifecycle.PodPolicy{Name: b.Spec.PolicyName, Binding: b.Name,
			Kinds: judgedPods(all.Items[at].Spec.MatchConstraints, kinds, namespaces)}
		if b.Spec.MatchResources != nil {
			also := judgedPods(b.Spec.MatchResources, kinds, namespaces)
			one.Kinds = slices.DeleteFunc(one.Kinds, func(k int32) bool { _, there := slices.BinarySearch(also, k); return !there })
		}
		if len(one.Kinds) > 0 {
			out = append(out, one)
		}
	}
	return out, nil
}

// judgedPods are the kinds of pods that a policy, or what binds it, is for when they are made. What binds it and has no rules is for
// whatever the policy is for.
func judgedPods(m *admissionv1.MatchResources, kinds []lifecycle.PodKind, namespaces map[string]map[string]string) []int32 {
	among := func(rules []admissionv1.NamedRuleWithOperations) bool {
		var h hook
		for _, r := range rules {
			if len(r.ResourceNames) == 0 { // a pod that is made anew has another name
				h.rules = append(h.rules, r.RuleWithOperations)
			}
		}
		return h.matches(admissionv1.Create, "pods", admissionv1.NamespacedScope)
	}
	if m == nil || len(m.ResourceRules) > 0 && !among(m.ResourceRules) || among(m.ExcludeResourceRules) {
		return nil
	}
	return hook{namespaces: m.NamespaceSelector, objects: m.ObjectSelector}.selected(kinds, namespaces)
}
