package check

import (
	"context"
	"slices"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// System tells how the workloads are that k0s brings.
type System interface {
	SystemWorkloads(ctx context.Context) ([]lifecycle.Workload, error)
}

// Prober asks an address that the site has declared, once. Nil: it answers.
type Prober interface {
	Ask(ctx context.Context, address string) error
}

// WatchSystem has the checker look at k0s's own workloads too, and ask the site's probes. Without them their gates are skipped.
func (c *Checker) WatchSystem(s System, p Prober) { c.system, c.prober = s, p }

// systemWell also looks for as long as the gate says: what k0s takes up by itself, it takes up a moment later.
func (c *Checker) systemWell(ctx context.Context, g lifecycle.Gate, since time.Time) lifecycle.GateResult {
	if c.system == nil {
		return skipped("nobody tells how k0s's own workloads are")
	}
	workloads, err := c.system.SystemWorkloads(ctx)
	if err != nil {
		return unknown("k0s's own workloads are not known", err)
	}
	nodes, err := c.workloads.Nodes(ctx)
	if err != nil {
		return unknown("the nodes are not known", err)
	}
	c.wholeAgain(workloads)
	res := decideSystem(workloads, nodes, c.wasLacking)
	if res.State == lifecycle.GateMet && c.now().Sub(since) < g.For {
		return waiting("%s; they are watched for %s", res.Reason, g.For)
	}
	return res
}

// decideSystem: every daemon set and deployment of k0s's is whole on the nodes that are in service, but where it was not when the run
// began. Nodes that are not Ready are another gate's; while kiban has nodes out of service it is enough that a deployment serves.
func decideSystem(workloads []lifecycle.Workload, nodes []lifecycle.NodeState, was func(at string) bool) lifecycle.GateResult {
	out := map[string]bool{}
	away := false
	for _, n := range nodes {
		ours := n.Unschedulable && !n.Mark.IsZero()
		out[n.Name], away = ours || !n.Ready, away || ours
	}
	var bad, excused []string
	for _, w := range workloads {
		for _, l := range w.Lacks {
			switch {
			case l.Node != "" && out[l.Node], l.Serves && away:
			case was(w.At(l)):
				excused = append(excused, w.At(l))
			default:
				bad = append(bad, w.At(l)+": "+l.Why)
			}
		}
	}
	switch {
	case len(bad) > 0:
		return waiting("%s", some(bad))
	case len(excused) > 0:
		return met("%s well, but for what was not when the run began: %s", lifecycle.Count(len(workloads), "workload"), some(excused))
	}
	return met("%s of k0s's well", lifecycle.Count(len(workloads), "workload"))
}

// wholeAgain takes off the baseline what has been whole since: from then on it counts.
func (c *Checker) wholeAgain(workloads []lifecycle.Workload) {
	now := map[string]bool{}
	for _, w := range workloads {
		for _, l := range w.Lacks {
			now[w.At(l)] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.baseline == nil {
		return
	}
	for at := range c.baseline.lacking {
		if !now[at] {
			delete(c.baseline.lacking, at)
		}
	}
}

func (c *Checker) wasLacking(at string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.baseline != nil && c.baseline.lacking[at]
}

func (c *Checker) probes(ctx context.Context, _ lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	addresses := c.site.Policy.Probes
	if len(addresses) == 0 || c.prober == nil {
		return skipped("the site declares no probes")
	}
	lost := make([]string, len(addresses))
	var wg sync.WaitGroup
	for i, a := range addresses {
		wg.Go(func() {
			if err := c.prober.Ask(ctx, a); err != nil {
				lost[i] = a + ": " + lifecycle.InWords(err)
			}
		})
	}
	wg.Wait()
	if lost = slices.DeleteFunc(lost, func(s string) bool { return s == "" }); len(lost) > 0 {
		return waiting("%s", some(lost))
	}
	return met("%s", lifecycle.Count(len(addresses), "probe")+" answered")
}
