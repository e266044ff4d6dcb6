package kube

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
	"k8s.io/kubectl/pkg/util/qos"

	"kiban.dev/kiban/lifecycle"
)

// giveLimits gives containers what they lack and LimitRanges have for them.
func giveLimits(ranges []corev1.LimitRange, p *corev1.Pod) {
	give := func(to *corev1.ResourceList, from corev1.ResourceList) {
		for name, q := range from {
			if _, there := (*to)[name]; !there {
				if *to == nil {
					*to = corev1.ResourceList{}
				}
				(*to)[name] = q
			}
		}
	}
	for i := range ranges {
		for _, item := range ranges[i].Spec.Limits {
			if item.Type != corev1.LimitTypeContainer {
				continue
			}
			for _, c := range everyContainer(p) {
				give(&c.Resources.Limits, item.Default)
				give(&c.Resources.Requests, item.DefaultRequest)
			}
		}
	}
}

// everyContainer are a pod's containers, those before its start included.
func everyContainer(p *corev1.Pod) []*corev1.Container {
	var out []*corev1.Container
	for i := range p.Spec.Containers {
		out = append(out, &p.Spec.Containers[i])
	}
	for i := range p.Spec.InitContainers {
		out = append(out, &p.Spec.InitContainers[i])
	}
	return out
}

// limitRefusals are what LimitRanges say against a pod.
func limitRefusals(ranges []corev1.LimitRange, p *corev1.Pod) []lifecycle.Refusal {
	var out []lifecycle.Refusal
	for i := range ranges {
		var why []string
		say := func(text string) {
			if text != "" && !slices.Contains(why, text) { // several containers may be refused in the same words
				why = append(why, text)
			}
		}
		for _, item := range ranges[i].Spec.Limits {
			switch item.Type {
			case corev1.LimitTypeContainer:
				for _, c := range everyContainer(p) {
					withinLimits(item, c.Resources.Requests, c.Resources.Limits, say)
				}
			case corev1.LimitTypePod:
				opts := resource.PodResourcesOptions{ExcludeOverhead: true}
				withinLimits(item, resource.PodRequests(p, opts), resource.PodLimits(p, opts), say)
			}
		}
		if len(why) > 0 {
			out = append(out, lifecycle.Refusal{By: lifecycle.RefusedByLimitRange, Name: ranges[i].Name, Why: strings.Join(why, "; ")})
		}
	}
	return out
}

// withinLimits says what of a container or pod is out of a LimitRange, resource by resource.
func withinLimits(item corev1.LimitRangeItem, requests, limits corev1.ResourceList, say func(string)) {
	for _, name := range slices.Sorted(maps.Keys(item.Min)) {
		say(belowMin(item, name, requests, limits))
	}
	for _, name := range slices.Sorted(maps.Keys(item.Max)) {
		say(aboveMax(item, name, requests, limits))
	}
	for _, name := range slices.Sorted(maps.Keys(item.MaxLimitRequestRatio)) {
		say(aboveRatio(item, name, requests, limits))
	}
}

func belowMin(item corev1.LimitRangeItem, name corev1.ResourceName, requests, limits corev1.ResourceList) string {
	least := item.Min[name]
	request, requested := requests[name]
	limit, limited := limits[name]
	says := fmt.Sprintf("minimum %s usage per %s is %s", name, item.Type, least.String())
	switch {
	case !requested:
		return says + ".  No request is specified"
	case request.Cmp(least) < 0:
		return says + ", but request is " + request.String()
	case limited && limit.Cmp(least) < 0:
		return says + ", but limit is " + limit.String()
	}
	return ""
}

func aboveMax(item corev1.LimitRangeItem, name corev1.ResourceName, requests, limits corev1.ResourceList) string {
	most := item.Max[name]
	request, requested := requests[name]
	limit, limited := limits[name]
	says := fmt.Sprintf("maximum %s usage per %s is %s", name, item.Type, most.String())
	switch {
	case !limited:
		return says + ".  No limit is specified"
	case limit.Cmp(most) > 0:
		return says + ", but limit is " + limit.String()
	case requested && request.Cmp(most) > 0:
		return says + ", but request is " + request.String()
	}
	return ""
}

func aboveRatio(item corev1.LimitRangeItem, name corev1.ResourceName, requests, limits corev1.ResourceList) string {
	most := item.MaxLimitRequestRatio[name]
	request, limit := requests[name], limits[name]
	says := fmt.Sprintf("%s max limit to request ratio per %s is %s", name, item.Type, most.String())
	switch {
	case request.IsZero():
		return says + ", but no request is specified or request is 0"
	case limit.IsZero():
		return says + ", but no limit is specified or limit is 0"
	}
	if ratio := limit.AsApproximateFloat64() / request.AsApproximateFloat64(); ratio > most.AsApproximateFloat64() {
		return fmt.Sprintf("%s, but provided ratio is %f", says, ratio)
	}
	return ""
}

// demanded are the resources of a quota that every container must say, and in which list it does.
func demanded(q *corev1.ResourceQuota) []corev1.ResourceName {
	var out []corev1.ResourceName
	for name := range q.Status.Hard {
		switch name {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory,
			corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory:
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// quotaRefusals are the quotas whose demand to say what is asked for a pod does not meet. How much of them is used is not looked at: what
// leaves gives back what it took.
func quotaRefusals(quotas []corev1.ResourceQuota, p *corev1.Pod) []lifecycle.Refusal {
	var out []lifecycle.Refusal
	if resource.IsPodLevelResourcesSet(p) {
		return nil
	}
	for i := range quotas {
		q := &quotas[i]
		if !inScope(q, p) {
			continue
		}
		var lacks []string
		for _, name := range demanded(q) {
			var of []string
			for _, c := range everyContainer(p) {
				list, bare := c.Resources.Requests, strings.TrimPrefix(string(name), "requests.")
				if l, isLimit := strings.CutPrefix(string(name), "limits."); isLimit {
					list, bare = c.Resources.Limits, l
				}
				if _, there := list[corev1.ResourceName(bare)]; !there && !slices.Contains(of, c.Name) {
					of = append(of, c.Name)
				}
			}
			if slices.Sort(of); len(of) > 0 {
				lacks = append(lacks, string(name)+" for: "+strings.Join(of, ","))
			}
		}
		if len(lacks) > 0 {
			out = append(out, lifecycle.Refusal{By: lifecycle.RefusedByQuota, Name: q.Name, Why: "must specify " + strings.Join(lacks, "; ")})
		}
	}
	return out
}

// inScope reports whether a quota is for such pods.
func inScope(q *corev1.ResourceQuota, p *corev1.Pod) bool {
	var all []corev1.ScopedResourceSelectorRequirement
	for _, s := range q.Spec.Scopes {
		all = append(all, corev1.ScopedResourceSelectorRequirement{ScopeName: s, Operator: corev1.ScopeSelectorOpExists})
	}
	if q.Spec.ScopeSelector != nil {
		all = append(all, q.Spec.ScopeSelector.MatchExpressions...)
	}
	return !slices.ContainsFunc(all, func(s corev1.ScopedResourceSelectorRequirement) bool { return !ofScope(s, p) })
}

func ofScope(s corev1.ScopedResourceSelectorRequirement, p *corev1.Pod) bool {
	ends := p.Spec.ActiveDeadlineSeconds != nil && *p.Spec.ActiveDeadlineSeconds >= 0
	switch s.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return ends
	case corev1.ResourceQuotaScopeNotTerminating:
		return !ends
	case corev1.ResourceQuotaScopeBestEffort:
		return qos.ComputePodQOS(p) == corev1.PodQOSBestEffort
	case corev1.ResourceQuotaScopeNotBestEffort:
		return qos.ComputePodQOS(p) != corev1.PodQOSBestEffort
	case corev1.ResourceQuotaScopePriorityClass:
		return ofPriority(s, p.Spec.PriorityClassName)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return looksAcross(p.Spec.Affinity)
	}
	return false
}

// ofPriority reports whether a priority class is among those that a scope selects.
func ofPriority(s corev1.ScopedResourceSelectorRequirement, class string) bool {
	there := class != "" && slices.Contains(s.Values, class)
	switch s.Operator {
	case corev1.ScopeSelectorOpIn:
		return there
	case corev1.ScopeSelectorOpNotIn:
		return !there
	case corev1.ScopeSelectorOpExists:
		return class != ""
	case corev1.ScopeSelectorOpDoesNotExist:
		return class == ""
	}
	return false
}

// looksAcross reports whether pods are placed by where pods of other namespaces are.
func looksAcross(a *corev1.Affinity) bool {
	var terms []corev1.PodAffinityTerm
	add := func(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm) {
		terms = append(terms, required...)
		for _, w := range preferred {
			terms = append(terms, w.PodAffinityTerm)
		}
	}
	if a != nil && a.PodAffinity != nil {
		add(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution, a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if a != nil && a.PodAntiAffinity != nil {
		add(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution, a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	return slices.ContainsFunc(terms, func(t corev1.PodAffinityTerm) bool { return len(t.Namespaces) > 0 || t.NamespaceSelector != nil })
}
