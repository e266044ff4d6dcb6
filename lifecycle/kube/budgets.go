package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"kiban.dev/kiban/lifecycle"
)

// fewNamespaces is up to how many namespaces' pods are listed one by one rather than all pods of the cluster at once.
const fewNamespaces = 8

// Budgets are the PodDisruptionBudgets and the pods they guard, sorted. Callers that ask at once share one answer, which they
// must not change.
func (c *Client) Budgets(ctx context.Context) ([]lifecycle.Budget, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return c.budgets.get(ctx, func(ctx context.Context) ([]lifecycle.Budget, error) {
		budgets, err := c.listBudgets(ctx, "")
		if err != nil || len(budgets) == 0 {
			return nil, err
		}
		var pods []pod
		for _, ns := range namespaces(budgets) {
			more, err := c.listPods(ctx, ns, "")
			if err != nil {
				return nil, err
			}
			pods = append(pods, more...)
		}
		return c.describeBudgets(ctx, budgets, pods), nil
	})
}

func (c *Client) listBudgets(ctx context.Context, namespace string) ([]policyv1.PodDisruptionBudget, error) {
	type budgets = []policyv1.PodDisruptionBudget
	return pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) (budgets, string, error) {
		list, err := c.api.PolicyV1().PodDisruptionBudgets(namespace).List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list disruption budgets: %w", err)
		}
		return list.Items, list.Continue, nil
	})
}

// namespaces are those whose pods have to be listed: each by name, or "" for all when they are many.
func namespaces(budgets []policyv1.PodDisruptionBudget) []string {
	var names []string
	for i := range budgets {
		names = append(names, budgets[i].Namespace)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > fewNamespaces {
		return []string{""}
	}
	return names
}

// describeBudgets puts budgets and pods together.
func (c *Client) describeBudgets(ctx context.Context, budgets []policyv1.PodDisruptionBudget, pods []pod) []lifecycle.Budget {
	byNamespace := map[string][]pod{}
	for _, p := range pods {
		byNamespace[p.namespace] = append(byNamespace[p.namespace], p)
	}
	out := make([]lifecycle.Budget, len(budgets))
	for i := range budgets {
		guarded := guardedBy(&budgets[i], byNamespace[budgets[i].Namespace])
		out[i] = budget(&budgets[i], guarded)
		out[i].Owner = strings.Join(c.ownersOf(ctx, guarded), ", ")
	}
	slices.SortFunc(out, func(a, b lifecycle.Budget) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// guardedBy are the pods that a budget selects and that run or will run, sorted by name. pods are of its namespace.
func guardedBy(b *policyv1.PodDisruptionBudget, pods []pod) []pod {
	var guarded []pod
	selector := selectorOf(b)
	for _, p := range pods {
		if !p.finished() && selector.Matches(labels.Set(p.labels)) {
			guarded = append(guarded, p)
		}
	}
	slices.SortFunc(guarded, func(a, b pod) int { return cmp.Compare(a.name, b.name) })
	return guarded
}

func budget(b *policyv1.PodDisruptionBudget, guarded []pod) lifecycle.Budget {
	out := lifecycle.Budget{
		Namespace: b.Namespace, Name: b.Name, Rule: rule(b),
		Allowed: int(b.Status.DisruptionsAllowed), Healthy: int(b.Status.CurrentHealthy),
		Desired: int(b.Status.DesiredHealthy), Expected: int(b.Status.ExpectedPods),
	}
	if how := b.Spec.UnhealthyPodEvictionPolicy; how != nil {
		out.AlwaysAllow = *how == policyv1.AlwaysAllow
	}
	for _, p := range guarded {
		out.Pods = append(out.Pods, lifecycle.BudgetPod{Name: p.name, Node: p.node, Ready: p.ready && !p.terminating, Free: p.free()})
	}
	return out
}

func rule(b *policyv1.PodDisruptionBudget) string {
	switch {
	case b.Spec.MinAvailable != nil:
		return "minAvailable " + b.Spec.MinAvailable.String()
	case b.Spec.MaxUnavailable != nil:
		return "maxUnavailable " + b.Spec.MaxUnavailable.String()
	}
	return "minAvailable 1" // the API's default
}

// selectorOf is what a budget guards. As in policy/v1, a missing selector selects nothing and an empty one everything in the
// namespace.
func selectorOf(b *policyv1.PodDisruptionBudget) labels.Selector {
	s, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		return labels.Nothing() // the API does not let such a selector in
	}
	return s
}
