package k0s

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// upgrade brings a machine to the step's version with the declared arguments: stop, change the binary, put the files that are for the
// version, install the service anew, start. What is done already is left out, so it also finishes an upgrade that was interrupted
// anywhere. Without a version it only re-installs the service.
func upgrade(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	v := t.step.Version
	if v.IsZero() {
		v = f.host.Binary
	}
	if err := t.upgradable(f, v); err != nil {
		return err
	}
	if f, err = t.upgraded(ctx, f, v); err != nil || f.host.Running == v && t.asDeclared(f, v) {
		return err
	}
	if err := t.on.k0s.RunHooks(ctx, "upgrade", "before"); err != nil {
		return err
	}
	former, kept := f.host.Binary, t.keeps(f, v)
	if kept {
		if err := t.keepFormer(ctx, former, t.changesStopped(f, v)); err != nil {
			return err
		}
	}
	if err := t.keepSettings(ctx, f, t.changesStopped(f, v)); err != nil {
		return err
	}
	if err := t.stopForWhole(ctx, f, v); err != nil {
		return err
	}
	if t.on.host.Role.IsController() && (kept || former == f.host.Former && former != v) { // also where that is all that was done
		if err := t.on.run(ctx, t.on.paths.markSince(former)); err != nil {
			return err
		}
	}
	err = t.place(ctx, &f, v)
	if err == nil { // behind the binary: one that was cut off never leaves the former one with files that it does not take
		err = t.putStopped(ctx, f, v)
	}
	if err == nil {
		err = t.install(ctx, f, f.tokenFile)
	}
	if err != nil && kept && t.on.host.Role.IsController() && ctx.Err() == nil {
		return t.startFormer(ctx, former, v, err)
	}
	if err != nil {
		return err
	}
	t.progress(fmt.Sprintf("starting k0s %s", v))
	if err := t.on.launch(ctx); err != nil {
		return err
	}
	return t.on.k0s.RunHooks(ctx, "upgrade", "after")
}

// stopForWhole stops the service for a version that is in place or is staged whole. In the command that stops it, the staged binary is
// compared again: a machine is not stopped for a binary that it could not be started with.
func (t *task) stopForWhole(ctx context.Context, f facts, v lifecycle.Version) error {
	if f.host.Service == lifecycle.ServiceStopped || f.host.Service == lifecycle.ServiceAbsent {
		return t.ifWhole(ctx, f, v, "")
	}
	t.progress("stopping k0s")
	if err := t.ifWhole(ctx, f, v, t.on.stopCommand()); err != nil {
		return err
	}
	return t.on.stopped(ctx)
}

// asDeclared reports whether nothing is left to be changed on the machine's disk.
func (t *task) asDeclared(f facts, v lifecycle.Version) bool {
	given := t.on.host.Environment == "" || t.on.host.Environment == f.host.Environment
	return f.host.Binary == v && slices.Equal(f.host.Arguments, t.on.host.Arguments) && given && len(t.changesStopped(f, v)) == 0
}

// answersWithin bounds the wait for `k0s status` where all else says that the machine has been upgraded.
const answersWithin = 15 * time.Second

// upgraded looks again at a machine whose service runs as it should and only does not answer: an interrupted run may have started it
// a moment ago (H25), and another restart would be for nothing.
func (t *task) upgraded(ctx context.Context, f facts, v lifecycle.Version) (facts, error) {
	if !t.asDeclared(f, v) || f.host.Service != lifecycle.ServiceRunning {
		return f, nil
	}
	err := until(ctx, "an answer of k0s", answersWithin, func(ctx context.Context) (bool, error) {
		if !f.host.Running.IsZero() || f.host.Service != lifecycle.ServiceRunning {
			return true, nil
		}
		now, err := t.gatherFacts(ctx, t.on)
		if err == nil {
			f = now
		}
		return false, err
	})
	if err != nil && ctx.Err() == nil {
		err = nil // it does not answer: a restart is what is left to try
	}
	return f, err
}
