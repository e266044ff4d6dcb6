package plan

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// inspectDisruption looks at what the plan's drains would meet, before any node is cordoned: budgets that can never be met, pods that a
// drain would refuse to move.
func (p *planner) inspectDisruption() {
	drained := p.drained()
	for _, b := range p.state.Budgets {
		p.inspectBudget(b, drained)
	}
	p.inspectEntangled(drained)
	p.inspectStuck(drained)
}

// drained are the nodes that the plan drains.
func (p *planner) drained() map[string]bool {
	out := map[string]bool{}
	for _, s := range p.work {
		for _, st := range s.steps {
			if st.Action == lifecycle.ActionDrain {
				out[st.Target] = true
			}
		}
	}
	return out
}

func (p *planner) inspectBudget(b lifecycle.Budget, drained map[string]bool) {
	var pods []string
	for _, pod := range b.Pods {
		if drained[pod.Node] && b.Guards(pod) {
			pods = append(pods, fmt.Sprintf("%s on %s", pod.Name, pod.Node))
		}
	}
	if len(pods) == 0 {
		return
	}
	name := b.Namespace + "/" + b.Name
	owner := b.Owner
	if owner == "" {
		owner = "no controller"
	}
	detail := fmt.Sprintf("Its rule is %s; it guards %s of %s, %d of them healthy. In the way of a drain: %s.", b.Rule,
		lifecycle.Count(b.Expected, "pod"), owner, b.Healthy, strings.Join(pods, ", "))
	switch {
	case b.Never():
		loosen := fmt.Sprintf("the budget, so that a pod may be away: kubectl --namespace %s edit poddisruptionbudget %s", b.Namespace, b.Name)
		hint := "Loosen " + loosen
		if b.Rigid() {
			detail += " By that rule no pod may ever be away, however many there are."
		} else if b.Owner != "" {
			hint = "Raise the replicas of " + b.Owner + ". Or: loosen " + loosen
		}
		p.find(lifecycle.Blockedf(name, "the disruption budget can never allow an eviction").
			Because(detail).
			Try(hint).
			Within(b.Namespace))
	case b.Allowed == 0:
		p.find(lifecycle.Warnf(name, "the disruption budget allows no eviction now").
			Because(detail).
			Try("The rollout waits until it does, up to the drain's timeout.").
			Within(b.Namespace))
	}
}

// inspectEntangled names pods that no drain can move, for the API evicts no pod under two budgets.
func (p *planner) inspectEntangled(drained map[string]bool) {
	for _, m := range p.members {
		if !drained[m.Name] {
			continue
		}
		if pod, names := lifecycle.Entangled(p.state.Budgets, m.Name); pod != "" {
			namespace, _, _ := strings.Cut(pod, "/")
			p.find(lifecycle.Blockedf(m.Name, "cannot be drained: %s is under several disruption budgets", pod).
				Because("The API evicts no pod that more than one budget selects. These do: " + strings.Join(names, ", ") + ".").
				Try("Leave one budget over the pod, by their selectors.").
				Within(namespace))
		}
	}
}

// inspectStuck names the pods that a drain would refuse to move under the site's policy, node by node.
func (p *planner) inspectStuck(drained map[string]bool) {
	bare, volumes := map[string][]string{}, map[string][]string{}
	for _, s := range p.state.Stuck {
		if !drained[s.Node] {
			continue
		}
		if s.Bare && !p.site.Policy.Drain.Force {
			bare[s.Node] = append(bare[s.Node], s.Namespace+"/"+s.Name)
		}
		if s.EmptyDir && !p.site.Policy.Drain.DeleteEmptyDirData {
			volumes[s.Node] = append(volumes[s.Node], s.Namespace+"/"+s.Name)
		}
	}
	p.stuck(bare, "pods that nothing would create again", "No controller owns %s: drained, it would be gone for good.",
		"Delete them, give them a controller, or set spec.upgrade.drain.force of the Site, which deletes them.")
	p.stuck(volumes, "pods whose emptyDir volumes would be lost", "An eviction deletes the emptyDir data of %s.",
		"Move the data, or set spec.upgrade.drain.deleteEmptyDirData of the Site.")
}

func (p *planner) stuck(pods map[string][]string, what, detail, hint string) {
	for _, m := range p.members {
		if names := pods[m.Name]; len(names) > 0 {
			slices.Sort(names)
			p.find(lifecycle.Blockedf(m.Name, "cannot be drained: %s", what).
				Because(fmt.Sprintf(detail, strings.Join(names, ", "))).
				Try(hint))
		}
	}
}
