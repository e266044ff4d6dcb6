package addons

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// earlyLimit bounds the wait for what a unit's other objects stand on: definitions that are to be served.
const earlyLimit = 2 * time.Minute

// Do carries out a step of a plan on its unit. It is idempotent; one that was cut off is carried on by planning again. The error is
// lifecycle.Diagnostics or the context's.
func (e *Engine) Do(ctx context.Context, step lifecycle.Step, progress func(string)) error {
	if progress == nil {
		progress = func(string) {}
	}
	inventories, err := e.Inventories.Inventories(ctx)
	if err != nil {
		return fmt.Errorf("read kiban's inventories: %w", err)
	}
	caps, err := e.Cluster.Capabilities(ctx)
	if err != nil {
		return fmt.Errorf("ask the API what it serves: %w", err)
	}
	units, err := e.build(ctx, caps)
	if err != nil {
		return err
	}
	look := unitObserver{e: e, units: units, inventories: inventories}
	inv := find(inventories, step.Target)
	if step.Action == lifecycle.ActionPrune {
		return e.prune(ctx, look, step, inv, progress)
	}
	i := slices.IndexFunc(units, func(u *unit) bool { return u.name == step.Target })
	if i < 0 {
		return stale(step, "The site no longer declares it.")
	}
	u := units[i]
	if err := e.settleSecrets(ctx, u, false); err != nil {
		return err
	}
	if err := u.found.Err(); err != nil {
		return err
	}
	if got := u.digest(); step.Digest != "" && got != step.Digest {
		return stale(step, "It renders to something else now than when the plan was made.")
	}
	return (&application{unitObserver: look, u: u, inv: inv, progress: progress}).run(ctx)
}

func stale(step lifecycle.Step, why string) error {
	return lifecycle.Errorf(step.Target, "it is not what was planned, so nothing of it was changed").
		Because(why).
		Try("Make a new plan: what other units and the API offer may have changed what its chart makes.")
}

// application is one unit being applied.
type application struct {
	unitObserver
	u        *unit
	inv      lifecycle.Inventory // as it was
	release  lifecycle.Release   // as it was
	progress func(string)
}

// run goes through the unit's phases.
func (a *application) run(ctx context.Context) error {
	var err error
	if a.release, err = a.e.release(ctx, a.u); err != nil {
		return err
	}
	leaving, err := a.leftovers(ctx, a.u, a.inv, a.release)
	if err != nil {
		return err
	}
	if err := a.begin(ctx); err != nil {
		return fmt.Errorf("write the inventory: %w", err)
	}
	if err := a.apply(ctx, a.u.early, earlyLimit); err != nil {
		return a.failed(ctx, "what it stands on can't be applied", err)
	}
	if err := a.install(ctx); err != nil {
		return err
	}
	if err := a.apply(ctx, a.u.late, a.u.timeout()); err != nil {
		return a.failed(ctx, "what is tied to it can't be applied", err)
	}
	if health, err := a.e.awaitHealth(ctx, refsOf(a.u.late), a.u.timeout(), a.progress); err != nil {
		return a.unhealthy(ctx, health, err)
	}
	var refs []lifecycle.ObjectRef
	for _, c := range leaving {
		if c.Change == lifecycle.ChangeDelete {
			refs = append(refs, c.ObjectRef)
		}
	}
	if len(refs) > 0 {
		if err := a.e.Objects.DeleteObjects(ctx, refs, a.progress); err != nil {
			return a.failed(ctx, "what has left it can't be deleted", err)
		}
	}
	return a.finish(ctx)
}

// install makes the release or applies the manifests, and waits for health. What fails there is taken back to the former release.
func (a *application) install(ctx context.Context) error {
	if a.u.chart() == nil {
		if err := a.apply(ctx, a.u.main, a.u.timeout()); err != nil {
			return a.failed(ctx, "it can't be applied", err)
		}
	} else if due, err := a.releaseDue(ctx); err != nil {
		return err
	} else if due {
		if err := a.e.Releases.Deploy(ctx, a.e.site, *a.u.addon, a.u.caps, a.progress); err != nil {
			return a.back(ctx, "Helm: "+textOf(err), err)
		}
	}
	health, err := a.e.awaitHealth(ctx, refsOf(a.u.early, a.u.main), a.u.timeout(), a.progress)
	switch {
	case err == nil:
		return nil
	case a.u.chart() != nil:
		return a.back(ctx, cmp.Or(health.Why, err.Error()), err)
	}
	return a.unhealthy(ctx, health, err)
}

// releaseDue reports whether Helm has anything to do: a change beside the chart is no reason to run its hooks again.
func (a *application) releaseDue(ctx context.Context) (bool, error) {
	c := a.u.chart()
	if a.release.Status != "deployed" || a.release.Version != c.Version || a.release.Chart != c.Name || a.inv.Unit == "" {
		return true, nil
	}
	changes, _, err := a.e.Objects.Compare(ctx, a.u.main, a.e.options(a.u, a.units, a.inv))
	if err != nil {
		return false, err
	}
	gone := slices.ContainsFunc(a.release.Objects, func(r lifecycle.ObjectRef) bool { return !a.declared(r) })
	return len(changes) > 0 || gone, nil
}

// apply applies objects within a limit.
func (a *application) apply(ctx context.Context, objs []lifecycle.Object, limit time.Duration) error {
	if len(objs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not applied within %s", limit))
	defer cancel()
	return a.e.Objects.ApplyObjects(ctx, objs, a.u.namespace(), a.progress)
}

func refsOf(lists ...[]lifecycle.Object) []lifecycle.ObjectRef {
	var refs []lifecycle.ObjectRef
	for _, o := range slices.Concat(lists...) {
		if hasHealth(o.ObjectRef) {
			refs = append(refs, o.ObjectRef)
		}
	}
	return refs
}

// failed is the end of a unit that could not be applied; its inventory says so.
func (a *application) failed(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	ds := lifecycle.AsDiagnostics(err, what)
	for i := range ds {
		if ds[i].Subject == "" {
			ds[i].Subject = a.u.name
		}
		if ds[i].Hint == "" {
			ds[i].Hint = "See to what the detail names, then run the same command again: it carries on from there."
		}
	}
	return ds
}

// unhealthy is the end of a unit without a former release to go back to.
func (a *application) unhealthy(ctx context.Context, h lifecycle.Health, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return lifecycle.Errorf(a.u.name, "it is applied, but not healthy").
		Because(reasons(h, err)).
		Try("There is no former release to go back to. Find the cause, correct the declaration, then run the same command again.").
		Hiding(err)
}

// reasons are why something is not healthy, and why it was not waited for any longer.
func reasons(h lifecycle.Health, err error) string {
	switch {
	case h.Why == "":
		return err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return h.Why
	}
	return h.Why + " (" + err.Error() + ")"
}

// textOf is an error in one paragraph.
func textOf(err error) string {
	if ds, ok := errors.AsType[lifecycle.Diagnostics](err); ok {
		return ds.Error()
	}
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); ok {
		d.Subject = ""
		return d.Error()
	}
	return err.Error()
}
