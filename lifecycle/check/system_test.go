package check

import (
	"context"
	"errors"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// k0s is a cluster's own workloads, and probes that may fail.
type k0s struct {
	workloads []lifecycle.Workload
	lost      map[string]bool
}

func (k *k0s) SystemWorkloads(context.Context) ([]lifecycle.Workload, error) { return k.workloads, nil }

func (k *k0s) Ask(_ context.Context, address string) error {
	if k.lost[address] {
		return errors.New("it answers 503")
	}
	return nil
}

func proxy(lacks ...lifecycle.Lack) lifecycle.Workload {
	return lifecycle.Workload{Kind: "DaemonSet", Namespace: "kube-system", Name: "kube-proxy", Lacks: lacks}
}

func TestDecideSystem(t *testing.T) {
	dns := func(serves bool) lifecycle.Workload {
		return lifecycle.Workload{Kind: "Deployment", Namespace: "kube-system", Name: "coredns",
			Lacks: []lifecycle.Lack{{Why: "1 of 2 pods are Ready", Serves: serves}}}
	}
	noImage := lifecycle.Lack{Node: "w2", Why: "kube-proxy-b is not Ready (ImagePullBackOff)"}
	well := []lifecycle.NodeState{{Name: "w1", Ready: true}, {Name: "w2", Ready: true}}
	ours := []lifecycle.NodeState{{Name: "w1", Ready: true}, {Name: "w2", Unschedulable: true, Mark: lifecycle.Mark{Run: "r"}}}
	down := []lifecycle.NodeState{{Name: "w1", Ready: true}, {Name: "w2"}}
	never := func(string) bool { return false }
	before := func(at string) bool { return at == "DaemonSet kube-system/kube-proxy on w2" }
	for name, c := range map[string]struct {
		workloads []lifecycle.Workload
		nodes     []lifecycle.NodeState
		was       func(string) bool
		want      verdict
	}{
		"all whole": {[]lifecycle.Workload{proxy()}, well, never,
			verdict{lifecycle.GateMet, "1 workload of k0s's well"}},
		"broken elsewhere": {[]lifecycle.Workload{proxy(noImage)}, well, never,
			verdict{lifecycle.GateWaiting, "kube-proxy on w2: kube-proxy-b"}},
		"broken there before": {[]lifecycle.Workload{proxy(noImage)}, well, before,
			verdict{lifecycle.GateMet, "when the run began: DaemonSet"}},
		"broken on another node than before": {[]lifecycle.Workload{proxy(noImage, lifecycle.Lack{Node: "w1"})}, well, before,
			verdict{lifecycle.GateWaiting, "on w1"}},
		"the node is out of service": {[]lifecycle.Workload{proxy(noImage)}, ours, never, verdict{lifecycle.GateMet, ""}},
		"the node is not Ready":      {[]lifecycle.Workload{proxy(noImage)}, down, never, verdict{lifecycle.GateMet, ""}},
		"a deployment is short": {[]lifecycle.Workload{dns(true)}, well, never,
			verdict{lifecycle.GateWaiting, "coredns: 1 of 2"}},
		"it serves while a node is out":         {[]lifecycle.Workload{dns(true)}, ours, never, verdict{lifecycle.GateMet, ""}},
		"it does not serve while a node is out": {[]lifecycle.Workload{dns(false)}, ours, never, verdict{lifecycle.GateWaiting, "coredns"}},
	} {
		t.Run(name, func(t *testing.T) { c.want.check(t, decideSystem(c.workloads, c.nodes, c.was)) })
	}
}

// TestSystemThatRecoversCounts: what was broken when the run began does not count, until it has been whole.
func TestSystemThatRecoversCounts(t *testing.T) {
	broken := []lifecycle.Workload{proxy(lifecycle.Lack{Node: "w1", Why: "it has no pod there"})}
	k := &k0s{workloads: broken}
	w := &world{nodes: []lifecycle.NodeState{{Name: "w1", Ready: true}}}
	c := checker(w, lifecycle.Site{})
	c.WatchSystem(k, k)
	c.Baseline(lifecycle.State{System: broken})
	for i, look := range []struct {
		workloads []lifecycle.Workload
		want      lifecycle.GateState
	}{{broken, lifecycle.GateMet}, {[]lifecycle.Workload{proxy()}, lifecycle.GateMet}, {broken, lifecycle.GateWaiting}} {
		k.workloads = look.workloads
		if got := c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateSystem}, time.Time{}); got.State != look.want {
			t.Errorf("look %d: %s %s, want %s", i, got.State, got.Reason, look.want)
		}
	}
	c = checker(w, lifecycle.Site{}) // without a baseline the first look is one
	c.WatchSystem(k, k)
	verdict{lifecycle.GateMet, "when the run began"}.check(t, c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateSystem}, time.Time{}))
}

// TestSystemIsWatchedForAWhile: right after k0s was told something it may not have begun.
func TestSystemIsWatchedForAWhile(t *testing.T) {
	k := &k0s{workloads: []lifecycle.Workload{proxy()}}
	c := checker(&world{nodes: []lifecycle.NodeState{{Name: "w1", Ready: true}}}, lifecycle.Site{})
	c.WatchSystem(k, k)
	g, began := lifecycle.Gate{Kind: lifecycle.GateSystem, For: time.Minute}, c.now()
	verdict{lifecycle.GateWaiting, "watched for 1m0s"}.check(t, c.Check(t.Context(), g, began))
	verdict{lifecycle.GateMet, "well"}.check(t, c.Check(t.Context(), g, began.Add(-time.Minute)))
	k.workloads = []lifecycle.Workload{proxy(lifecycle.Lack{Node: "w1", Why: "it has no pod there"})}
	verdict{lifecycle.GateWaiting, "no pod there"}.check(t, c.Check(t.Context(), g, began.Add(-time.Minute)))
}

func TestProbesMustAnswer(t *testing.T) {
	k := &k0s{lost: map[string]bool{}}
	c := checker(&world{}, lifecycle.Site{Policy: lifecycle.Policy{Probes: []string{"https://a.example/", "https://b.example/"}}})
	c.WatchSystem(k, k)
	look := func() lifecycle.GateResult {
		return c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateProbes}, time.Time{})
	}
	verdict{lifecycle.GateMet, "2 probes answered"}.check(t, look())
	k.lost["https://b.example/"] = true
	verdict{lifecycle.GateWaiting, "https://b.example/: it answers 503"}.check(t, look())
}
