package addons

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// refs are the unit's objects whose health says something.
func (u *unit) refs() []lifecycle.ObjectRef {
	var out []lifecycle.ObjectRef
	for _, o := range u.all() {
		if hasHealth(o.ObjectRef) {
			out = append(out, o.ObjectRef)
		}
	}
	return out
}

// hasHealth leaves out the kinds that are as they are as soon as they are there: their absence is found by comparison. A webhook's
// configuration is not among them: while nothing answers behind it, the API refuses what others want to write.
func hasHealth(r lifecycle.ObjectRef) bool {
	switch r.Group() {
	case "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "networking.k8s.io":
		return false
	case "":
		switch r.Kind {
		case "ConfigMap", "Secret", "ServiceAccount", "LimitRange", "ResourceQuota", "Endpoints":
			return false
		}
	}
	return true
}

func isTenant(unit string) bool { return strings.HasPrefix(unit, lifecycle.UnitTenant) }

// health sums objects up.
func (e *Engine) health(ctx context.Context, refs []lifecycle.ObjectRef) (lifecycle.Health, error) {
	if len(refs) == 0 {
		return lifecycle.Health{Status: lifecycle.HealthCurrent}, nil
	}
	objects, err := e.Objects.Health(ctx, refs)
	if err != nil {
		return lifecycle.Health{}, err
	}
	return sum(objects), nil
}

// sum is the worst of the objects, and what the first few that are not well say.
func sum(objects []lifecycle.ObjectHealth) lifecycle.Health {
	const few = 3
	rank := []lifecycle.HealthStatus{lifecycle.HealthCurrent, lifecycle.HealthUnknown, lifecycle.HealthInProgress, lifecycle.HealthNotFound,
		lifecycle.HealthFailed}
	worst := lifecycle.HealthCurrent
	var why []string
	for _, o := range objects {
		if o.Status == lifecycle.HealthCurrent {
			continue
		}
		if slices.Index(rank, o.Status) > slices.Index(rank, worst) {
			worst = o.Status
		}
		why = append(why, o.String()+": "+strings.TrimPrefix(cmp.Or(o.Why, string(o.Status)), o.String()+": "))
	}
	if len(why) > few {
		why = append(why[:few], fmt.Sprintf("and %d more", len(why)-few))
	}
	return lifecycle.Health{Status: worst, Why: strings.Join(why, "; ")}
}

// Health tells how the addons in the cluster are, by their inventories alone: nothing is rendered.
func (e *Engine) Health(ctx context.Context) ([]lifecycle.UnitHealth, error) {
	inventories, err := e.Inventories.Inventories(ctx)
	if err != nil {
		return nil, err
	}
	var out []lifecycle.UnitHealth
	for _, inv := range inventories {
		if !strings.HasPrefix(inv.Unit, lifecycle.UnitAddon) {
			continue
		}
		var refs []lifecycle.ObjectRef
		for _, it := range inv.Objects {
			if hasHealth(it.ObjectRef) {
				refs = append(refs, it.ObjectRef)
			}
		}
		unit := lifecycle.UnitHealth{Unit: inv.Unit, Chart: inv.Chart, Version: inv.Version, Unfinished: inv.Unfinished()}
		if len(refs) > 0 {
			objects, err := e.Objects.Health(ctx, refs)
			if err != nil {
				return nil, err
			}
			unit.Bad = slices.DeleteFunc(objects, func(o lifecycle.ObjectHealth) bool { return o.Status == lifecycle.HealthCurrent })
		}
		out = append(out, unit)
	}
	return out, nil
}

// failedLooks is how often in a row an object must be found failed before the wait ends: a controller may still be trying.
const failedLooks = 5

// awaitHealth waits until the objects are all current, and says so whenever the reason why they are not is another. The last health is
// given either way.
func (e *Engine) awaitHealth(ctx context.Context, refs []lifecycle.ObjectRef, limit time.Duration, progress func(string)) (lifecycle.Health,
	error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not healthy within %s", limit))
	defer cancel()
	var last lifecycle.Health
	failed := 0
	var told lifecycle.Waiting
	for {
		h, err := e.health(ctx, refs)
		switch {
		case err == nil && h.Status == lifecycle.HealthCurrent:
			return h, nil
		case err == nil:
			last = h
		case ctx.Err() == nil:
			h = lifecycle.Health{Why: err.Error()}
		}
		if h.Status == lifecycle.HealthFailed {
			failed++
		} else {
			failed = 0
		}
		if failed >= failedLooks {
			return last, fmt.Errorf("it has failed: %s", last.Why)
		}
		if h.Why != "" && ctx.Err() == nil && told.News(h.Why, time.Now()) {
			progress("waits: " + h.Why)
		}
		select {
		case <-ctx.Done():
			return last, context.Cause(ctx)
		case <-time.After(e.Poll):
		}
	}
}
