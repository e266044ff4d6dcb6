package addons

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// leftovers are the objects that the unit once had, by its inventory or its release, and no longer declares: to be deleted, but for those
// that hold data. What another unit declares now has moved there. What is not in the cluster is no matter.
func (l unitObserver) leftovers(ctx context.Context, u *unit, inv lifecycle.Inventory, release lifecycle.Release) (
	[]lifecycle.ObjectChange, error) {
	var refs []lifecycle.ObjectRef
	for _, it := range inv.Objects {
		refs = append(refs, it.ObjectRef)
	}
	if release.Status != "" {
		refs = append(refs, release.Objects...)
	}
	var kept []lifecycle.ObjectRef
	if u != nil {
		kept = slices.Concat(u.kept, u.required)
	}
	refs = slices.DeleteFunc(refs, func(r lifecycle.ObjectRef) bool {
		return l.declared(r) || slices.ContainsFunc(kept, r.Same)
	})
	return l.e.toDelete(ctx, refs)
}

// declared reports whether any unit declares the object.
func (l unitObserver) declared(r lifecycle.ObjectRef) bool {
	return slices.ContainsFunc(l.units, func(u *unit) bool {
		return slices.ContainsFunc(u.all(), func(o lifecycle.Object) bool { return o.Same(r) })
	})
}

// toDelete are those of the objects that are there, as changes.
func (e *Engine) toDelete(ctx context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectChange, error) {
	slices.SortFunc(refs, lifecycle.ObjectRef.Compare)
	refs = slices.CompactFunc(refs, lifecycle.ObjectRef.Same)
	if len(refs) == 0 {
		return nil, nil
	}
	there, err := e.Cluster.Existing(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("what has left the repository: %w", err)
	}
	var out []lifecycle.ObjectChange
	for _, r := range refs {
		if !slices.ContainsFunc(there, r.Same) {
			continue
		}
		c := lifecycle.ObjectChange{ObjectRef: r, Change: lifecycle.ChangeDelete}
		if why := holdsData(r); why != "" {
			c.Change, c.Reason = lifecycle.ChangeKeep, why
		}
		out = append(out, c)
	}
	return out, nil
}

// holdsData says what would go with an object; "" when nothing would.
func holdsData(r lifecycle.ObjectRef) string {
	switch {
	case isNamespace(r):
		return "all that is in it would go with it"
	case isDefinition(r):
		return "all objects of its kind would go with it"
	case r.Kind == "PersistentVolumeClaim" && r.Group() == "":
		return "its data would go with it"
	}
	return ""
}

// left observes a unit that is in the cluster and has left the repository.
func (l unitObserver) left(ctx context.Context, inv lifecycle.Inventory) lifecycle.UnitState {
	s := lifecycle.UnitState{Name: inv.Unit, Installed: true, Digest: inv.Digest}
	var release lifecycle.Release
	if inv.Release != "" && !l.taken(inv) {
		var err error
		if release, err = l.e.releaseOf(ctx, inv.Namespace, inv.Release); err != nil {
			s.Unknown = err.Error()
			return s
		}
		s.Release, s.Chart, s.Hooks = release, inv.Chart, lastHooks(release)
		s.Diagnostics = l.shared(inv, release)
	}
	changes, err := l.leftovers(ctx, nil, inv, release)
	if err != nil {
		s.Unknown = err.Error()
		return s
	}
	s.Changes = changes
	if isTenant(inv.Unit) {
		for i := range s.Changes {
			if c := &s.Changes[i]; c.Change == lifecycle.ChangeKeep {
				c.Change, c.Reason = lifecycle.ChangeDelete, strings.Replace(c.Reason, "would go", "goes", 1) // done only when asked for, and confirmed
			}
		}
	}
	slices.SortStableFunc(s.Changes, func(a, b lifecycle.ObjectChange) int { return lastOf(a) - lastOf(b) })
	return s
}

// lastOf puts what others stand on behind them.
func lastOf(c lifecycle.ObjectChange) int {
	switch {
	case isNamespace(c.ObjectRef):
		return 2
	case isDefinition(c.ObjectRef):
		return 1
	}
	return 0
}

// taken reports whether another unit has the release now: the addon's document was given another name.
func (l unitObserver) taken(inv lifecycle.Inventory) bool {
	return slices.ContainsFunc(l.units, func(u *unit) bool {
		c := u.chart()
		return c != nil && c.Release == inv.Release && u.addon.Namespace == inv.Namespace
	})
}

// shared finds objects of a release that is to go and that another unit declares now: Helm would delete them with it.
func (l unitObserver) shared(inv lifecycle.Inventory, release lifecycle.Release) lifecycle.Diagnostics {
	for _, u := range l.units {
		for _, o := range u.all() {
			if !isDefinition(o.ObjectRef) && slices.ContainsFunc(release.Objects, o.Same) {
				return lifecycle.Diagnostics{lifecycle.Errorf(inv.Unit, "it has left the repository, and %s declares %s of its release", u.name,
					o.String()).
					Because(fmt.Sprintf("Removing the release %s/%s would delete the object.", inv.Namespace, inv.Release)).
					Try(fmt.Sprintf("If %s is to take its place, set its spec.chart.release to %s and its namespace to %s.",
						u.name, inv.Release, inv.Namespace))}
			}
		}
	}
	return nil
}
