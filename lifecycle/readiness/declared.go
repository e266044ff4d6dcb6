package readiness

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// declared finds objects of the repository whose APIs end: of the overlay as it is built, of addons at their declared versions, and of
// tenants where their manifests are in the repository.
func (l *apiLook) declared(units []lifecycle.From[[]lifecycle.DeclaredAPI]) {
	n := 0
	for _, u := range units {
		if !u.Known() {
			l.unseen("which APIs "+lifecycle.UnitLabel(u.Name)+" is made of", u.Unknown, "")
			continue
		}
		n++
		for _, group := range l.sameAPI(u.Value) {
			if !l.told[u.Name+" "+group.api.String()] {
				l.declares(u.Name, group)
			}
		}
	}
	if n > 0 {
		l.looked(lifecycle.Count(n, "declared unit"))
	}
}

// made are the APIs that each unit's objects are of, of the units of which that is known.
func made(units []lifecycle.From[[]lifecycle.DeclaredAPI]) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, u := range units {
		if !u.Known() {
			continue
		}
		out[u.Name] = map[string]bool{}
		for _, o := range u.Value {
			out[u.Name][o.APIVersion+" "+o.Kind] = true
		}
	}
	return out
}

// declaring is one API and the declared objects that use it.
type declaring struct {
	api     lifecycle.API
	objects []lifecycle.DeclaredAPI
}

func (l *apiLook) sameAPI(objects []lifecycle.DeclaredAPI) []declaring {
	all := map[string]*declaring{}
	for _, o := range objects {
		a, known := l.table.kind(o.APIVersion, o.Kind)
		if !known || l.fate(a) == fateNone {
			continue
		}
		// Objects of a chart stand together: the chart is what changes. A document is changed where it stands.
		key := fmt.Sprint(a, "\x00", o.Source, "\x00", o.Later)
		if all[key] == nil {
			all[key] = &declaring{api: a}
		}
		if !slices.Contains(all[key].objects, o) {
			all[key].objects = append(all[key].objects, o)
		}
	}
	var out []declaring
	for _, key := range sortedKeys(all) {
		out = append(out, *all[key])
	}
	return out
}

func (l *apiLook) declares(unit string, d declaring) {
	f, first := l.fate(d.api), d.objects[0]
	if first.Later && f == fateGone {
		f = fateEnds // it can be applied as it is made now
	}
	var refs []lifecycle.ObjectRef
	for _, o := range d.objects {
		refs = append(refs, o.ObjectRef)
	}
	owner := lifecycle.UnitLabel(unit)
	if unit == lifecycle.UnitObjects {
		owner = ownerOf(l.Site, first.Namespace, first.Team)
	}
	finding := lifecycle.ReadinessFinding{Rule: f.rule(), Rank: f.rank(true), Subject: first.String(), Owner: owner,
		Breaks: "v" + d.api.Removed, Summary: "it is declared as " + d.api.GroupVersion() + ", which v" + d.api.Removed + " no longer serves"}
	if len(refs) > 1 {
		finding.Subject = fmt.Sprintf("%d objects of %s", len(refs), d.api)
		finding.Summary = "they are declared as " + d.api.GroupVersion() + ", which v" + d.api.Removed + " no longer serves"
	}
	switch {
	case f == fateGone:
		finding.Summary += "; it can't be applied now either"
	case first.Later:
		finding.Summary += fmt.Sprintf(": the chart makes it so once %s runs", l.Named(l.Target))
	}
	seen := names(refs)
	if first.Source != "" {
		seen = first.Source + ": " + seen
	}
	finding.Seen = []string{seen}
	if !first.Later { // what a chart makes later is not what a plan tries now
		finding.Source = first.Source
	}
	finding.Remedy = l.redeclare(unit, d.api, first.Source)
	l.findNaming(d.api, finding)
}

// redeclare says how to declare it otherwise.
func (l *apiLook) redeclare(unit string, a lifecycle.API, source string) string {
	with := l.instead("makes", a)
	for _, addon := range l.Site.Addons {
		if addon.Unit() == unit && addon.Chart != nil && madeByChart(source) {
			if with == "" {
				return fmt.Sprintf("Declare a version of chart %s that does without it: %s.", addon.Chart.Name, l.without(a))
			}
			return fmt.Sprintf("Declare a version of chart %s that %s, or set the value that makes it so.", addon.Chart.Name, with)
		}
	}
	if next, ok := l.successor(a); ok {
		if next.Kind == a.Kind && !slices.ContainsFunc(sameRules(), func(s sameRule) bool { return s.of(a, next) }) {
			return fmt.Sprintf("Write apiVersion: %s; fields differ, too: the deprecation guide of Kubernetes has them.", next.GroupVersion())
		}
		if next.Kind == a.Kind {
			return fmt.Sprintf("Write apiVersion: %s; kiban ready %s --fix does so where no other field differs.", next.GroupVersion(), l.Site.Name)
		}
		return fmt.Sprintf("Write it as %s.", next)
	}
	if l.fate(a) != fateEnds && l.last(a).Replacement != "" {
		return "Write it anew later: " + l.without(a) + "."
	}
	return "Take it out: " + l.without(a) + "."
}

// madeByChart reports whether a source is a chart's archive, not a document.
func madeByChart(source string) bool { return strings.HasPrefix(source, "chart ") }
