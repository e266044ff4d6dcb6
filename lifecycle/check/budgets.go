package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func short(b lifecycle.Budget) bool { return b.Healthy < b.Desired }

func budgetName(b lifecycle.Budget) string { return b.Namespace + "/" + b.Name }

func (c *Checker) budgets(ctx context.Context, _ lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	budgets, err := c.workloads.Budgets(ctx)
	if err != nil {
		return unknown("the disruption budgets are not known", err)
	}
	c.recovered(budgets)
	return decideBudgets(budgets, c.wasShort)
}

// decideBudgets: none has fewer healthy pods than it wants, but those that already had when the run began.
func decideBudgets(budgets []lifecycle.Budget, was func(budget string) bool) lifecycle.GateResult {
	var bad, excused []string
	for _, b := range budgets {
		switch {
		case !short(b):
		case was(budgetName(b)):
			excused = append(excused, budgetName(b))
		default:
			bad = append(bad, fmt.Sprintf("%s has %d of %d pods healthy and wants %d (%s)", budgetName(b), b.Healthy, b.Expected, b.Desired, b.Rule))
		}
	}
	switch {
	case len(bad) > 0:
		return waiting("%s", some(bad))
	case len(excused) > 0:
		return met("%s healthy, but for those that were not when the run began: %s", lifecycle.Count(len(budgets)-len(excused), "budget"),
			some(excused))
	}
	return met("%s healthy", lifecycle.Count(len(budgets), "budget"))
}

// roomFor is how long one look at the budgets serves: a rollout asks about one candidate after the other. It need not be
// exact, for the API decides on each eviction anew.
const roomFor = time.Second

// recent is one look at the budgets.
type recent struct {
	at      time.Time
	budgets []lifecycle.Budget
}

func (c *Checker) recentBudgets(ctx context.Context) ([]lifecycle.Budget, error) {
	c.mu.Lock()
	last := c.recent
	c.mu.Unlock()
	if age := c.now().Sub(last.at); !last.at.IsZero() && age < roomFor {
		return last.budgets, nil
	}
	budgets, err := c.workloads.Budgets(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent = recent{at: c.now(), budgets: budgets}
	return budgets, nil
}

func (c *Checker) budgetRoom(ctx context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	budgets, err := c.recentBudgets(ctx)
	if err != nil {
		return unknown("the disruption budgets are not known", err)
	}
	return decideRoom(budgets, g.Target)
}

// decideRoom: every budget that guards a pod on the node allows a disruption now. One that never can, however healthy its pods are, is not
// worth waiting for, nor is a pod under two budgets, which the API evicts never.
func decideRoom(budgets []lifecycle.Budget, node string) lifecycle.GateResult {
	if pod, names := lifecycle.Entangled(budgets, node); pod != "" {
		return failed("%s on %s is under several disruption budgets (%s), and the API evicts no such pod", pod, node, strings.Join(names, ", "))
	}
	var tight []string
	here := 0
	for _, b := range budgets {
		pods := b.GuardedOn(node)
		if len(pods) == 0 {
			continue
		}
		here++
		switch {
		case b.Never():
			return failed("budget %s (%s) wants %d of %d pods healthy and so never lets %s leave %s", budgetName(b), b.Rule, b.Desired, b.Expected,
				pods[0].Name, node)
		case b.Allowed <= 0:
			tight = append(tight, fmt.Sprintf("budget %s lets no pod go now: %d of %d healthy, wants %d", budgetName(b), b.Healthy, b.Expected,
				b.Desired))
		}
	}
	if len(tight) > 0 {
		return waiting("%s", some(tight))
	}
	return met("%s over pods on %s, each has room", lifecycle.Count(here, "budget"), node)
}
