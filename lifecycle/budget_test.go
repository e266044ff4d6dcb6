package lifecycle

import (
	"slices"
	"testing"
)

// TestBudgetGuardsAsTheAPIDoes: the cases are those of the eviction API (pkg/registry/core/pod/storage/eviction.go of Kubernetes).
func TestBudgetGuardsAsTheAPIDoes(t *testing.T) {
	enough := Budget{Healthy: 2, Desired: 2, Expected: 3}
	short := Budget{Healthy: 1, Desired: 2, Expected: 3}
	always := short
	always.AlwaysAllow = true
	none := Budget{Healthy: 1, Desired: 0, Expected: 3}
	for name, c := range map[string]struct {
		budget Budget
		pod    BudgetPod
		guards bool
	}{
		"Ready":                               {enough, BudgetPod{Ready: true}, true},
		"Ready, whatever unready pods may do": {always, BudgetPod{Ready: true}, true},
		"Pending, or ending":                  {short, BudgetPod{Free: true}, false},
		"not Ready, and too few others are":   {short, BudgetPod{}, true},
		"not Ready, and always let go":        {always, BudgetPod{}, false},
		"not Ready, and enough others are":    {enough, BudgetPod{}, false},
		"not Ready, and none is wanted":       {none, BudgetPod{}, true},
	} {
		if got := c.budget.Guards(c.pod); got != c.guards {
			t.Errorf("%s: guards is %v", name, got)
		}
	}
}

func TestEntangled(t *testing.T) {
	over := func(name string, pods ...BudgetPod) Budget { return Budget{Namespace: "shop", Name: name, Pods: pods} }
	web, pending := BudgetPod{Name: "web-1", Node: "w1", Ready: true}, BudgetPod{Name: "web-0", Node: "w1", Free: true}
	budgets := []Budget{over("a", web, pending), over("b", web, pending), {Namespace: "other", Name: "c", Pods: []BudgetPod{web}}}
	if pod, names := Entangled(budgets, "w1"); pod != "shop/web-1" || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("got %s under %v", pod, names)
	}
	if pod, _ := Entangled(budgets, "w2"); pod != "" {
		t.Errorf("on another node: %s", pod)
	}
	if pod, _ := Entangled(budgets[1:], "w1"); pod != "" {
		t.Errorf("budgets of two namespaces: %s", pod)
	}
}
