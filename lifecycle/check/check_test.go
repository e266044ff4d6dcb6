package check

import (
	"context"
	"errors"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// world is a site that the checker can ask about; every error it has is given by all of it.
type world struct {
	err     error
	host    lifecycle.HostState
	etcd    lifecycle.EtcdState
	nodes   []lifecycle.NodeState
	budgets []lifecycle.Budget
	servers []lifecycle.APIServer
	plane   plane
	listing time.Duration // how long a look at the endpoints takes, by the clock of the test
	looks   int           // at the endpoints
	now     time.Time
	asked   int // for etcd's members
	listed  int // budgets
}

func (w *world) HostFacts(context.Context, string) (lifecycle.HostState, error) { return w.host, w.err }
func (w *world) EtcdMembers(context.Context) (lifecycle.EtcdState, error) {
	w.asked++
	return w.etcd, w.err
}
func (w *world) Node(context.Context, string) (lifecycle.NodeState, error) {
	if len(w.nodes) == 0 {
		return lifecycle.NodeState{}, w.err
	}
	return w.nodes[0], w.err
}
func (w *world) Nodes(context.Context) ([]lifecycle.NodeState, error) { return w.nodes, w.err }
func (w *world) DaemonPods(context.Context, string) ([]string, error) { return nil, w.err }
func (w *world) Budgets(context.Context) ([]lifecycle.Budget, error) {
	w.listed++
	return w.budgets, w.err
}
func (w *world) Servers(context.Context) []lifecycle.APIServer { return w.servers }
func (w *world) LeaderLeases(context.Context) ([]lifecycle.Lease, error) {
	return w.plane.leases, w.err
}
func (w *world) StaleEndpoints(context.Context) ([]string, error) {
	w.looks++
	w.now = w.now.Add(w.listing)
	return w.plane.stale, w.err
}

// plane is how the controllers behind the API are doing.
type plane struct {
	leases []lifecycle.Lease
	stale  []string
}

func checker(w *world, site lifecycle.Site) *Checker { return New(site, w, w, w, time.Now) }

// TestEveryKind: each kind of gate has a decision, and none of them fails only because nothing can be learnt.
func TestEveryKind(t *testing.T) {
	w := &world{err: errors.New("connection refused"), servers: []lifecycle.APIServer{{Host: "c1", Why: "connection refused"}}}
	c := checker(w, lifecycle.Site{Cluster: controllers("c1", "c2")})
	for _, kind := range lifecycle.GateKinds() {
		got := c.Check(t.Context(), lifecycle.Gate{Kind: kind, Target: "c1"}, time.Now())
		switch kind {
		case lifecycle.GateAPIServers: // c1 is the target, and nobody else is known
			verdict{lifecycle.GateSkipped, "only API server"}.check(t, got)
			continue
		case lifecycle.GateWindow, lifecycle.GateUnits, lifecycle.GateSystem, lifecycle.GateProbes,
			lifecycle.GateProven: // there are none, and nobody watches
			verdict{lifecycle.GateSkipped, ""}.check(t, got)
			continue
		}
		if got.State != lifecycle.GateWaiting || got.Reason == "" {
			t.Errorf("%s: got %s %q, want waiting with a reason", kind, got.State, got.Reason)
		}
	}
	if got, want := len(looks()), len(lifecycle.GateKinds()); got != want {
		t.Errorf("%d kinds are decided, and there are %d", got, want)
	}
	verdict{lifecycle.GateFailed, `"moon"`}.check(t, c.Check(t.Context(), lifecycle.Gate{Kind: "moon"}, time.Now()))
}

// TestBaseline: what was wrong before the run does not hold it up, until it has been right in between.
func TestBaseline(t *testing.T) {
	low := lifecycle.Budget{Namespace: "shop", Name: "web", Healthy: 1, Desired: 2, Expected: 3}
	well := low
	well.Healthy = 3
	gate := lifecycle.Gate{Kind: lifecycle.GateBudgets}
	look := func(c *Checker, w *world, b lifecycle.Budget) lifecycle.GateState {
		w.budgets = []lifecycle.Budget{b}
		return c.Check(t.Context(), gate, time.Now()).State
	}
	w := &world{budgets: []lifecycle.Budget{low}}
	c := checker(w, lifecycle.Site{})
	c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateEtcdQuorum}, time.Now()) // any first look takes the baseline
	for i, step := range []struct {
		budget lifecycle.Budget
		want   lifecycle.GateState
	}{{low, lifecycle.GateMet}, {well, lifecycle.GateMet}, {low, lifecycle.GateWaiting}} {
		if got := look(c, w, step.budget); got != step.want {
			t.Errorf("look %d: got %s, want %s", i, got, step.want)
		}
	}

	w = &world{}
	c = checker(w, lifecycle.Site{})
	c.Baseline(lifecycle.State{Budgets: []lifecycle.Budget{low}, Nodes: []lifecycle.NodeState{{Name: "w2"}}})
	if got := look(c, w, low); got != lifecycle.GateMet {
		t.Errorf("with a given baseline: got %s, want met", got)
	}
	w.nodes = []lifecycle.NodeState{{Name: "w2", Unschedulable: true}}
	verdict{lifecycle.GateMet, "left out: w2"}.check(t, c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateNodesReady}, time.Now()))

	w = &world{err: errors.New("no API yet")}
	c = checker(w, lifecycle.Site{})
	c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateEtcdQuorum}, time.Now())
	w.err = nil
	if got := look(c, w, low); got != lifecycle.GateWaiting {
		t.Errorf("without an API at the first look nothing is excused: got %s, want waiting", got)
	}
}

// TestMemoryIsOfOneStep: what a step saw first is not what the next one compares with.
func TestMemoryIsOfOneStep(t *testing.T) {
	lease := func(s int) plane {
		at := time.Date(2026, 1, 2, 12, 0, s, 0, time.UTC)
		return plane{leases: []lifecycle.Lease{{Name: "kube-controller-manager", Holder: "c1", Renewed: at},
			{Name: "kube-scheduler", Holder: "c1", Renewed: at}}}
	}
	w := &world{plane: lease(1)}
	c := checker(w, lifecycle.Site{})
	gate := lifecycle.Gate{Kind: lifecycle.GateLeaders}
	first, second := time.Now(), time.Now().Add(time.Minute)
	verdict{lifecycle.GateWaiting, ""}.check(t, c.Check(t.Context(), gate, first))
	w.plane = lease(3)
	verdict{lifecycle.GateMet, ""}.check(t, c.Check(t.Context(), gate, first))
	verdict{lifecycle.GateWaiting, "has not renewed"}.check(t, c.Check(t.Context(), gate, second))
}

// TestMembersAreAskedOnlyWhenNeeded: a machine's time is not spent while every API server is ready.
func TestMembersAreAskedOnlyWhenNeeded(t *testing.T) {
	cluster := controllers("c1", "c2", "c3")
	w := &world{servers: servers("", "c1", "c2", "c3"), etcd: members(cluster, "c1", "c2")}
	c := checker(w, lifecycle.Site{Cluster: cluster})
	gate := lifecycle.Gate{Kind: lifecycle.GateAPIServers, Target: "c2"}
	verdict{lifecycle.GateMet, ""}.check(t, c.Check(t.Context(), gate, time.Now()))
	if w.asked != 0 {
		t.Errorf("etcd's members were asked for %d times", w.asked)
	}
	w.servers = servers("c3", "c1", "c2", "c3")
	verdict{lifecycle.GateMet, "not joined yet: c3"}.check(t, c.Check(t.Context(), gate, time.Now()))
	w.etcd = members(cluster, "c1", "c2", "c3")
	verdict{lifecycle.GateWaiting, "c3"}.check(t, c.Check(t.Context(), gate, time.Now()))
}

// TestManyCandidates: choosing among many candidates looks at the budgets once; a second later they are looked at anew.
func TestManyCandidates(t *testing.T) {
	w := &world{}
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	c := New(lifecycle.Site{}, w, w, w, func() time.Time { return now })
	c.Baseline(lifecycle.State{})
	for _, at := range []struct{ seconds, listed int }{{0, 1}, {1, 2}} {
		now = now.Add(time.Duration(at.seconds) * time.Second)
		for range 100 {
			verdict{lifecycle.GateMet, ""}.check(t, c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateBudgetRoom, Target: "w1"}, now))
		}
		if w.listed != at.listed {
			t.Errorf("the budgets were listed %d times, want %d", w.listed, at.listed)
		}
	}
}

// TestEndpointsAreListedSparingly: leases cost two small requests and are looked at first; a list of pods, Services and endpoints that
// takes long is not asked for at every look.
func TestEndpointsAreListedSparingly(t *testing.T) {
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	leases := func(s int) []lifecycle.Lease {
		return []lifecycle.Lease{{Name: "kube-controller-manager", Holder: "c1", Renewed: at.Add(time.Duration(s) * time.Second)},
			{Name: "kube-scheduler", Holder: "c1", Renewed: at.Add(time.Duration(s) * time.Second)}}
	}
	w := &world{plane: plane{leases: leases(1), stale: []string{"shop/a: gone"}}, now: at, listing: 10 * time.Second}
	c := New(lifecycle.Site{}, w, w, w, func() time.Time { return w.now })
	c.Baseline(lifecycle.State{})
	look := func() lifecycle.GateResult {
		w.now = w.now.Add(500 * time.Millisecond)
		return c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateLeaders}, at)
	}
	for range 10 {
		verdict{lifecycle.GateWaiting, "has not renewed"}.check(t, look())
	}
	if w.looks != 0 {
		t.Errorf("endpoints were listed %d times before the leases were renewed", w.looks)
	}
	w.plane.leases = leases(3)
	for range 90 { // 45 s, and what the lists take
		verdict{lifecycle.GateWaiting, "endpoints do not follow yet: shop/a"}.check(t, look())
	}
	if w.looks != 2 {
		t.Errorf("endpoints were listed %d times in 45 s at 10 s a list, want 2", w.looks)
	}
	w.plane.stale = nil
	for range 90 {
		if look().State == lifecycle.GateMet {
			return
		}
	}
	t.Error("endpoints follow, and the gate is not met")
}
