package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// Admission is what must be there, and who is asked, before pods of these kinds are let in again. The kinds are those of Scheduling.
func (c *Client) Admission(ctx context.Context, kinds []lifecycle.PodKind) (lifecycle.Admission, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Admission{}, err
	}
	var out lifecycle.Admission
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { out.Webhooks, err = c.webhooks(gctx, kinds); return })
	g.Go(func() (err error) { out.Policies, err = c.policies(gctx, kinds); return })
	g.Go(func() (err error) { out.Overdrawn, err = c.overdrawn(gctx); return })
	g.Go(func() (err error) { out.ServiceAccounts, err = c.serviceAccounts(gctx); return })
	g.Go(func() (err error) { out.PriorityClasses, out.RuntimeClasses, err = c.podClasses(gctx); return })
	return out, g.Wait()
}

// podClasses are the names of the classes of priorities and runtimes.
func (c *Client) podClasses(ctx context.Context) (priorities, runtimes []string, err error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	ps, err := c.api.SchedulingV1().PriorityClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("list priority classes: %w", err)
	}
	for i := range ps.Items {
		priorities = append(priorities, ps.Items[i].Name)
	}
	rs, err := c.api.NodeV1().RuntimeClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("list runtime classes: %w", err)
	}
	for i := range rs.Items {
		runtimes = append(runtimes, rs.Items[i].Name)
	}
	slices.Sort(priorities)
	slices.Sort(runtimes)
	return priorities, runtimes, nil
}

func (c *Client) serviceAccounts(ctx context.Context) ([]string, error) {
	all, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]string, string, error) {
		list, err := c.api.CoreV1().ServiceAccounts("").List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list service accounts: %w", err)
		}
		var names []string
		for i := range list.Items {
			names = append(names, list.Items[i].Namespace+"/"+list.Items[i].Name)
		}
		return names, list.Continue, nil
	})
	slices.Sort(all)
	return all, err
}

// overdrawn are the quotas of which more is used than they allow. One that is for some pods only is left out: which these are is not said
// by what is counted.
func (c *Client) overdrawn(ctx context.Context) ([]lifecycle.Quota, error) {
	return pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]lifecycle.Quota, string, error) {
		list, err := c.api.CoreV1().ResourceQuotas("").List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list quotas: %w", err)
		}
		var out []lifecycle.Quota
		for i := range list.Items {
			if q := overdrawn(&list.Items[i]); len(q.Over) > 0 {
				out = append(out, q)
			}
		}
		return out, list.Continue, nil
	})
}

func overdrawn(q *corev1.ResourceQuota) lifecycle.Quota {
	out := lifecycle.Quota{Namespace: q.Namespace, Name: q.Name}
	if len(q.Spec.Scopes) > 0 || q.Spec.ScopeSelector != nil {
		return out
	}
	for name, hard := range q.Spec.Hard {
		used := q.Status.Used[name]
		resource, limits, counted := ofPods(string(name))
		if counted && used.Cmp(hard) > 0 {
			out.Over = append(out.Over, lifecycle.QuotaUse{Resource: resource, Limits: limits,
				Text: fmt.Sprintf("%s: %s used, %s allowed", name, used.String(), hard.String())})
		}
	}
	slices.SortFunc(out.Over, func(a, b lifecycle.QuotaUse) int { return cmp.Compare(a.Text, b.Text) })
	return out
}

// ofPods says what of a pod a quota's resource counts, if it counts pods.
func ofPods(name string) (resource string, limits, counted bool) {
	switch {
	case name == "pods" || name == "count/pods":
		return lifecycle.ResourcePods, false, true
	case name == "cpu" || name == "memory" || name == "ephemeral-storage":
		return name, false, true
	case strings.HasPrefix(name, "limits."):
		return strings.TrimPrefix(name, "limits."), true, true
	case strings.HasPrefix(name, "requests.") && name != "requests.storage":
		return strings.TrimPrefix(name, "requests."), false, true
	}
	return "", false, false
}

// backends are the ready endpoints of a Service.
func (c *Client) backends(ctx context.Context, namespace, name string) (gone bool, out []lifecycle.Backend, err error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	if _, err := c.api.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{}); apierrors.IsNotFound(err) {
		return true, nil, nil
	} else if err != nil {
		return false, nil, fmt.Errorf("get service %s/%s: %w", namespace, name, err)
	}
	list, err := c.api.DiscoveryV1().EndpointSlices(namespace).List(ctx,
		metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + name})
	if err != nil {
		return false, nil, fmt.Errorf("list the endpoints of %s/%s: %w", namespace, name, err)
	}
	for i := range list.Items {
		for j := range list.Items[i].Endpoints {
			e := &list.Items[i].Endpoints[j]
			if !readyEndpoint(e) {
				continue
			}
			var b lifecycle.Backend
			if e.TargetRef != nil && e.TargetRef.Kind == "Pod" {
				b.Pod = e.TargetRef.Name
			}
			if e.NodeName != nil {
				b.Node = *e.NodeName
			}
			if !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
	}
	return false, out, nil
}
