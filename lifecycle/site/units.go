package site

import (
	"cmp"
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// units are what the documents beside the cluster declare, as the rules need them.
type units struct {
	addons  []addonDocument
	tenants []tenantDocument
	// objects are all of them, those that are tied to an addon included, and those of addons' manifests in the repository.
	objects []object
	// claims are those of addons' manifests.
	claims []claim
}

// readUnits decodes addons and tenants, and ties objects to their addons.
func (l *loader) readUnits() {
	l.units.objects = slices.Clone(l.docs.objects)
	for _, n := range l.docs.addons {
		d, found := decodeAddon(n)
		l.add(found...)
		l.units.addons = append(l.units.addons, d)
		a := d.addon()
		a.Source, a.Lines = l.tree.Where(addonPlace(a.Name)), l.tree.Lines(overlay.KindAddon, a.Name)
		l.site.Addons = append(l.site.Addons, a)
	}
	for _, n := range l.docs.tenants {
		d, found := decodeTenant(n)
		l.add(found...)
		l.units.tenants = append(l.units.tenants, d)
		t := d.tenant()
		t.Source = l.tree.Where(tenantPlace(t.Name))
		l.site.Tenants = append(l.site.Tenants, t)
	}
	slices.SortStableFunc(l.site.Addons, func(a, b lifecycle.Addon) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(l.site.Tenants, func(a, b lifecycle.Tenant) int { return cmp.Compare(a.Name, b.Name) })
	for _, o := range l.docs.objects {
		l.tie(o)
	}
	for _, a := range l.site.Addons {
		l.readManifests(a)
	}
}

// tie puts an object to the addon that its annotation names.
func (l *loader) tie(o object) {
	name := o.annotation(lifecycle.AnnotationAddon)
	i := slices.IndexFunc(l.site.Addons, func(a lifecycle.Addon) bool { return a.Name == name })
	switch {
	case i >= 0:
		l.site.Addons[i].Objects = append(l.site.Addons[i].Objects, o.Document)
		return
	case name != "":
		l.add(wrong(objectPlace(o.Document, "metadata", "annotations", lifecycle.AnnotationAddon),
			fmt.Sprintf("%s is tied to addon %s, which is not there", shown(o.Document), name), "", addonHint(l.site.Addons, name)))
	}
	l.site.Objects = append(l.site.Objects, o.Document)
}

// addonHint proposes the addon that was meant.
func addonHint(addons []lifecycle.Addon, name string) string {
	var names []string
	for _, a := range addons {
		names = append(names, a.Name)
	}
	switch near := overlay.Nearest(name, names); {
	case near != "":
		return fmt.Sprintf("Did you mean %q?", near)
	case len(names) > 0:
		return "The addons of the site are: " + lifecycle.Few(names) + "."
	}
	return "The site has no addons; list the addon's component under components."
}

// ref names a document's object.
func ref(d lifecycle.Document) lifecycle.ObjectRef {
	return lifecycle.ObjectRef{APIVersion: d.APIVersion, Kind: d.Kind, Namespace: d.Namespace, Name: d.Name}
}

func shown(d lifecycle.Document) string { return ref(d).String() }
