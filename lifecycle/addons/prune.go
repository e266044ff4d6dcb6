package addons

import (
	"context"
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// prune removes a unit that has left the repository: what is tied to it, its release, what they stood on; and of all that only what the
// step says. Its inventory goes last, so that one that is cut off is found again.
func (e *Engine) prune(ctx context.Context, look unitObserver, step lifecycle.Step, inv lifecycle.Inventory, progress func(string)) error {
	if slices.ContainsFunc(look.units, func(u *unit) bool { return u.name == step.Target }) {
		return stale(step, "The site declares it again.")
	}
	if inv.Unit == "" {
		return nil // done
	}
	var early, others []lifecycle.ObjectRef
	for _, c := range step.Objects {
		it, known := inv.Find(c.ObjectRef)
		switch {
		case c.Change != lifecycle.ChangeDelete || look.declared(c.ObjectRef):
		case known && it.Early:
			early = append(early, c.ObjectRef)
		default:
			others = append(others, c.ObjectRef)
		}
	}
	var release lifecycle.Release
	if inv.Release != "" && !look.taken(inv) {
		var err error
		if release, err = e.releaseOf(ctx, inv.Namespace, inv.Release); err != nil {
			return err
		}
		if ds := look.shared(inv, release); ds.Err() != nil {
			return ds
		}
	}
	inRelease := func(r lifecycle.ObjectRef) bool { return slices.ContainsFunc(release.Objects, r.Same) }
	beside := slices.DeleteFunc(slices.Clone(others), inRelease)
	slices.Reverse(beside) // what was applied last goes first
	if err := e.remove(ctx, beside, progress); err != nil {
		return err
	}
	if release.Status != "" {
		progress(fmt.Sprintf("Helm: uninstall %s/%s", inv.Namespace, inv.Release))
		if err := e.Releases.Uninstall(ctx, inv.Namespace, inv.Release); err != nil {
			return fmt.Errorf("uninstall Helm release %s/%s: %w", inv.Namespace, inv.Release, err)
		}
	}
	slices.Reverse(early)
	if err := e.remove(ctx, append(slices.DeleteFunc(others, func(r lifecycle.ObjectRef) bool { return !inRelease(r) }), early...),
		progress); err != nil {
		return err
	}
	return e.Inventories.DeleteInventory(ctx, inv.Unit)
}

// remove deletes objects. Those that are gone already are no matter.
func (e *Engine) remove(ctx context.Context, refs []lifecycle.ObjectRef, progress func(string)) error {
	if len(refs) == 0 {
		return nil
	}
	return e.Objects.DeleteObjects(ctx, refs, progress)
}
