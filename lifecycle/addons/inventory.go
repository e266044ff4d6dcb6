package addons

import (
	"context"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// begin writes the inventory before anything else is: all that there was and all that is about to be, without a digest. Whatever ends the
// run, the next one finds what this one may have made.
func (a *application) begin(ctx context.Context) error {
	inv := a.describe()
	inv.Digest, inv.Healthy = "", a.inv.Healthy
	switch { // the version is the former one's until the new one is healthy
	case a.inv.Unit != "":
		inv.Version = a.inv.Version
	case a.release.Status == "deployed":
		inv.Version, inv.Healthy = a.release.Version, a.release.Revision // adopted: taken to be well as it is
	}
	for i, it := range inv.Objects {
		was, known := a.inv.Find(it.ObjectRef)
		if !known || was.Digest != it.Digest {
			inv.Objects[i].Digest = "" // what differs of it is not drift
		}
	}
	for _, was := range a.inv.Objects {
		if _, still := inv.Find(was.ObjectRef); !still && !a.elsewhere(was.ObjectRef) {
			inv.Objects = append(inv.Objects, was)
		}
	}
	return a.e.Inventories.WriteInventory(ctx, inv)
}

// finish writes the inventory of what is applied and healthy.
func (a *application) finish(ctx context.Context) error {
	inv := a.describe()
	if c := a.u.chart(); c != nil {
		now, err := a.e.release(ctx, a.u)
		if err != nil {
			return err
		}
		inv.Healthy = now.Revision
	}
	return a.e.Inventories.WriteInventory(ctx, inv)
}

// restored writes the inventory after the former release has come back: as it was, with what the failed one may have left.
func (a *application) restored(ctx context.Context, now lifecycle.Release) error {
	inv := a.inv
	if inv.Unit == "" { // it was adopted in this step
		inv = a.describe()
		inv.Digest, inv.Version = "", now.Version
	}
	inv.Healthy, inv.Objects = now.Revision, slices.Clone(inv.Objects)
	for _, it := range a.describe().Objects {
		if _, known := inv.Find(it.ObjectRef); !known {
			it.Digest = ""
			inv.Objects = append(inv.Objects, it)
		}
	}
	return a.e.Inventories.WriteInventory(ctx, inv)
}

// describe is the inventory of what is declared.
func (a *application) describe() lifecycle.Inventory {
	inv := lifecycle.Inventory{Unit: a.u.name, Digest: a.u.digest(), Run: a.e.Run}
	if c := a.u.chart(); c != nil {
		inv.Chart, inv.Version, inv.Release, inv.Namespace = c.Name, c.Version, c.Release, a.u.addon.Namespace
	}
	item := func(o lifecycle.Object, early bool) {
		inv.Objects = append(inv.Objects, lifecycle.InventoryItem{ObjectRef: o.ObjectRef, Early: early,
			Digest: lifecycle.DigestObject(o, a.u.rendered.Volatile, a.u.ignore())})
	}
	for _, o := range a.u.early {
		item(o, true)
	}
	for _, o := range slices.Concat(a.u.main, a.u.late) {
		item(o, false)
	}
	for _, r := range a.u.kept {
		if was, known := a.inv.Find(r); known {
			inv.Objects = append(inv.Objects, was)
		}
	}
	return inv
}

// elsewhere reports whether another unit declares the object now.
func (a *application) elsewhere(r lifecycle.ObjectRef) bool {
	return slices.ContainsFunc(a.units, func(u *unit) bool {
		return u.name != a.u.name && slices.ContainsFunc(u.all(), func(o lifecycle.Object) bool { return o.Same(r) })
	})
}
