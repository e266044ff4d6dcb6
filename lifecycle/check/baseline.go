package check

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// baseline is what was wrong before the run did anything: it is not the run's to wait for.
type baseline struct {
	notReady map[string]bool // nodes
	short    map[string]bool // budgets with fewer healthy pods than they want, "namespace/name"
	unwell   map[string]bool // addons that were there and not healthy
	lacking  map[string]bool // what k0s's own workloads lacked, "DaemonSet kube-system/kube-proxy on worker-2"
}

// Baseline tells the checker how the site was when the run began: budgets that were unhealthy then do not hold the run up,
// nor do nodes that were not Ready and an administrator has cordoned, nor addons that were not healthy.
func (c *Checker) Baseline(s lifecycle.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.baseline = newBaseline(s.Nodes, s.Budgets)
	c.baseline.lack(s.System)
	for _, u := range s.Units {
		if u.Installed && u.Health.Status != "" && !u.Health.IsWell() {
			c.baseline.unwell[u.Name] = true
		}
	}
}

// firstLook takes the baseline from the API when nobody gave one. An API that does not answer leaves it empty: nothing is
// excused then.
func (c *Checker) firstLook(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.baseline != nil {
		return
	}
	ctx, cancel := lifecycle.Within(ctx, baselineTimeout, "no answer")
	defer cancel()
	nodes, err := c.workloads.Nodes(ctx)
	if err != nil {
		nodes = nil
	}
	budgets, err := c.workloads.Budgets(ctx)
	if err != nil {
		budgets = nil
	}
	c.baseline = newBaseline(nodes, budgets)
	if c.system == nil {
		return
	}
	if workloads, err := c.system.SystemWorkloads(ctx); err == nil {
		c.baseline.lack(workloads)
	}
}

// lack notes what k0s's own workloads lacked.
func (b *baseline) lack(workloads []lifecycle.Workload) {
	for _, w := range workloads {
		for _, l := range w.Lacks {
			b.lacking[w.At(l)] = true
		}
	}
}

func newBaseline(nodes []lifecycle.NodeState, budgets []lifecycle.Budget) *baseline {
	b := &baseline{notReady: map[string]bool{}, short: map[string]bool{}, unwell: map[string]bool{}, lacking: map[string]bool{}}
	for _, n := range nodes {
		if !n.Ready {
			b.notReady[n.Name] = true
		}
	}
	for _, x := range budgets {
		if short(x) {
			b.short[budgetName(x)] = true
		}
	}
	return b
}

// wasNotReady and wasShort are the baseline's answers.
func (c *Checker) wasNotReady(node string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.baseline != nil && c.baseline.notReady[node]
}

func (c *Checker) wasShort(budget string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.baseline != nil && c.baseline.short[budget]
}

// recovered takes budgets off the baseline that have been healthy since: from then on they count.
func (c *Checker) recovered(budgets []lifecycle.Budget) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.baseline == nil {
		return
	}
	for _, b := range budgets {
		if !short(b) {
			delete(c.baseline.short, budgetName(b))
		}
	}
}

// memory is what a gate remembers between its looks: the value that next makes of the one before, nil at the first look.
func memory[T any](c *Checker, k key, next func(before *T) T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	var before *T
	if v, ok := c.seen[k].(T); ok {
		before = &v
	}
	now := next(before)
	c.seen[k] = now
	return now
}
