package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"kiban.dev/kiban/lifecycle"
)

// set is the place of a set of nodes, which is worked out where it is not there yet; -1 where it would have all of them.
// Only those among some need be looked at where others can't be in it; nil: all.
func (c *chart) set(of any, why string, among []int32, has func(*corev1.Node) bool) int32 {
	raw, err := json.Marshal(of)
	if err != nil {
		panic(err) // what the API sends can be written down
	}
	key := why + "\x00" + string(raw)
	if i, there := c.sets[key]; there {
		return i
	}
	s := lifecycle.NodeSet{Why: why, Has: lifecycle.NewBits(len(c.around.nodes))}
	members := 0
	look := func(i int32) {
		if has(&c.around.nodes[i]) {
			s.Has.Add(i)
			members++
		}
	}
	if among != nil {
		for _, i := range among {
			look(i)
		}
	} else {
		for i := range c.around.nodes {
			look(int32(i))
		}
	}
	i := int32(-1)
	if members < len(c.around.nodes) {
		i = int32(len(c.out.NodeSets))
		c.out.NodeSets = append(c.out.NodeSets, s)
	}
	c.sets[key] = i
	return i
}

// selected is the set of nodes that a pod's selector and affinity to nodes allow.
func (c *chart) selected(selector map[string]string, affinity *corev1.NodeSelector) int32 {
	if len(selector) == 0 && affinity == nil {
		return -1
	}
	required := nodeaffinity.NewRequiredNodeAffinity(selector, &corev1.Affinity{
		NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: affinity}})
	var why []string
	for _, k := range slices.Sorted(maps.Keys(selector)) {
		why = append(why, k+"="+selector[k])
	}
	if affinity != nil {
		why = append(why, nodeSelectorWords(affinity))
	}
	return c.set([]any{selector, affinity}, "its node selector ("+strings.Join(why, ", ")+")", nil, func(n *corev1.Node) bool {
		match, _ := required.Match(n) // a selector that is wrong matches what its other terms match, as it does for the scheduler
		return match
	})
}

// nodeSelectorWords are a node selector in a few words: "disk in (ssd)", with "or" between its terms.
func nodeSelectorWords(s *corev1.NodeSelector) string {
	var terms []string
	for _, t := range s.NodeSelectorTerms {
		var all []string
		for _, r := range slices.Concat(t.MatchExpressions, t.MatchFields) {
			switch {
			case r.Operator == corev1.NodeSelectorOpIn && len(r.Values) == 1:
				all = append(all, r.Key+"="+r.Values[0])
			case len(r.Values) == 0:
				all = append(all, r.Key+" "+string(r.Operator))
			default:
				all = append(all, fmt.Sprintf("%s %s (%s)", r.Key, r.Operator, strings.Join(r.Values, ", ")))
			}
		}
		terms = append(terms, strings.Join(all, " and "))
	}
	return strings.Join(terms, " or ")
}

// tolerated is the set of nodes whose taints a pod tolerates. A cordon's own taint is not looked at: cordons come and go in a rollout.
func (c *chart) tolerated(tolerations []corev1.Toleration) int32 {
	keepsAway := func(t *corev1.Taint) bool {
		return t.Key != corev1.TaintNodeUnschedulable && (t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute)
	}
	return c.set(tolerations, "its tolerations", nil, func(n *corev1.Node) bool {
		_, repelled := schedulingv1.FindMatchingUntoleratedTaint(klog.Background(), n.Spec.Taints, tolerations, keepsAway, true)
		return !repelled
	})
}

func toleratesCordon(tolerations []corev1.Toleration) bool {
	return schedulingv1.TolerationsTolerateTaint(klog.Background(), tolerations,
		&corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}, true)
}

// reach is the set of nodes that reach a pod's volumes.
func (c *chart) reach(p *corev1.Pod) int32 {
	var bound []volume
	for _, v := range p.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			name := v.PersistentVolumeClaim.ClaimName
			claim, there := c.around.claims[p.Namespace+"/"+name]
			if !there {
				return c.set(name, "where its volume is, for its claim "+name+" is gone", nil, func(*corev1.Node) bool { return false })
			}
			if v, there := c.around.volumes[claim.volume]; there {
				bound = append(bound, v)
			} else if topologies := c.around.classes[claim.class].AllowedTopologies; claim.volume == "" && len(topologies) > 0 {
				bound = append(bound, volume{affinity: allowedTopologies(topologies)})
			}
		case v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil:
			if class := v.Ephemeral.VolumeClaimTemplate.Spec.StorageClassName; class != nil {
				if topologies := c.around.classes[*class].AllowedTopologies; len(topologies) > 0 {
					bound = append(bound, volume{affinity: allowedTopologies(topologies)})
				}
			}
		}
	}
	bound = slices.DeleteFunc(bound, func(v volume) bool { return v.affinity == nil && len(v.labels) == 0 })
	if len(bound) == 0 {
		return -1
	}
	return c.where(bound)
}

// where is the set of nodes that reach all of these volumes.
func (c *chart) where(bound []volume) int32 {
	var why []string
	var all []any
	var selectors []*nodeaffinity.LazyErrorNodeSelector
	for _, v := range bound {
		all = append(all, v.affinity, v.labels)
		if v.affinity != nil {
			selectors = append(selectors, nodeaffinity.NewLazyErrorNodeSelector(v.affinity))
			why = append(why, nodeSelectorWords(v.affinity))
		}
		for _, k := range slices.Sorted(maps.Keys(v.labels)) {
			why = append(why, k+"="+v.labels[k])
		}
	}
	slices.Sort(why)
	return c.set(all, "where its volumes are ("+strings.Join(slices.Compact(why), ", ")+")", c.among(bound), func(n *corev1.Node) bool {
		for _, s := range selectors {
			if match, err := s.Match(n); err != nil || !match {
				return false
			}
		}
		return !slices.ContainsFunc(bound, func(v volume) bool { return !inZone(v.labels, n.Labels) })
	})
}

// among are the nodes that the label which a volume asks for leaves, where one does: of thousands of local volumes each is on one node.
func (c *chart) among(bound []volume) []int32 {
	for _, v := range bound {
		if v.affinity == nil || len(v.affinity.NodeSelectorTerms) != 1 {
			continue
		}
		for _, r := range v.affinity.NodeSelectorTerms[0].MatchExpressions {
			if r.Operator != corev1.NodeSelectorOpIn {
				continue
			}
			out := []int32{}
			for _, value := range slices.Compact(slices.Sorted(slices.Values(r.Values))) {
				out = append(out, c.at[r.Key+"="+value]...) // a node has one value of it
			}
			return out
		}
	}
	return nil
}

// zoneLabels are those by which the scheduler ties a volume to zones and regions, as it did before volumes had affinity.
func zoneLabels() []string {
	return []string{corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion, corev1.LabelTopologyZone,
		corev1.LabelTopologyRegion}
}

// inZone reports whether a node is in the zones and regions of a volume. A node without any such label is in each, as for the scheduler.
func inZone(volume, node map[string]string) bool {
	if !slices.ContainsFunc(zoneLabels(), func(key string) bool { _, there := node[key]; return there }) {
		return true
	}
	for key, value := range volume {
		zones := strings.Split(value, "__") // a volume that is in several zones names them so
		at, there := node[key]
		if !there {
			at, there = node[strings.NewReplacer(corev1.LabelFailureDomainBetaZone, corev1.LabelTopologyZone,
				corev1.LabelFailureDomainBetaRegion, corev1.LabelTopologyRegion).Replace(key)]
		}
		if !there || !slices.Contains(zones, at) {
			return false
		}
	}
	return true
}

// allowedTopologies are where a storage class makes volumes.
func allowedTopologies(topologies []corev1.TopologySelectorTerm) *corev1.NodeSelector {
	out := &corev1.NodeSelector{}
	for _, t := range topologies {
		var term corev1.NodeSelectorTerm
		for _, r := range t.MatchLabelExpressions {
			term.MatchExpressions = append(term.MatchExpressions,
				corev1.NodeSelectorRequirement{Key: r.Key, Operator: corev1.NodeSelectorOpIn, Values: r.Values})
		}
		out.NodeSelectorTerms = append(out.NodeSelectorTerms, term)
	}
	return out
}
