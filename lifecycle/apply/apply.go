package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Machines carries out the actions that happen on a machine.
type Machines interface {
	// Do carries out one step. It is idempotent, and ends when ctx does.
	Do(ctx context.Context, step lifecycle.Step, progress func(string)) error
}

// Nodes carries out the actions that happen in the Kubernetes API.
type Nodes interface {
	Cordon(ctx context.Context, node string, mark lifecycle.Mark) error
	Drain(ctx context.Context, node string, policy lifecycle.Drain, progress func(string)) error
	Uncordon(ctx context.Context, node string) error
	DeleteNode(ctx context.Context, node string) error
	Label(ctx context.Context, node string, change lifecycle.NodeChange) error
}

// ClusterConfig is k0s's configuration in the cluster.
type ClusterConfig interface {
	// WriteClusterConfig brings it to spec, {"spec": ...}.
	WriteClusterConfig(ctx context.Context, spec []byte) error
}

// Pins is the cluster's record of a control plane that acts as its former release.
type Pins interface {
	// NotePin brings it to what a step says: ActionPin, ActionSoak, ActionCommit, ActionUnpin. It is idempotent.
	NotePin(ctx context.Context, step lifecycle.Step) error
}

// Units carries out the actions on addons, tenants and objects.
type Units interface {
	// Do carries out one step. It is idempotent, and ends when ctx does.
	Do(ctx context.Context, step lifecycle.Step, progress func(string)) error
}

// Gates looks at conditions. A look does not wait.
type Gates interface {
	// Check looks once. since is when the step at hand began to act, for conditions that must have come true after it.
	Check(ctx context.Context, gate lifecycle.Gate, since time.Time) lifecycle.GateResult
}

// Deps is what a run works with.
type Deps struct {
	Machines Machines
	Nodes    Nodes
	// Config is written where k0s's configuration is dynamic. Nil: it cannot be.
	Config ClusterConfig
	Units  Units
	Gates  Gates
	// Pins keeps that a control plane acts as its former release. Nil: it cannot be kept.
	Pins Pins
	// Logs are asked for a node's last words when it does not come up. Nil: findings are without them.
	Logs Logs
	// Hosts are asked how a controller stands that does not come up, and Members are etcd's before the run. Backup finds the newest backup
	// from before a version. Any may be nil: findings are without them.
	Hosts   Hosts
	Members []lifecycle.EtcdMember
	Backup  func(before lifecycle.Version) (lifecycle.KeptBackup, bool)
	// Sink gets every event, one at a time. Its error stops the run.
	Sink lifecycle.Sink
	// RunID names the run: in its events, and in the marks on the nodes it cordons.
	RunID string
	// Stop, when closed, lets the steps in hand finish and starts no other. Nil: never.
	Stop <-chan struct{}
	// Fence says whether the run may still act. Nil: there is no lock to lose.
	Fence Fence
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Poll is the pause between two looks at a gate that is not met. Zero: half a second.
	Poll time.Duration
}

// ErrInterrupted is in the chain of a run's error when Deps.Stop or its context ended it.
var ErrInterrupted = errors.New("interrupted")

// Run carries out the plan. A plan with findings that stop it is refused before anything is announced.
//
// The error is lifecycle.Diagnostics: what failed, and what was in the way.
func Run(ctx context.Context, site lifecycle.Site, plan lifecycle.Plan, deps Deps) error {
	if err := plan.Diagnostics.Err(); err != nil {
		return err
	}
	r := newRun(site, plan, deps)
	if err := r.announce(); err != nil {
		return err
	}
	end := r.watchProbes(ctx)
	for _, stage := range plan.Stages {
		r.stage(ctx, stage)
		if r.stopped(ctx) {
			break
		}
	}
	end()
	return r.conclude(ctx)
}

// run is one execution of one plan.
type run struct {
	Deps
	site  lifecycle.Site
	plan  lifecycle.Plan
	began time.Time

	mu       sync.Mutex // guards what follows, and serialises the sink
	wake     *sync.Cond // signalled whenever outcome changes
	outcome  map[string]outcome
	findings lifecycle.Diagnostics
	cut      []string // what became of the steps that an interruption ended
	sinkErr  error
}

// outcome is what became of a step. The zero value: it has not been begun.
type outcome int

const (
	begun outcome = iota + 1
	done
	failed
)

func newRun(site lifecycle.Site, plan lifecycle.Plan, deps Deps) *run {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Poll == 0 {
		deps.Poll = 500 * time.Millisecond
	}
	r := &run{Deps: deps, site: site, plan: plan, began: deps.Now(), outcome: map[string]outcome{}}
	r.wake = sync.NewCond(&r.mu)
	return r
}

// announce tells the whole queue before anything is done.
func (r *run) announce() error {
	for _, s := range r.plan.Steps {
		if err := r.emit(stepEvent(lifecycle.EventPlanned, s, s.Reason)); err != nil {
			return err
		}
	}
	return nil
}

// conclude tells what was left out, sums up, and gives the run's error.
func (r *run) conclude(ctx context.Context) error {
	n := 0
	for _, s := range r.plan.Steps {
		switch r.result(s.ID) {
		case done:
			n++
		case 0:
			_ = r.emit(stepEvent(lifecycle.EventSkipped, s, "not begun: the run stopped before it")) // an earlier sink error is already kept
		}
	}
	message := fmt.Sprintf("%d of %d steps done", n, len(r.plan.Steps))
	if ctx.Err() != nil || (r.interrupted() && n < len(r.plan.Steps)) {
		r.find(lifecycle.Errorf(r.site.Name, "the run was interrupted").
			Because(append([]string{message}, r.cut...)...).
			Try("Run the same command again: it carries on from what is there.").
			Hiding(ErrInterrupted))
	}
	r.afterRestore()
	_ = r.emit(lifecycle.Event{Kind: lifecycle.EventSummary, Message: message, Elapsed: r.Now().Sub(r.began)})
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sinkErr != nil && !errors.Is(r.findings.Err(), r.sinkErr) {
		r.findings = append(r.findings, unrecorded("what was left", r.sinkErr))
	}
	return r.findings.Err()
}

// afterRestore has findings name what goes on where a control plane is restored already: not the restore, which refuses one that runs.
func (r *run) afterRestore() {
	if !slices.ContainsFunc(r.plan.Steps, func(s lifecycle.Step) bool {
		return s.Action == lifecycle.ActionRestore && r.result(s.ID) == done
	}) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var newer []string
	for _, s := range r.plan.Steps {
		if s.Action == lifecycle.ActionReset && r.outcome[s.ID] != done {
			newer = append(newer, s.Target)
		}
	}
	way := fmt.Sprintf("The control plane is restored: `kiban apply %s` goes on from here, and not the restore.", r.site.Name)
	if len(newer) > 0 {
		way += fmt.Sprintf(" Before it, on %s, which it was to set up anew: %s.", lifecycle.Enumerate(newer),
			lifecycle.ResetByHand(lifecycle.RoleWorker))
	}
	for i, d := range r.findings {
		switch {
		case d.Severity == lifecycle.SeverityWarning:
		case strings.Contains(d.Hint, "same command"), d.Hint == "":
			r.findings[i].Hint = way
		default:
			r.findings[i].Hint += "\n" + way
		}
	}
}

// emit stamps the event and hands it to the sink.
func (r *run) emit(e lifecycle.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Format, e.Time, e.Run, e.Site = lifecycle.EventFormat, r.Now(), r.RunID, r.site.Name
	if r.Sink == nil {
		return nil
	}
	err := r.Sink(e)
	if err != nil && r.sinkErr == nil {
		r.sinkErr = err
	}
	return err
}

func stepEvent(kind lifecycle.EventKind, s lifecycle.Step, message string) lifecycle.Event {
	return lifecycle.Event{Kind: kind, Step: s.ID, Stage: s.Stage, Target: s.Target, Action: s.Action, Message: message}
}

func (r *run) find(ds ...lifecycle.Diagnostic) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range ds {
		told := func(o lifecycle.Diagnostic) bool {
			return o.Severity == d.Severity && o.Summary == d.Summary && o.Detail == d.Detail && o.Subject == d.Subject
		}
		if !slices.ContainsFunc(r.findings, told) { // several targets may meet with the same
			r.findings = append(r.findings, d)
		}
	}
}

// cutOff keeps what became of a step that an interruption ended: it is told with the interruption, not as a failure of its own.
func (r *run) cutOff(d lifecycle.Diagnostic) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = append(r.cut, d.Summary)
}

func (r *run) set(id string, o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome[id] = o
	r.wake.Broadcast()
}

func (r *run) result(id string) outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcome[id]
}

// interrupted reports whether the operator asked to stop after the steps in hand.
func (r *run) interrupted() bool {
	select {
	case <-r.Stop:
		return true
	default:
		return false
	}
}

// stopped reports whether no further target may start: something failed, could not be recorded, or the operator said so.
func (r *run) stopped(ctx context.Context) bool {
	if ctx.Err() != nil || r.interrupted() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sinkErr != nil || r.findings.Err() != nil
}
