package kube

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"kiban.dev/kiban/lifecycle"
)

// termSelector is which pods a term is about.
type termSelector struct {
	namespaces []string
	// among are further namespaces, by their labels.
	among    labels.Selector
	selector labels.Selector
}

// topology is the place of a node label whose values are domains.
func (c *chart) topology(key string) int32 {
	i, there := c.topologies[key]
	if !there {
		i = int32(len(c.out.Topologies))
		c.topologies[key] = i
		c.out.Topologies = append(c.out.Topologies, key)
		c.sizes = append(c.sizes, 0)
	}
	return i
}

// domain numbers the values of a label.
func (c *chart) domain(topology int32, value string) int32 {
	key := fmt.Sprint(topology, "=", value)
	i, there := c.domains[key]
	if !there {
		i = c.sizes[topology]
		c.domains[key] = i
		c.sizes[topology]++
	}
	return i
}

// affinityTerm is the place of a term of affinity or anti-affinity, of a pod in a namespace. Where it names no namespaces it is about the
// pod's own.
func (c *chart) affinityTerm(namespace string, t corev1.PodAffinityTerm) int32 {
	of := termSelector{namespaces: t.Namespaces, among: labels.Nothing(), selector: parsed(t.LabelSelector)}
	if t.NamespaceSelector != nil {
		of.among = parsed(t.NamespaceSelector)
	} else if len(t.Namespaces) == 0 {
		of.namespaces = []string{namespace}
	}
	return c.term(of, t.TopologyKey)
}

// spread is a constraint of the pods that are demands alike. Labels that it wants to match by key are those that the pods have.
func (c *chart) spread(j demands, s corev1.TopologySpreadConstraint) lifecycle.Spread {
	selector := parsed(s.LabelSelector)
	if r, selectable := selector.Requirements(); selectable {
		own := labels.Set{}
		for _, key := range s.MatchLabelKeys {
			if value, there := j.Labels[key]; there {
				own[key] = value
			}
		}
		if len(own) > 0 {
			selector = labels.SelectorFromSet(own).Add(r...)
		}
	}
	out := lifecycle.Spread{Topology: c.topology(s.TopologyKey), MaxSkew: s.MaxSkew, MinDomains: 1, BySelected: true,
		Own: selector.Matches(labels.Set(j.Labels))}
	if s.MinDomains != nil {
		out.MinDomains = *s.MinDomains
	}
	if s.NodeAffinityPolicy != nil {
		out.BySelected = *s.NodeAffinityPolicy == corev1.NodeInclusionPolicyHonor
	}
	if s.NodeTaintsPolicy != nil {
		out.ByTaints = *s.NodeTaintsPolicy == corev1.NodeInclusionPolicyHonor
	}
	if selector.Empty() {
		selector = labels.Nothing() // the scheduler counts no pods then, though the pod itself is one
	}
	out.Term = c.term(termSelector{namespaces: []string{j.Namespace}, among: labels.Nothing(), selector: selector}, s.TopologyKey)
	return out
}

// parsed is a selector of the API's; one that is not there selects nothing.
func parsed(s *metav1.LabelSelector) labels.Selector {
	out, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return labels.Nothing() // the API does not let such a selector in
	}
	return out
}

// term is the place of a term.
func (c *chart) term(of termSelector, topologyKey string) int32 {
	topology := c.topology(topologyKey)
	namespaces := slices.Clone(of.namespaces)
	slices.Sort(namespaces)
	key := fmt.Sprint(topology, namespaces, isNothing(of.among), of.among, isNothing(of.selector), of.selector)
	i, there := c.terms[key]
	if !there {
		i = int32(len(c.out.Terms))
		c.terms[key] = i
		c.out.Terms = append(c.out.Terms, lifecycle.PodTerm{Why: of.selector.String(), Topology: topology})
		c.selectors = append(c.selectors, of)
	}
	return i
}

// isNothing tells the selector of nothing from that of everything: both are written as "".
func isNothing(s labels.Selector) bool {
	_, selectable := s.Requirements()
	return !selectable
}

// selectKinds works out which kinds each term selects.
func (c *chart) selectKinds() {
	in := map[string][]int32{}
	for k := range c.out.Kinds {
		in[c.out.Kinds[k].Namespace] = append(in[c.out.Kinds[k].Namespace], int32(k))
	}
	for t, of := range c.selectors {
		for name, kinds := range in {
			if !slices.Contains(of.namespaces, name) && !of.among.Matches(labels.Set(c.around.namespaces[name])) {
				continue
			}
			for _, k := range kinds {
				if of.selector.Matches(labels.Set(c.out.Kinds[k].Labels)) {
					c.out.Terms[t].Kinds = append(c.out.Terms[t].Kinds, k)
				}
			}
		}
		slices.Sort(c.out.Terms[t].Kinds)
	}
}
