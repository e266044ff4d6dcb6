package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// letIn judges whether pods would be let in again if they were made anew: by what their namespaces say, and by nothing that is asked for
// it. The plugins of the API server that it stands for are not to be had as a library, but for Pod Security: they are held to the server
// by "pods are let in as said" of the conformance suite.
type letIn struct {
	security *podSecurity
	// by namespace
	limits map[string][]corev1.LimitRange
	quotas map[string][]corev1.ResourceQuota
}

// letIn asks for LimitRanges and quotas, and reads how the API servers judge by Pod Security.
func (c *Client) letIn(ctx context.Context, how lifecycle.PodAdmission) (letIn, error) {
	out := letIn{limits: map[string][]corev1.LimitRange{}, quotas: map[string][]corev1.ResourceQuota{}}
	var err error
	if out.security, err = newPodSecurity(how); err != nil {
		return letIn{}, err
	}
	if !slices.Contains(how.Off, "LimitRanger") {
		if err := c.limitRanges(ctx, out.limits); err != nil {
			return letIn{}, err
		}
	}
	if !slices.Contains(how.Off, "ResourceQuota") {
		err = c.podQuotas(ctx, out.quotas)
	}
	return out, err
}

func (c *Client) limitRanges(ctx context.Context, by map[string][]corev1.LimitRange) error {
	_, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{}, string, error) {
		list, err := c.api.CoreV1().LimitRanges("").List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list limit ranges: %w", err)
		}
		if opts.Continue == "" {
			clear(by) // a list that expired on its way is read again from its beginning
		}
		for i := range list.Items {
			by[list.Items[i].Namespace] = append(by[list.Items[i].Namespace], list.Items[i])
		}
		return nil, list.Continue, nil
	})
	return err
}

func (c *Client) podQuotas(ctx context.Context, by map[string][]corev1.ResourceQuota) error {
	_, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{}, string, error) {
		list, err := c.api.CoreV1().ResourceQuotas("").List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list quotas: %w", err)
		}
		if opts.Continue == "" {
			clear(by)
		}
		for i := range list.Items {
			if q := &list.Items[i]; len(demanded(q)) > 0 {
				by[q.Namespace] = append(by[q.Namespace], *q)
			}
		}
		return nil, list.Continue, nil
	})
	return err
}

// refusals are why a pod that takes the place of this one would not be let in. Of a pod that nothing makes anew nothing is said.
func (l letIn) refusals(p *corev1.Pod, controller *metav1.OwnerReference, namespace map[string]string) []lifecycle.Refusal {
	if controller == nil {
		return nil
	}
	out := l.security.refusals(p, controller, namespace)
	limits, quotas := l.limits[p.Namespace], l.quotas[p.Namespace]
	if len(limits) == 0 && len(quotas) == 0 {
		return out
	}
	anew, given := withoutGiven(p)
	giveLimits(limits, anew)
	refused := append(limitRefusals(limits, anew), quotaRefusals(quotas, anew)...)
	if given && len(refused) > 0 {
		asIs := append(limitRefusals(limits, p), quotaRefusals(quotas, p)...)
		for i := range refused {
			refused[i].Doubtful = !slices.Contains(asIs, refused[i])
		}
	}
	return append(out, refused...)
}

// givenByLimitRange is where the API server says what LimitRanges have given a pod: "LimitRanger plugin set: cpu, memory request for
// container web; cpu limit for init container load".
const givenByLimitRange = "kubernetes.io/limit-ranger"

// withoutGiven is the part of a pod that is judged here, as its template has it: without what LimitRanges gave it when it was made.
func withoutGiven(p *corev1.Pod) (anew *corev1.Pod, took bool) {
	anew = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace}, Spec: p.Spec}
	anew.Spec.Containers, anew.Spec.InitContainers = ownResources(p.Spec.Containers), ownResources(p.Spec.InitContainers)
	said := strings.TrimPrefix(p.Annotations[givenByLimitRange], "LimitRanger plugin set: ")
	for part := range strings.SplitSeq(said, "; ") {
		what, name, found := strings.Cut(part, " for container ")
		containers := anew.Spec.Containers
		if !found {
			what, name, found = strings.Cut(part, " for init container ")
			containers = anew.Spec.InitContainers
		}
		i := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == name })
		if !found || i < 0 {
			continue
		}
		of := containers[i].Resources.Requests
		resources, isRequest := strings.CutSuffix(what, " request")
		if !isRequest {
			resources, of = strings.TrimSuffix(what, " limit"), containers[i].Resources.Limits
		}
		for resource := range strings.SplitSeq(resources, ", ") {
			delete(of, corev1.ResourceName(resource))
			took = true
		}
	}
	return anew, took
}

// ownResources are the containers with lists of resources that may be changed.
func ownResources(containers []corev1.Container) []corev1.Container {
	out := slices.Clone(containers)
	for i := range out {
		r := &out[i].Resources
		r.Requests, r.Limits = maps.Clone(r.Requests), maps.Clone(r.Limits)
	}
	return out
}
