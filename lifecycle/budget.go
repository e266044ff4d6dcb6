package lifecycle

import (
	"strconv"
	"strings"
)

// Budget is a PodDisruptionBudget and the pods it guards.
type Budget struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Rule is its spec in words: "minAvailable 2" or "maxUnavailable 0".
	Rule string `json:"rule"`
	// AlwaysAllow is unhealthyPodEvictionPolicy AlwaysAllow: pods that are not Ready may always be evicted.
	AlwaysAllow bool `json:"alwaysAllow,omitempty"`
	// Allowed, Healthy, Desired and Expected are status.disruptionsAllowed, currentHealthy, desiredHealthy and expectedPods.
	Allowed  int `json:"allowed"`
	Healthy  int `json:"healthy"`
	Desired  int `json:"desired"`
	Expected int `json:"expected"`
	// Owner is what created the pods: "Deployment shop/web"; "" when nothing did.
	Owner string      `json:"owner,omitempty"`
	Pods  []BudgetPod `json:"pods,omitempty"`
}

// BudgetPod is a pod under a budget.
type BudgetPod struct {
	Name  string `json:"name"`
	Node  string `json:"node"`
	Ready bool   `json:"ready"`
	// Free: no budget is asked about it, for it is Pending, or it is on its way out.
	Free bool `json:"free,omitempty"`
}

// Never reports whether the budget can never allow an eviction, however healthy its pods are.
func (b Budget) Never() bool { return b.Expected > 0 && b.Desired >= b.Expected }

// Rigid reports whether the rule lets no pod be away whatever the number of pods is, so that more of them change nothing.
func (b Budget) Rigid() bool {
	rule, amount, _ := strings.Cut(b.Rule, " ")
	n, err := strconv.Atoi(strings.TrimSuffix(amount, "%"))
	switch {
	case err != nil:
		return false
	case rule == "maxUnavailable":
		return n <= 0
	}
	return strings.HasSuffix(amount, "%") && n >= 100
}

// Guards reports whether the eviction API asks the budget before it lets the pod go. The rules are the API's own: none for a pod that is
// Pending or ending; none for one that is not Ready, if the budget always allows that, or has as many healthy pods as it wants without it.
func (b Budget) Guards(p BudgetPod) bool {
	switch {
	case p.Free:
		return false
	case p.Ready:
		return true
	case b.AlwaysAllow:
		return false
	}
	return b.Healthy < b.Desired || b.Desired <= 0
}

// GuardedOn are the pods on a node that the budget guards.
func (b Budget) GuardedOn(node string) []BudgetPod {
	var out []BudgetPod
	for _, p := range b.Pods {
		if p.Node == node && b.Guards(p) {
			out = append(out, p)
		}
	}
	return out
}

// Entangled is a pod on a node that several budgets select: the API evicts no such pod, whatever the budgets allow. Budgets are their
// names, in order. No pod: there is none.
func Entangled(budgets []Budget, node string) (pod string, names []string) {
	by := map[string][]string{}
	for _, b := range budgets {
		for _, p := range b.Pods {
			if p.Node == node && !p.Free {
				by[b.Namespace+"/"+p.Name] = append(by[b.Namespace+"/"+p.Name], b.Name)
			}
		}
	}
	for name, bs := range by {
		if len(bs) > 1 && (pod == "" || name < pod) {
			pod, names = name, bs
		}
	}
	return pod, names
}
