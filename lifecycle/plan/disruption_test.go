package plan

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestPlanPredictsEvictionsAsTheAPIDecidesThem: pods that a budget can't protect stand in no drain's way.
func TestPlanPredictsEvictionsAsTheAPIDecidesThem(t *testing.T) {
	pod := lifecycle.BudgetPod{Name: "web-1", Node: "worker-1"}
	single := lifecycle.Budget{Namespace: "shop", Name: "web", Rule: "minAvailable 1", Desired: 1, Expected: 1, Owner: "Deployment shop/web"}
	for name, c := range map[string]struct {
		edit func(b *lifecycle.Budget, p *lifecycle.BudgetPod)
		says string // "": nothing
	}{
		"Ready": {func(b *lifecycle.Budget, p *lifecycle.BudgetPod) { b.Healthy, p.Ready = 1, true },
			"can never allow"},
		"crash-looping":                    {func(*lifecycle.Budget, *lifecycle.BudgetPod) {}, "can never allow"},
		"crash-looping, and always let go": {func(b *lifecycle.Budget, _ *lifecycle.BudgetPod) { b.AlwaysAllow = true }, ""},
		"Pending":                          {func(_ *lifecycle.Budget, p *lifecycle.BudgetPod) { p.Free = true }, ""},
		"elsewhere":                        {func(_ *lifecycle.Budget, p *lifecycle.BudgetPod) { p.Node = "controller-1" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, newSite(v135, 1, 2))
			site := newSite(v136, 1, 2)
			w.declare(site)
			b, p := single, pod
			c.edit(&b, &p)
			b.Pods = []lifecycle.BudgetPod{p}
			w.budgets = []lifecycle.Budget{b}
			says := makePlan(site, w.observe()).Diagnostics.Error()
			if c.says == "" && strings.Contains(says, "shop/web") || !strings.Contains(says, c.says) {
				t.Errorf("want %q of the budget: %s", c.says, says)
			}
		})
	}
}

// TestMoreReplicasAreAdvisedWhereTheyHelp: a rule that lets no pod be away lets none be away of more pods either.
func TestMoreReplicasAreAdvisedWhereTheyHelp(t *testing.T) {
	const loosen = "oosen the budget, so that a pod may be away: kubectl --namespace shop edit poddisruptionbudget web"
	for _, c := range []struct {
		rule, owner string
		replicas    bool
	}{
		{"minAvailable 2", "Deployment shop/web", true}, {"minAvailable 90%", "Deployment shop/web", true}, {"minAvailable 2", "", false},
		{"minAvailable 100%", "Deployment shop/web", false}, {"maxUnavailable 0", "Deployment shop/web", false},
		{"maxUnavailable 0%", "Deployment shop/web", false},
	} {
		w := built(t, newSite(v135, 1, 2))
		site := newSite(v136, 1, 2)
		w.declare(site)
		w.budgets = []lifecycle.Budget{{Namespace: "shop", Name: "web", Rule: c.rule, Desired: 2, Healthy: 2, Expected: 2, Owner: c.owner,
			Pods: []lifecycle.BudgetPod{{Name: "web-1", Node: "worker-1", Ready: true}}}}
		var hint string
		for _, d := range makePlan(site, w.observe()).Diagnostics {
			if d.Summary == "the disruption budget can never allow an eviction" {
				hint = d.Hint
				if d.Namespace != "shop" {
					t.Errorf("%s: it is of the namespace %q", c.rule, d.Namespace)
				}
			}
		}
		if !strings.Contains(hint, loosen) || strings.Contains(hint, "Raise the replicas of Deployment shop/web") != c.replicas {
			t.Errorf("%s of %q: %s", c.rule, c.owner, hint)
		}
	}
}

// TestPlanNamesPodsUnderTwoBudgets: the API evicts no such pod, so it is said before a node is cordoned.
func TestPlanNamesPodsUnderTwoBudgets(t *testing.T) {
	w := built(t, newSite(v135, 1, 2))
	site := newSite(v136, 1, 2)
	w.declare(site)
	pods := []lifecycle.BudgetPod{{Name: "web-1", Node: "worker-2", Ready: true}}
	w.budgets = []lifecycle.Budget{{Namespace: "shop", Name: "a", Allowed: 1, Healthy: 2, Desired: 1, Expected: 2, Pods: pods},
		{Namespace: "shop", Name: "b", Allowed: 1, Healthy: 2, Desired: 1, Expected: 2, Pods: pods}}
	p := makePlan(site, w.observe())
	if says := p.Diagnostics.Error(); p.Diagnostics.Err() == nil || !strings.Contains(says, "shop/web-1 is under several") {
		t.Error(says)
	}
}
