package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// world is machines, nodes and gates that keep a log and obey the test. Times are those of a synctest bubble: free.
type world struct {
	mu     sync.Mutex
	log    []string
	events []lifecycle.Event
	takes  map[string]time.Duration // by step target, for drains; by action otherwise
	errs   map[string]error         // by "target/action"
	gates  map[lifecycle.GateKind]func(g lifecycle.Gate) lifecycle.GateResult
	out    map[string]bool // nodes out of service now
	maxOut int
	onLog  func(string)
}

func newWorld() *world {
	return &world{takes: map[string]time.Duration{}, errs: map[string]error{},
		gates: map[lifecycle.GateKind]func(lifecycle.Gate) lifecycle.GateResult{}, out: map[string]bool{}}
}

func (w *world) do(ctx context.Context, target string, a lifecycle.Action) error {
	key := target + "/" + string(a)
	w.mu.Lock()
	w.log = append(w.log, key)
	on := w.onLog
	w.mu.Unlock()
	if on != nil {
		on(key)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(w.takes[key]):
	}
	return w.errs[key]
}

func (w *world) Do(ctx context.Context, s lifecycle.Step, _ func(string)) error {
	return w.do(ctx, s.Target, s.Action)
}

func (w *world) Cordon(ctx context.Context, n string, m lifecycle.Mark) error {
	if m.Run == "" {
		return errors.New("a cordon without kiban's mark")
	}
	w.mu.Lock()
	w.out[n] = true
	w.maxOut = max(w.maxOut, len(w.out))
	w.mu.Unlock()
	return w.do(ctx, n, lifecycle.ActionCordon)
}

func (w *world) Drain(ctx context.Context, n string, _ lifecycle.Drain, _ func(string)) error {
	return w.do(ctx, n, lifecycle.ActionDrain)
}

func (w *world) Uncordon(ctx context.Context, n string) error {
	defer func() { w.mu.Lock(); delete(w.out, n); w.mu.Unlock() }()
	return w.do(ctx, n, lifecycle.ActionUncordon)
}

func (w *world) Label(ctx context.Context, n string, _ lifecycle.NodeChange) error {
	return w.do(ctx, n, lifecycle.ActionLabel)
}

func (w *world) WriteClusterConfig(ctx context.Context, _ []byte) error {
	return w.do(ctx, "", lifecycle.ActionClusterConfig)
}

func (w *world) NotePin(ctx context.Context, step lifecycle.Step) error {
	return w.do(ctx, step.Target, step.Action)
}

func (w *world) DeleteNode(ctx context.Context, n string) error {
	return w.do(ctx, n, lifecycle.ActionDeleteNode)
}

func (w *world) Check(_ context.Context, g lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	if f := w.gates[g.Kind]; f != nil {
		return f(g)
	}
	return lifecycle.GateResult{State: lifecycle.GateMet}
}

func (w *world) deps() Deps {
	return Deps{Machines: w, Nodes: w, Gates: w, RunID: "run-1", Poll: 100 * time.Millisecond, Sink: func(e lifecycle.Event) error {
		w.events = append(w.events, e)
		return nil
	}}
}

func (w *world) count(kind lifecycle.EventKind) int {
	n := 0
	for _, e := range w.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// rollout is a plan that upgrades workers w1..wn in one stage.
func rollout(n int, stage lifecycle.Stage) lifecycle.Plan {
	stage.ID = "workers"
	p := lifecycle.Plan{Stages: []lifecycle.Stage{stage}}
	for i := range n {
		t := fmt.Sprintf("w%d", i+1)
		for _, a := range []lifecycle.Action{lifecycle.ActionCordon, lifecycle.ActionDrain, lifecycle.ActionUpgrade, lifecycle.ActionUncordon} {
			p.Steps = append(p.Steps, lifecycle.Step{ID: t + "/" + string(a), Stage: "workers", Action: a, Target: t, Reason: "because"})
		}
	}
	return p
}

func TestWindowSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for i := range 8 {
			w.takes[fmt.Sprintf("w%d/drain", i+1)] = time.Minute
		}
		w.takes["w1/drain"] = 3 * time.Minute // batches of two would take 3+1+1+1 minutes
		start := time.Now()
		if err := Run(t.Context(), lifecycle.Site{}, rollout(8, lifecycle.Stage{Width: 2}), w.deps()); err != nil {
			t.Fatal(err)
		}
		if w.maxOut != 2 {
			t.Errorf("%d nodes were out at once, want 2", w.maxOut)
		}
		if took := time.Since(start); took >= 6*time.Minute {
			t.Errorf("took %s: the window did not slide (sum of node times / window is 5 min)", took)
		}
	})
}

func TestCanariesGoAloneFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for i := range 6 {
			w.takes[fmt.Sprintf("w%d/drain", i+1)] = time.Minute
		}
		start := time.Now()
		w.onLog = func(key string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if time.Since(start) < 2*time.Minute && len(w.out) > 1 {
				t.Errorf("%s while the canaries were not both done: out are %v", key, w.out)
			}
		}
		if err := Run(t.Context(), lifecycle.Site{}, rollout(6, lifecycle.Stage{Width: 4, Canary: 2}), w.deps()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 3*time.Minute {
			t.Errorf("took %s, want a minute for each canary and one for the four others together", took)
		}
		if w.maxOut != 4 {
			t.Errorf("%d nodes were out at once, want 4", w.maxOut)
		}
	})
}

func TestOneFailureDomainAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		domain := map[string]string{}
		st := lifecycle.Stage{Width: 4, Domains: []lifecycle.Domain{{Name: "rack-a"}, {Name: "rack-b"}}}
		for i := range 6 {
			n := fmt.Sprintf("w%d", i+1)
			w.takes[n+"/drain"] = time.Duration(i+1) * time.Minute
			d := &st.Domains[i%2]
			d.Targets = append(d.Targets, n)
			domain[n] = d.Name
		}
		w.onLog = func(string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			seen := map[string]bool{}
			for n := range w.out {
				seen[domain[n]] = true
			}
			if len(seen) > 1 {
				t.Errorf("nodes of two domains out at once: %v", w.out)
			}
		}
		if err := Run(t.Context(), lifecycle.Site{}, rollout(6, st), w.deps()); err != nil {
			t.Fatal(err)
		}
		if w.maxOut != 3 {
			t.Errorf("%d nodes were out at once, want a whole rack, 3", w.maxOut)
		}
	})
}

func TestBudgetsChooseWhoGoesNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.gates[lifecycle.GateBudgetRoom] = func(g lifecycle.Gate) lifecycle.GateResult {
			if g.Target == "w1" {
				return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "budget shop/web allows none"}
			}
			return lifecycle.GateResult{State: lifecycle.GateMet}
		}
		if err := Run(t.Context(), lifecycle.Site{}, rollout(3, lifecycle.Stage{Width: 1, Budgeted: true}), w.deps()); err != nil {
			t.Fatal(err)
		}
		if w.log[0] != "w2/cordon" || w.log[len(w.log)-1] != "w1/uncordon" {
			t.Errorf("order %v: want w1, which its budget holds, last", w.log)
		}
	})
}

// Nodes that an interrupted run left out of service take up their places in the window, whichever of them a budget holds.
func TestNodesThatAreOutTakeUpTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.out["w1"], w.out["w2"] = true, true
		w.takes["w3/drain"], w.takes["w4/drain"] = time.Minute, time.Minute // long enough for two to be out side by side
		w.gates[lifecycle.GateBudgetRoom] = func(g lifecycle.Gate) lifecycle.GateResult {
			w.mu.Lock()
			defer w.mu.Unlock()
			if g.Target == "w1" && w.out["w2"] {
				return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "budget shop/web allows none"}
			}
			return lifecycle.GateResult{State: lifecycle.GateMet}
		}
		p := rollout(4, lifecycle.Stage{Width: 2, Budgeted: true})
		p.Steps = slices.DeleteFunc(p.Steps, func(s lifecycle.Step) bool {
			return s.Action == lifecycle.ActionCordon && (s.Target == "w1" || s.Target == "w2")
		})
		if err := Run(t.Context(), lifecycle.Site{}, p, w.deps()); err != nil {
			t.Fatal(err)
		}
		if w.maxOut != 2 || w.log[0] != "w2/drain" || len(w.out) != 0 {
			t.Errorf("%d nodes were out at once, want 2, and w2 first: %v; still out: %v", w.maxOut, w.log, w.out)
		}
	})
}

func TestFailureStopsTheRollout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.takes["w1/drain"], w.takes["w2/drain"] = time.Minute, 2*time.Minute
		w.errs["w1/upgrade"] = errors.New("exec format error")
		err := Run(t.Context(), lifecycle.Site{}, rollout(4, lifecycle.Stage{Width: 2}), w.deps())
		if err == nil || !strings.Contains(err.Error(), "exec format error") {
			t.Fatalf("error %v, want the cause in it", err)
		}
		if slices.ContainsFunc(w.log, func(s string) bool { return strings.HasPrefix(s, "w3") || strings.HasPrefix(s, "w4") }) {
			t.Errorf("another node was started after the failure: %v", w.log)
		}
		if !slices.Contains(w.log, "w2/uncordon") {
			t.Errorf("the node under way did not finish: %v", w.log)
		}
		if slices.Contains(w.log, "w1/uncordon") {
			t.Error("the broken node was returned to service")
		}
		if got, want := w.count(lifecycle.EventSkipped), 9; got != want {
			t.Errorf("%d steps told as skipped, want %d", got, want)
		}
	})
}

func TestHazard_H3_FailedDrainStopsBeforeTheUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.errs["w1/drain"] = lifecycle.Diagnostic{Severity: lifecycle.SeverityBlocked, Summary: "drain timed out",
			Detail: "shop/web-1 is held by budget shop/web"}
		err := Run(t.Context(), lifecycle.Site{}, rollout(2, lifecycle.Stage{Width: 1}), w.deps())
		if want := []string{"w1/cordon", "w1/drain", "w1/uncordon"}; !slices.Equal(w.log, want) {
			t.Errorf("did %v, want %v", w.log, want)
		}
		if ds := lifecycle.AsDiagnostics(err, ""); len(ds) != 1 || ds[0].Severity != lifecycle.SeverityBlocked || ds[0].Subject != "w1" {
			t.Errorf("findings %+v, want the one blocked drain of w1", ds)
		}
	})
}

func TestClosedGateBeforeAStepTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.gates[lifecycle.GateNodesReady] = func(lifecycle.Gate) lifecycle.GateResult {
			return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "node w2 is NotReady"}
		}
		p := rollout(1, lifecycle.Stage{Width: 1})
		p.Steps[0].Before = []lifecycle.Gate{{Kind: lifecycle.GateNodesReady, Timeout: time.Minute}}
		start := time.Now()
		err := Run(t.Context(), lifecycle.Site{}, p, w.deps())
		if time.Since(start) < time.Minute || len(w.log) != 0 {
			t.Errorf("after %s did %v, want nothing after a minute", time.Since(start), w.log)
		}
		ds := lifecycle.AsDiagnostics(err, "")
		if len(ds) != 1 || ds[0].Severity != lifecycle.SeverityBlocked || !strings.Contains(ds[0].Detail, "w2 is NotReady") {
			t.Errorf("findings %+v", ds)
		}
		if w.count(lifecycle.EventWaiting) != 1 {
			t.Errorf("told %d times that it waits, want once", w.count(lifecycle.EventWaiting))
		}
	})
}

// A reason that only counts on is told once; another reason is told at once.
func TestWaitingIsToldWhenItMeansSomethingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		looks := 0
		w.gates[lifecycle.GateUnits] = func(lifecycle.Gate) lifecycle.GateResult {
			looks++
			reason := fmt.Sprintf("addon/web: Deployment web: container web: CrashLoopBackOff: back-off %ds restarting failed container", 10*looks)
			if looks > 30 {
				reason = "addon/web: Deployment web: 2 of 3 pods are ready"
			}
			return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: reason}
		}
		p := rollout(1, lifecycle.Stage{Width: 1})
		p.Steps[0].Before = []lifecycle.Gate{{Kind: lifecycle.GateUnits, Timeout: time.Minute}}
		_ = Run(t.Context(), lifecycle.Site{}, p, w.deps()) // that it ends blocked is another test's
		var told []string
		for _, e := range w.events {
			if e.Kind == lifecycle.EventWaiting {
				told = append(told, e.Detail)
			}
		}
		if looks < 100 || len(told) != 2 || !strings.Contains(told[0], "back-off 10s") || !strings.Contains(told[1], "2 of 3") {
			t.Errorf("after %d looks told %q, want the first look's reason and the other one", looks, told)
		}
	})
}

func TestStopFinishesTheStepInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		stop := make(chan struct{})
		w.takes["w1/upgrade"] = time.Minute
		w.onLog = func(key string) {
			if key == "w1/upgrade" {
				close(stop)
			}
		}
		d := w.deps()
		d.Stop = stop
		err := Run(t.Context(), lifecycle.Site{}, rollout(2, lifecycle.Stage{Width: 1}), d)
		if !errors.Is(err, ErrInterrupted) {
			t.Errorf("error %v, want interrupted", err)
		}
		if want := []string{"w1/cordon", "w1/drain", "w1/upgrade"}; !slices.Equal(w.log, want) {
			t.Errorf("did %v, want %v: k0s was touched, so the node stays out for the next run", w.log, want)
		}
	})
}

func TestStopWhileDrainingGivesTheNodeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		ctx, cancel := context.WithCancel(t.Context())
		w.takes["w1/drain"] = time.Hour
		w.onLog = func(key string) {
			if key == "w1/drain" {
				cancel()
			}
		}
		err := Run(ctx, lifecycle.Site{}, rollout(2, lifecycle.Stage{Width: 1}), w.deps())
		if !errors.Is(err, ErrInterrupted) {
			t.Errorf("error %v, want interrupted", err)
		}
		if want := []string{"w1/cordon", "w1/drain", "w1/uncordon"}; !slices.Equal(w.log, want) {
			t.Errorf("did %v, want %v", w.log, want)
		}
	})
}

// Told to stop now, the run has one thing to say: that it was interrupted, and where. What the steps in hand made of it is no failure of
// theirs.
func TestStoppedNowIsOneFinding(t *testing.T) {
	broken := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the disk is full", Subject: "w1"}
	for _, tt := range []struct {
		name    string
		at      string // the step at which the second interrupt comes
		gate    lifecycle.GateKind
		err     func(cause error) error
		details []string
		others  int
	}{
		{"in an action", "w1/upgrade", "", nil, []string{"2 of 8 steps done", "w1/upgrade was ended in the middle"}, 0},
		{"in an action that says it its own way", "w1/upgrade", "", func(cause error) error {
			return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "upgrade failed", Subject: "w1", Cause: cause}
		}, []string{"2 of 8 steps done", "w1/upgrade was ended in the middle"}, 0},
		{"in a gate after it", "w1/upgrade", lifecycle.GateNodeReady, nil, []string{"2 of 8 steps done", "w1/upgrade was ended in the middle"},
			0},
		{"in a gate before it", "w1/drain", lifecycle.GateBudgets, nil, []string{"w1/upgrade was not begun"}, 0},
		{"when something broke besides", "w1/upgrade", "", func(error) error { return broken }, []string{"2 of 8 steps done"}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			pressed := errors.New("pressed twice")
			ctx, cancel := context.WithCancelCause(t.Context())
			p := rollout(2, lifecycle.Stage{Width: 1})
			p.Steps[2].Before = []lifecycle.Gate{{Kind: lifecycle.GateBudgets, Timeout: time.Hour}}
			p.Steps[2].After = []lifecycle.Gate{{Kind: lifecycle.GateNodeReady, Target: "w1", Timeout: time.Hour}}
			if tt.gate != "" {
				w.gates[tt.gate] = func(lifecycle.Gate) lifecycle.GateResult {
					time.AfterFunc(time.Second, func() { cancel(pressed) })
					return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "not yet"}
				}
			} else {
				w.takes[tt.at] = time.Hour
				w.onLog = func(key string) {
					if key == tt.at {
						cancel(pressed)
					}
				}
			}
			d := w.deps()
			if tt.err != nil {
				d.Machines = retold{w, tt.err}
			}
			ds := lifecycle.AsDiagnostics(Run(ctx, lifecycle.Site{Name: "lab"}, p, d), "")
			if len(ds) != 1+tt.others || !errors.Is(ds, ErrInterrupted) {
				t.Fatalf("%s: findings %v, want the interruption and %d others", tt.name, ds, tt.others)
			}
			last := ds[len(ds)-1]
			for _, want := range tt.details {
				if last.Summary != "the run was interrupted" || !strings.Contains(last.Detail, want) {
					t.Errorf("%s: says %q (%q), want %q", tt.name, last.Summary, last.Detail, want)
				}
			}
		})
	}
}

// retold is machines that give their errors another form.
type retold struct {
	*world
	tell func(cause error) error
}

func (r retold) Do(ctx context.Context, s lifecycle.Step, progress func(string)) error {
	if err := r.world.Do(ctx, s, progress); err != nil {
		return r.tell(err)
	}
	return nil
}

func TestWhatCannotBeRecordedIsNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		full := errors.New("no space left on device")
		d := w.deps()
		d.Sink = func(e lifecycle.Event) error {
			if e.Step == "w1/upgrade" && e.Kind == lifecycle.EventStarted {
				return full
			}
			return nil
		}
		err := Run(t.Context(), lifecycle.Site{}, rollout(2, lifecycle.Stage{Width: 1}), d)
		if !errors.Is(err, full) {
			t.Errorf("error %v, want the sink's", err)
		}
		if slices.Contains(w.log, "w1/upgrade") || slices.Contains(w.log, "w2/cordon") {
			t.Errorf("did %v after recording failed", w.log)
		}
	})
}

func TestEverythingIsAnnouncedBeforeAnythingIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := rollout(2, lifecycle.Stage{Width: 2})
		if err := Run(t.Context(), lifecycle.Site{}, p, w.deps()); err != nil {
			t.Fatal(err)
		}
		for i, s := range p.Steps {
			if e := w.events[i]; e.Kind != lifecycle.EventPlanned || e.Step != s.ID {
				t.Fatalf("event %d is %s %s, want planned %s", i, e.Kind, e.Step, s.ID)
			}
		}
		if w.count(lifecycle.EventFinished) != len(p.Steps) {
			t.Errorf("%d steps finished, want %d", w.count(lifecycle.EventFinished), len(p.Steps))
		}
	})
}

func TestBlockedPlanIsRefused(t *testing.T) {
	w := newWorld()
	p := rollout(1, lifecycle.Stage{Width: 1})
	p.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "budget shop/web can never be met"}}
	if err := Run(t.Context(), lifecycle.Site{}, p, w.deps()); err == nil || len(w.log)+len(w.events) != 0 {
		t.Errorf("error %v, did %v, told %v", err, w.log, w.events)
	}
}

func TestNeedsOfAnotherTargetAreAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.takes["a/initialize"] = time.Minute
		p := lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s"}}, Steps: []lifecycle.Step{
			{ID: "a/initialize", Stage: "s", Target: "a", Action: lifecycle.ActionInitialize},
			{ID: "b/prepare", Stage: "s", Target: "b", Action: lifecycle.ActionPrepare},
			{ID: "b/join-worker", Stage: "s", Target: "b", Action: lifecycle.ActionJoinWorker, Needs: []string{"a/initialize"}},
		}}
		var at time.Duration
		start := time.Now()
		w.onLog = func(key string) {
			if key == "b/join-worker" {
				at = time.Since(start)
			}
		}
		if err := Run(t.Context(), lifecycle.Site{}, p, w.deps()); err != nil {
			t.Fatal(err)
		}
		if at != time.Minute {
			t.Errorf("b joined after %s, want when a was initialised, after a minute", at)
		}
	})
}

// Each action reaches who the table of actions says, and nobody else; one that is not known reaches nobody.
func TestEveryActionReachesItsDoer(t *testing.T) {
	for _, a := range append(lifecycle.Actions(), "fly") {
		synctest.Test(t, func(t *testing.T) {
			machines, nodes, units := newWorld(), newWorld(), newWorld()
			deps := machines.deps()
			deps.Nodes, deps.Config, deps.Pins, deps.Units = nodes, nodes, nodes, units
			plan := lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s"}},
				Steps: []lifecycle.Step{{ID: "w1/" + string(a), Stage: "s", Action: a, Target: "w1"}}}
			err := Run(t.Context(), lifecycle.Site{}, plan, deps)
			got := map[lifecycle.Doer]int{lifecycle.DoerMachines: len(machines.log), lifecycle.DoerNodes: len(nodes.log),
				lifecycle.DoerUnits: len(units.log)}
			want := map[lifecycle.Doer]int{lifecycle.DoerMachines: 0, lifecycle.DoerNodes: 0, lifecycle.DoerUnits: 0}
			if a != "fly" {
				want[a.Doer()] = 1
			}
			if !maps.Equal(got, want) || (err != nil) != (a == "fly") {
				t.Errorf("%s: reached %v, want %v (%v)", a, got, want, err)
			}
		})
	}
}

// TestEventsSayHowLongAtMost: who watches a run can tell for how long something goes on, of how long at most.
func TestEventsSayHowLongAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, asked := newWorld(), 0
		w.gates[lifecycle.GateNodeReady] = func(lifecycle.Gate) lifecycle.GateResult {
			asked++
			switch {
			case asked <= 10:
				return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "it is NotReady"}
			case asked <= 20:
				return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "its network is not up"}
			}
			return lifecycle.GateResult{State: lifecycle.GateMet}
		}
		step := lifecycle.Step{ID: "w1/drain", Stage: "s", Action: lifecycle.ActionDrain, Target: "w1", Timeout: 10 * time.Minute,
			After: []lifecycle.Gate{{Kind: lifecycle.GateNodeReady, Target: "w1", Timeout: 5 * time.Minute}}}
		w.takes["w1/drain"] = time.Minute
		if err := Run(t.Context(), lifecycle.Site{}, lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s"}}, Steps: []lifecycle.Step{step}},
			w.deps()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range w.events {
			if e.Kind == lifecycle.EventStarted || e.Kind == lifecycle.EventWaiting {
				got = append(got, fmt.Sprint(e.Kind, " ", e.Detail, " ", e.Elapsed, " of ", e.Within))
			}
		}
		want := []string{"started  0s of 10m0s", "waiting it is NotReady 0s of 5m0s", "waiting its network is not up 1s of 5m0s"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
