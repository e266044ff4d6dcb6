package k0s

import (
	"context"
	"errors"
	"fmt"
	"time"

	rig "github.com/k0sproject/rig/v2"
	"github.com/k0sproject/rig/v2/cmd"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"

	"kiban.dev/kiban/lifecycle"
)

// action finds what a step's action does. Each does only what is not done yet, so that a step may be run again after any
// interruption.
func action(a lifecycle.Action) func(context.Context, *task) error {
	return map[lifecycle.Action]func(context.Context, *task) error{
		lifecycle.ActionPrepare:         prepare,
		lifecycle.ActionUpload:          upload,
		lifecycle.ActionPreflight:       preflight,
		lifecycle.ActionConfigure:       configure,
		lifecycle.ActionInitialize:      initialize,
		lifecycle.ActionJoinController:  join,
		lifecycle.ActionJoinWorker:      join,
		lifecycle.ActionBackup:          backup,
		lifecycle.ActionRestore:         restore,
		lifecycle.ActionRestart:         restart,
		lifecycle.ActionUpgrade:         upgrade,
		lifecycle.ActionRestoreFormer:   restoreFormer,
		lifecycle.ActionForgetFormer:    forgetFormer,
		lifecycle.ActionReinstall:       upgrade,
		lifecycle.ActionRestoreSettings: restoreSettings,
		lifecycle.ActionForgetSettings:  forgetSettings,
		lifecycle.ActionStart:           start,
		lifecycle.ActionLeaveEtcd:       leaveEtcd,
		lifecycle.ActionReset:           reset,
		lifecycle.ActionTidy:            tidy,
		lifecycle.ActionReboot:          reboot,
		lifecycle.ActionRun:             runCommand,
		lifecycle.ActionFiles:           putFiles,
		lifecycle.ActionCompactEtcd:     compactEtcd,
		lifecycle.ActionDefragment:      defragment,
		lifecycle.ActionDisarmEtcd:      disarmEtcd,
	}[a]
}

// Do does what a step says to its machine, as long as ctx lets it. progress gets a line for whatever takes a while; it may be nil. The
// error is a lifecycle.Diagnostic, or the context's when that ended.
func (s *Session) Do(ctx context.Context, step lifecycle.Step, progress func(string)) error {
	act := action(step.Action)
	if act == nil {
		return fmt.Errorf("%q is not something that is done to a machine", step.Action)
	}
	if progress == nil {
		progress = func(string) {}
	}
	t := &task{Session: s, step: step, progress: progress, ctx: ctx, epoch: s.opts.Epoch, refused: &refusals{}}
	err := t.attachTarget()
	if err == nil {
		err = act(ctx, t)
	}
	return t.explain(err)
}

// task is a step while it is done.
type task struct {
	*Session
	step     lifecycle.Step
	progress func(string)
	ctx      context.Context
	// epoch is the lock's that commands are sent with; nil: they need none. refused is what machines refused because of it.
	epoch   func() int
	refused *refusals
	// cluster and on are the parsed document and the step's target in it; on is nil where the step has none.
	cluster *v1beta1.Cluster
	on      *remote
}

// attachTarget parses the document for the target and lends it the target's connection.
func (t *task) attachTarget() error {
	if t.step.Target == "" {
		return nil
	}
	c, h, err := t.document.cluster(t.step.Target)
	if err != nil {
		return err
	}
	if err := c.Spec.Hosts.Resolve(t.site.Dir); err != nil {
		return err
	}
	t.cluster = c
	t.on, err = t.attach(t.step.Target, h)
	return err
}

// attach makes a host ready for commands. Whatever goes through it is tied to the step: it is recorded before it is sent, and
// ends with the step.
func (t *task) attach(name string, h *cluster.Host) (*remote, error) {
	m, err := t.machine(name)
	if err != nil {
		return nil, err
	}
	gate := func(_ context.Context, _, command string) error {
		if err := lifecycle.WhyEnded(t.ctx); err != nil {
			return err
		}
		if t.opts.Audit == nil {
			return nil
		}
		if err := t.opts.Audit(Command{Time: time.Now(), Step: t.step.ID, Host: name, Command: command}); err != nil {
			return lifecycle.Errorf(name, "a command can't be recorded, so it was not sent").From(err).
				Try("Give the folder .kiban of the fleet room; then run the same command again.")
		}
		return nil
	}
	epoch := t.epoch
	if epoch == nil {
		epoch = func() int { return 0 }
	}
	client, err := rig.NewClient(rig.WithConnection(stepConnection{m.transport, t.ctx, name, m.paths.locks, epoch, t.refused}),
		rig.WithLogger(t.opts.Log.With("step", t.step.ID)), rig.WithCommandGate(cmd.CommandGateFunc(gate)))
	if err != nil {
		return nil, err
	}
	if err := attachOffline(h, client); err != nil {
		return nil, err
	}
	return &remote{machine: m, k0s: h}, nil
}

// gatherFacts asks a machine for its facts. A machine that tells none cannot be acted on.
func (t *task) gatherFacts(ctx context.Context, r *remote) (facts, error) {
	f := t.Session.look(ctx, r.machine)
	if err := lifecycle.WhyEnded(ctx); err != nil {
		return f, err
	}
	if !f.host.Reached() {
		d := lifecycle.Errorf(r.host.Name, "the machine cannot be used").
			Because(f.host.Why).
			Try("When it is reachable again, run the same command: it goes on from what is there")
		if f.host.Problem == lifecycle.HostUnreachable {
			d = d.Hiding(lifecycle.ErrConnectionLost)
		}
		return f, d
	}
	return f, nil
}

// controllerWithin bounds the wait for a controller whose service has only just started.
const controllerWithin = time.Minute

// controller finds a controller that runs, other than the one named; it is the one to ask for tokens and members.
func (t *task) controller(ctx context.Context, except string) (*remote, facts, error) {
	var found *machine
	var f facts
	var why []string
	err := until(ctx, "an answer of k0s", controllerWithin, func(ctx context.Context) (bool, error) {
		why = nil
		soon := false
		for _, m := range t.controllers() {
			if m.host.Name == except {
				continue
			}
			f = t.Session.look(ctx, m)
			if f.host.Service == lifecycle.ServiceRunning && !f.host.Running.IsZero() {
				found = m
				return true, nil
			}
			why = append(why, m.host.Name+": "+notRunning(f.host))
			soon = soon || f.host.Service == lifecycle.ServiceRunning || f.host.Service == lifecycle.ServiceStarting
		}
		return !soon, nil // waiting does not help when none is about to
	})
	if ctx.Err() != nil {
		return nil, f, lifecycle.WhyEnded(ctx)
	}
	if found == nil {
		return nil, f, lifecycle.Errorf(t.step.Target, "no controller runs that could be asked").
			Because(why...).
			Try("Start k0s on a controller first; this shows how each stands: kiban plan " + t.site.Name).
			Hiding(err)
	}
	r, err := t.through(found)
	return r, f, err
}

// through is a machine that is asked for a step which is another's, or the cluster's.
func (t *task) through(m *machine) (*remote, error) {
	c, h, err := t.document.cluster(m.host.Name)
	if err != nil {
		return nil, err
	}
	if t.cluster == nil {
		t.cluster = c
	}
	return t.attach(m.host.Name, h)
}

func notRunning(h lifecycle.HostState) string {
	switch {
	case !h.Reached():
		return h.Why
	case h.Service == lifecycle.ServiceRunning:
		return "k0s runs, and does not answer yet"
	}
	return "k0s is " + string(h.Service)
}

// cleanUp does something on a host whatever happened to the step before, its interruption included. It has a few seconds. A run that
// may act no more, since another may have its lock by now, cleans up nothing: who has the lock finds what lies there, and it may be theirs.
func (t *task) cleanUp(name string, do func(context.Context, *remote) error) error {
	if _, refused := lifecycle.Refused(t.ctx); refused {
		return nil
	}
	ctx, cancel := afterwards(t.ctx)
	defer cancel()
	again := &task{Session: t.Session, step: t.step, progress: t.progress, ctx: ctx, epoch: t.epoch, refused: t.refused}
	_, h, err := t.document.cluster(name)
	if err != nil {
		return err
	}
	r, err := again.attach(name, h)
	if err != nil {
		return err
	}
	return do(ctx, r)
}

// explain gives an error the form in which operators see it.
func (t *task) explain(err error) error {
	if err == nil {
		return nil
	}
	if o := t.refused.why(); o != nil {
		return o.finding(t.site.Name)
	}
	if t.ctx.Err() != nil {
		switch cause := context.Cause(t.ctx); {
		case errors.Is(cause, t.ctx.Err()):
			return fmt.Errorf("%s: %w", t.step.ID, lifecycle.WhyEnded(t.ctx))
		case !errors.Is(err, cause): // it says so by itself
			err = fmt.Errorf("%w: %w", cause, err)
		}
	}
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); ok {
		if d.Cause == nil {
			d.Cause = context.Cause(t.ctx) // nil unless it ended
		}
		return d
	}
	subject := t.step.Target
	if subject == "" {
		subject = t.site.Name
	}
	if lost(err) {
		return lifecycle.Errorf(subject, "the connection was lost during %s", t.step.Action).
			Because(err.Error()).
			Try("See to the machine and to the network between; then run the same command again: it goes on from what is there").
			Hiding(fmt.Errorf("%w: %w", lifecycle.ErrConnectionLost, err))
	}
	return lifecycle.Errorf(subject, "%s failed", t.step.Action).
		Try("Run the same command again when the cause is gone: it goes on from what is there").
		From(err)
}
