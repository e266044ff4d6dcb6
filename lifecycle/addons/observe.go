package addons

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

// defaultTimeout bounds the wait for health where nothing is declared.
const defaultTimeout = 10 * time.Minute

// wide is how many units are compared at once.
const wide = 4

// Observe lays what is declared beside what the cluster has: the declared units in the order in which they are applied, then those that
// have left the repository. It changes nothing. What cannot be learnt of a unit is said in its state. Without a cluster, only what is
// declared is told.
func (e *Engine) Observe(ctx context.Context, api lifecycle.APIState) []lifecycle.UnitState {
	switch {
	case api.NotYet:
		return e.foresee(ctx)
	case api.Unknown != "":
		return e.unknown(api.Unknown)
	}
	inventories, err := e.Inventories.Inventories(ctx)
	if err != nil {
		return e.unknown(fmt.Sprintf("kiban's inventories can't be read: %v", err))
	}
	caps := api.Capabilities
	if caps.Kubernetes == "" {
		if caps, err = e.Cluster.Capabilities(ctx); err != nil {
			return e.unknown(fmt.Sprintf("the API does not say what it serves: %v", err))
		}
	}
	units, err := e.build(ctx, caps)
	if err != nil {
		return e.unknown(err.Error())
	}
	var target []*unit
	if to := e.site.Cluster.Version; !to.IsZero() && plainVersion(caps.Kubernetes) != to.Kubernetes() {
		later := caps
		later.Kubernetes = to.Kubernetes()
		if target, err = e.build(ctx, later); err != nil {
			return e.unknown(err.Error())
		}
	}
	look := unitObserver{e: e, units: units, inventories: inventories}
	states := make([]lifecycle.UnitState, len(units))
	var wg sync.WaitGroup
	room := make(chan struct{}, wide)
	for i, u := range units {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			states[i] = look.observe(ctx, u, find(inventories, u.name))
			states[i].Rerenders = u.chart() != nil && rerenders(u, target)
		})
	}
	wg.Wait()
	for _, inv := range inventories {
		if !slices.ContainsFunc(units, func(u *unit) bool { return u.name == inv.Unit }) {
			states = append(states, look.left(ctx, inv))
		}
	}
	return states
}

// plainVersion is a Kubernetes version without what a distribution adds: "v1.36.3" of "v1.36.3+k0s".
func plainVersion(v string) string {
	v, _, _ = strings.Cut(v, "+")
	return v
}

// rerenders reports whether the chart makes something else for the declared version.
func rerenders(u *unit, target []*unit) bool {
	for _, t := range target {
		if t.name == u.name {
			return t.found.Err() == nil && t.objectsDigest() != u.objectsDigest()
		}
	}
	return false
}

func find(inventories []lifecycle.Inventory, unit string) lifecycle.Inventory {
	for _, inv := range inventories {
		if inv.Unit == unit {
			return inv
		}
	}
	return lifecycle.Inventory{}
}

// foresee tells what is declared where there is no cluster yet: all of it is to be made.
func (e *Engine) foresee(ctx context.Context) []lifecycle.UnitState {
	units := e.buildOffline(ctx)
	var states []lifecycle.UnitState
	for _, u := range units {
		_ = e.settleSecrets(ctx, u, true) // without a cluster nothing is asked
		s := u.state()
		s.NotYet, s.Digest = true, ""
		for _, o := range u.all() {
			s.Changes = append(s.Changes, lifecycle.ObjectChange{ObjectRef: o.ObjectRef, Change: lifecycle.ChangeCreate})
		}
		states = append(states, s)
	}
	return states
}

// unknown tells that nothing is known, and why.
func (e *Engine) unknown(why string) []lifecycle.UnitState {
	var states []lifecycle.UnitState
	addons, _ := inOrder(e.site.Addons)
	for _, a := range addons {
		states = append(states, lifecycle.UnitState{Name: a.Unit(), Declared: true, Unknown: why})
	}
	for _, t := range e.site.Tenants {
		states = append(states, lifecycle.UnitState{Name: t.Unit(), Declared: true, Unknown: why})
	}
	if len(e.site.Objects) > 0 {
		states = append(states, lifecycle.UnitState{Name: lifecycle.UnitObjects, Declared: true, Unknown: why})
	}
	return states
}

// state is what is declared of the unit.
func (u *unit) state() lifecycle.UnitState {
	s := lifecycle.UnitState{Name: u.name, Declared: true, DependsOn: u.needs, Hooks: u.hooks(lifecycle.Release{}),
		Ignored: slices.Clone(u.ignored), Timeout: u.timeout(), Diagnostics: u.found}
	if c := u.chart(); c != nil {
		s.Chart, s.Version = c.Name, c.Version
		s.KubeVersion, s.AppVersion = u.rendered.KubeVersion, u.rendered.AppVersion
	}
	for _, api := range serves(u.all()) {
		if strings.Count(api, "/") == 2 { // the others are versions without a kind
			s.Serves = append(s.Serves, api)
		}
	}
	slices.Sort(s.Serves)
	if u.found.Err() == nil {
		s.Digest = u.digest()
	}
	return s
}

// unitObserver is one observation of all units.
type unitObserver struct {
	e           *Engine
	units       []*unit
	inventories []lifecycle.Inventory
}

// observe observes one declared unit.
func (l unitObserver) observe(ctx context.Context, u *unit, inv lifecycle.Inventory) lifecycle.UnitState {
	if err := l.e.settleSecrets(ctx, u, false); err != nil {
		s := u.state()
		s.Unknown = fmt.Sprintf("its secrets are not known: %v", err)
		return s
	}
	s := u.state()
	s.Installed = inv.Unit != ""
	if u.found.Err() != nil {
		return s // what stands in the way is said; a comparison would mislead
	}
	release, err := l.e.release(ctx, u)
	if err == nil {
		s.Release, s.Hooks = release, u.hooks(release)
		s.Changes, s.Ignored, err = l.compare(ctx, u, inv, release)
	}
	if refused, ok := errors.AsType[lifecycle.Diagnostics](err); ok {
		s.Diagnostics = append(slices.Clone(s.Diagnostics), refused...) // what else differs is told all the same
	} else if err != nil {
		s.Unknown = err.Error()
		return s
	}
	there := present(s.Changes, u)
	s.Installed = s.Installed || release.Status != "" || there
	s.Adopts = inv.Unit == "" && (release.Status != "" || there)
	s.Unchanged = unchanged(u, s.Changes)
	s.Changed = whyChanged(u, inv, release)
	if s.Installed {
		if s.Health, err = l.e.health(ctx, u.refs()); err != nil {
			s.Health = lifecycle.Health{Why: err.Error()}
		}
	}
	return s
}

// release is the Helm release of the unit's chart; zero for a unit without.
func (e *Engine) release(ctx context.Context, u *unit) (lifecycle.Release, error) {
	c := u.chart()
	if c == nil {
		return lifecycle.Release{}, nil
	}
	return e.releaseOf(ctx, u.addon.Namespace, c.Release)
}

// releaseOf is a release, its objects where they are: a manifest need not say so.
func (e *Engine) releaseOf(ctx context.Context, namespace, name string) (lifecycle.Release, error) {
	r, err := e.Releases.Release(ctx, namespace, name)
	if err != nil {
		return r, fmt.Errorf("Helm release %s/%s: %w", namespace, name, err)
	}
	objs := make([]lifecycle.Object, len(r.Objects))
	for i, ref := range r.Objects {
		objs[i].ObjectRef = ref
	}
	placed, err := e.Cluster.Place(ctx, objs, namespace, nil)
	if err != nil {
		return r, fmt.Errorf("Helm release %s/%s: %w", namespace, name, err)
	}
	r.Objects = nil
	for _, o := range placed {
		r.Objects = append(r.Objects, o.ObjectRef)
	}
	return r, nil
}

// compare asks the API what applying the unit would change, and adds what has left it.
func (l unitObserver) compare(ctx context.Context, u *unit, inv lifecycle.Inventory,
	release lifecycle.Release) (changes []lifecycle.ObjectChange, ignored []string, err error) {
	changes, ignored, refused := l.e.Objects.Compare(ctx, u.all(), l.e.options(u, l.units, inv))
	if _, ok := errors.AsType[lifecycle.Diagnostics](refused); refused != nil && !ok {
		return nil, nil, refused
	}
	for i := range changes {
		if it, known := inv.Find(changes[i].ObjectRef); known && it.Digest == "" { // never applied to the end: nobody has changed it
			changes[i].Drift = false
			if changes[i].Change == lifecycle.ChangeCreate {
				changes[i].Reason = ""
			}
		}
	}
	gone, err := l.leftovers(ctx, u, inv, release)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range gone {
		if !slices.ContainsFunc(changes, func(c lifecycle.ObjectChange) bool { return c.Same(g.ObjectRef) }) {
			changes = append(changes, g)
		}
	}
	return changes, slices.Concat(u.ignored, ignored), refused
}

// options are how a unit is compared.
func (e *Engine) options(u *unit, units []*unit, inv lifecycle.Inventory) lifecycle.CompareOptions {
	opts := lifecycle.CompareOptions{Namespace: u.namespace(), Inventory: inv, Ignore: u.ignore(), Volatile: u.rendered.Volatile}
	for _, other := range units {
		for _, o := range other.all() {
			if isNamespace(o.ObjectRef) || isDefinition(o.ObjectRef) {
				opts.Coming = append(opts.Coming, o)
				opts.MakesNamespace = opts.MakesNamespace || (isNamespace(o.ObjectRef) && o.Name == opts.Namespace)
			}
		}
		if other == u {
			break // what comes later does not help
		}
	}
	return opts
}

// present reports whether any object of the unit is in the cluster, be its namespace there or not.
func present(changes []lifecycle.ObjectChange, u *unit) bool {
	for _, o := range u.all() {
		made := slices.ContainsFunc(changes, func(c lifecycle.ObjectChange) bool {
			return c.Change == lifecycle.ChangeCreate && c.Same(o.ObjectRef)
		})
		if !made && !isNamespace(o.ObjectRef) {
			return true
		}
	}
	return false
}

// unchanged counts the declared objects that stay as they are.
func unchanged(u *unit, changes []lifecycle.ObjectChange) int {
	n := len(u.all())
	for _, c := range changes {
		if c.Change != lifecycle.ChangeDelete && c.Change != lifecycle.ChangeKeep {
			n--
		}
	}
	return max(0, n)
}

// whyChanged says why the unit is to be applied though no object may differ; "" when there is no such reason.
func whyChanged(u *unit, inv lifecycle.Inventory, release lifecycle.Release) string {
	c := u.chart()
	switch {
	case c != nil && release.Pending():
		return "an operation of Helm's on its release was cut off (" + release.Status + ")"
	case c != nil && inv.Unit != "" && release.Status == "":
		return "its Helm release is gone"
	case c != nil && release.Status != "" && release.Chart != c.Name:
		return fmt.Sprintf("its release is of chart %s", release.Chart)
	case c != nil && release.Status != "" && release.Version != c.Version:
		return fmt.Sprintf("chart %s -> %s", release.Version, c.Version)
	case c != nil && release.Status != "" && release.Status != "deployed":
		return fmt.Sprintf("its release is %s", release.Status)
	case inv.Unfinished():
		return "the run that last applied it has not come to its end"
	}
	return ""
}

// timeout bounds the wait for the unit's health.
func (u *unit) timeout() time.Duration {
	if u.addon != nil && u.addon.Timeout > 0 {
		return u.addon.Timeout
	}
	return defaultTimeout
}
