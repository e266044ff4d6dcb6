package check

import (
	"context"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// lookTimeout bounds one look, so that a machine that hangs costs one gate's turn and no more. A look at pods and endpoints may be a long
// list, whose pages have bounds of their own: listTimeout is for all of them. baselineTimeout bounds what the first look of a run does
// beside.
const (
	lookTimeout     = 30 * time.Second
	listTimeout     = 5 * time.Minute
	baselineTimeout = 10 * time.Second
)

// within is how long a look at the kind may take.
func within(kind lifecycle.GateKind) time.Duration {
	if kind.Watches() == lifecycle.WatchedPods || kind == lifecycle.GateLeaders {
		return listTimeout
	}
	return lookTimeout
}

// Machines tells what a machine says of itself, and who is in etcd.
type Machines interface {
	HostFacts(ctx context.Context, host string) (lifecycle.HostState, error)
	EtcdMembers(ctx context.Context) (lifecycle.EtcdState, error)
}

// Workloads tells how nodes and the pods on them are.
type Workloads interface {
	Node(ctx context.Context, name string) (lifecycle.NodeState, error)
	Nodes(ctx context.Context) ([]lifecycle.NodeState, error)
	DaemonPods(ctx context.Context, node string) (notReady []string, err error)
	Budgets(ctx context.Context) ([]lifecycle.Budget, error)
}

// Control tells how the control plane is.
type Control interface {
	Servers(ctx context.Context) []lifecycle.APIServer
	LeaderLeases(ctx context.Context) ([]lifecycle.Lease, error)
	StaleEndpoints(ctx context.Context) ([]string, error)
}

// Checker looks at gates for one run. It remembers what it saw first, for the conditions that are about change. It may be
// used by several goroutines.
type Checker struct {
	site      lifecycle.Site
	machines  Machines
	workloads Workloads
	control   Control
	addons    Units  // nil: not looked at
	system    System // nil: not looked at
	prober    Prober // nil: not asked
	storage   Storage
	proofs    Proofs // nil: not asked
	now       func() time.Time

	mu       sync.Mutex
	baseline *baseline
	seen     map[key]any
	recent   recent
}

// key is one gate of one step: since is when the step began to act, in nanoseconds.
type key struct {
	gate  lifecycle.Gate
	since int64
}

// New makes the checker of one run. now is the clock, time.Now but in tests.
func New(site lifecycle.Site, m Machines, w Workloads, c Control, now func() time.Time) *Checker {
	return &Checker{site: site, machines: m, workloads: w, control: c, now: now, seen: map[key]any{}}
}

// look is how one kind of gate is decided. since is when the step began to act.
type look func(c *Checker, ctx context.Context, g lifecycle.Gate, since time.Time) lifecycle.GateResult

// looks is the one table that a gate's name is looked up in.
func looks() map[lifecycle.GateKind]look {
	return map[lifecycle.GateKind]look{
		lifecycle.GateEtcdQuorum:  (*Checker).etcdQuorum,
		lifecycle.GateAPIServers:  (*Checker).apiServers,
		lifecycle.GateAPIReady:    (*Checker).apiReady,
		lifecycle.GateLeaders:     (*Checker).leaders,
		lifecycle.GateReconnected: (*Checker).reconnected,
		lifecycle.GateEtcdMember:  (*Checker).etcdMember,
		lifecycle.GateEtcdLeft:    (*Checker).etcdLeft,
		lifecycle.GateK0sRuns:     (*Checker).k0sRuns,
		lifecycle.GateNodeReady:   (*Checker).nodeReady,
		lifecycle.GateNodesReady:  (*Checker).nodesReady,
		lifecycle.GateDaemonSets:  (*Checker).daemonSets,
		lifecycle.GateSystem:      (*Checker).systemWell,
		lifecycle.GateProbes:      (*Checker).probes,
		lifecycle.GateBudgets:     (*Checker).budgets,
		lifecycle.GateBudgetRoom:  (*Checker).budgetRoom,
		lifecycle.GateWindow:      (*Checker).window,
		lifecycle.GateEmulates:    (*Checker).emulates,
		lifecycle.GateStored:      (*Checker).storedAlike,
		lifecycle.GateRebooted:    (*Checker).rebooted,
		lifecycle.GateUnits:       (*Checker).units,
		lifecycle.GateProven:      (*Checker).proven,
	}
}

// Check looks once. since is when the step at hand began to act, for conditions that must have come true after it.
//
// The first look of a run also takes the baseline of nodes and budgets, unless Baseline gave it.
func (c *Checker) Check(ctx context.Context, g lifecycle.Gate, since time.Time) lifecycle.GateResult {
	decide, ok := looks()[g.Kind]
	if !ok {
		return failed("this version of kiban does not know the gate %q", g.Kind)
	}
	ctx, cancel := lifecycle.Within(ctx, within(g.Kind), "no answer")
	defer cancel()
	if w := g.Kind.Watches(); w != lifecycle.WatchedClock && w != lifecycle.WatchedOutside && w != lifecycle.WatchedBackups {
		c.firstLook(ctx)
	}
	return decide(c, ctx, g, since)
}
