package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// TenantUse is what each namespace of a tenant uses of its quota: those of the tenants given first, in their order, then those of tenants
// that the cluster still has namespaces of.
func (c *Client) TenantUse(ctx context.Context, tenants []lifecycle.Tenant) ([]lifecycle.TenantUse, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	namespaces, err := c.api.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: lifecycle.LabelTenant})
	if err != nil {
		return nil, fmt.Errorf("list the tenants' namespaces: %w", err)
	}
	quotas, err := c.api.CoreV1().ResourceQuotas("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list quotas: %w", err)
	}
	return tenantUse(tenants, namespaces.Items, quotas.Items), nil
}

func tenantUse(tenants []lifecycle.Tenant, namespaces []corev1.Namespace, quotas []corev1.ResourceQuota) []lifecycle.TenantUse {
	var out []lifecycle.TenantUse
	declared, there := map[string]bool{}, map[string]bool{}
	for i := range namespaces {
		there[namespaces[i].Name] = true
	}
	for _, t := range tenants {
		for _, n := range t.Namespaces {
			declared[n.Name] = true
			out = append(out, lifecycle.TenantUse{Tenant: t.Name, Namespace: n.Name, Declared: true, Missing: !there[n.Name],
				Resources: resourceUse(n.Name, quotas)})
		}
	}
	var left []lifecycle.TenantUse
	for i := range namespaces {
		if n := &namespaces[i]; !declared[n.Name] {
			left = append(left, lifecycle.TenantUse{Tenant: n.Labels[lifecycle.LabelTenant], Namespace: n.Name,
				Resources: resourceUse(n.Name, quotas)})
		}
	}
	slices.SortFunc(left, func(a, b lifecycle.TenantUse) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Namespace, b.Namespace))
	})
	return append(out, left...)
}

// resourceUse is what a namespace uses by its quotas' own count, sorted by resource. Of several quotas for one resource the tightest
// counts.
func resourceUse(namespace string, quotas []corev1.ResourceQuota) []lifecycle.ResourceUse {
	byName := map[corev1.ResourceName]lifecycle.ResourceUse{}
	for i := range quotas {
		if quotas[i].Namespace != namespace {
			continue
		}
		for name, hard := range quotas[i].Spec.Hard {
			used := quotas[i].Status.Used[name]
			use := lifecycle.ResourceUse{Name: string(name), Used: used.String(), Hard: hard.String()}
			switch {
			case !hard.IsZero():
				use.Share = used.AsApproximateFloat64() / hard.AsApproximateFloat64()
			case !used.IsZero():
				use.Share = 1 // all of nothing, and more
			}
			if other, known := byName[name]; !known || other.Share < use.Share {
				byName[name] = use
			}
		}
	}
	var out []lifecycle.ResourceUse
	for _, use := range byName {
		out = append(out, use)
	}
	slices.SortFunc(out, func(a, b lifecycle.ResourceUse) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
