package readiness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// releases finds Helm releases whose latest manifest has APIs that end. Helm reads that manifest before it upgrades, and gives up where the
// API server does not know a kind in it; the objects themselves go on.
// makes are the APIs that each unit is declared to be made of.
func (l *apiLook) releases(answer lifecycle.Answer[lifecycle.ReleaseAPIs], makes map[string]map[string]bool) {
	if !answer.Known() {
		l.unasked("which Helm releases have removed APIs in their manifests", answer.Unknown, "")
		return
	}
	for _, u := range answer.Value.Unread {
		l.unseen(u.What, u.Why, u.Remedy)
	}
	l.looked(lifecycle.Count(answer.Value.Looked, "Helm release"))
	l.told = map[string]bool{}
	for _, rel := range answer.Value.Releases {
		unit, declared := l.unitOf(rel)
		made, known := makes[unit]
		for _, use := range l.uses(rel.Objects) {
			if declared && known && !made[use.api.String()] {
				continue // the declared chart does without it, and a plan applies that before it changes the version
			}
			if declared {
				l.told[unit+" "+use.api.String()] = true
			}
			l.release(rel, use)
		}
	}
}

func (l *apiLook) release(rel lifecycle.ReleaseAPI, use use) {
	f := l.fate(use.api)
	name := rel.Namespace + "/" + rel.Name
	finding := lifecycle.ReadinessFinding{Rule: f.rule(), Rank: f.rank(true), Subject: "Helm release " + name, Breaks: "v" + use.api.Removed,
		Owner:   l.releaseOwner(rel),
		Summary: fmt.Sprintf("Helm can't upgrade it once v%s runs: its manifest has %s", use.api.Removed, use.api),
		Seen:    []string{fmt.Sprintf("revision %d, chart %s: %s", rel.Revision, cmp.Or(rel.Chart, "not named"), names(use.objects))},
	}
	if f == fateGone {
		finding.Summary = fmt.Sprintf("Helm can't upgrade it, since v%s already: its manifest has %s", use.api.Removed, use.api)
	}
	rewrite := fmt.Sprintf("helm mapkubeapis %s --namespace %s, a plugin (helm plugin install https://github.com/helm/helm-mapkubeapis)",
		rel.Name, rel.Namespace)
	switch with := l.instead("makes", use.api); {
	case with == "":
		finding.Remedy = fmt.Sprintf("Upgrade the release to a chart without it before v%s: %s. Or take it out of the record: %s",
			use.api.Removed, l.without(use.api), rewrite)
	case f == fateGone:
		finding.Remedy = "Rewrite the release's record: " + rewrite
	default:
		finding.Remedy = fmt.Sprintf("Upgrade the release to a chart that %s before v%s, or rewrite its record: %s", with, use.api.Removed,
			rewrite)
	}
	if _, declared := l.unitOf(rel); declared {
		l.findNaming(use.api, finding)
		return
	}
	l.find(finding)
}

// unitOf is the addon whose release it is.
func (l *apiLook) unitOf(rel lifecycle.ReleaseAPI) (unit string, declared bool) {
	for _, a := range l.Site.Addons {
		if a.Chart != nil && a.Namespace == rel.Namespace && cmp.Or(a.Chart.Release, a.Name) == rel.Name {
			return a.Unit(), true
		}
	}
	return "", false
}

// releaseOwner is whose release it is, with the team that its namespace names.
func (l *apiLook) releaseOwner(rel lifecycle.ReleaseAPI) string {
	if unit, declared := l.unitOf(rel); declared {
		return withTeam(lifecycle.UnitLabel(unit), l.teamOf(rel.Namespace))
	}
	return l.OwnerOf(rel.Namespace)
}

// use is one API and the objects that use it.
type use struct {
	api     lifecycle.API
	objects []lifecycle.ObjectRef
}

// uses are the APIs of objects that end some day, in order.
func (l *apiLook) uses(objects []lifecycle.ObjectRef) []use {
	all := map[string]*use{}
	for _, o := range objects {
		a, known := l.table.kind(o.APIVersion, o.Kind)
		if !known || l.fate(a) == fateNone {
			continue
		}
		if all[a.String()] == nil {
			all[a.String()] = &use{api: a}
		}
		all[a.String()].objects = append(all[a.String()].objects, o)
	}
	var out []use
	for _, key := range sortedKeys(all) {
		out = append(out, *all[key])
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// written finds who writes objects by APIs that end: API servers note with each object who wrote it and how, and kubectl keeps what it
// applied. What was written long ago says nothing of today.
func (l *apiLook) written(answer lifecycle.Answer[lifecycle.APIWrites]) {
	if !answer.Known() {
		l.unasked("who writes objects by APIs that end", answer.Unknown, "")
		return
	}
	w := answer.Value
	l.looked(fmt.Sprintf("%s of %s", lifecycle.Count(w.Objects, "stored object"), lifecycle.Count(w.Kinds, "kind")))
	if w.More > 0 {
		l.unseen("all writes by APIs that end", fmt.Sprintf("there are %d more than are looked at; what is told concerns the first %d", w.More,
			len(w.Writes)), "Mend those that are told, then look again.")
	}
	all := map[string]*writing{}
	for _, one := range w.Writes {
		a, known := l.table.kind(one.API, one.Object.Kind)
		if !known || one.Manager == lifecycle.Itself && !one.Applied { // kiban writes what is declared, of which that tells
			continue
		}
		f := l.fate(a)
		if f == fateNone || f == fateGone { // nobody writes by it any more
			continue
		}
		owner := writer(l.Site, one, w.Teams)
		manager := one.Manager
		if one.Applied {
			manager = "kubectl apply"
		}
		key := a.String() + "\x00" + owner + "\x00" + manager
		if all[key] == nil {
			all[key] = &writing{use: use{api: a}, fate: f, owner: owner, manager: manager}
		}
		all[key].add(one)
	}
	for _, key := range sortedKeys(all) {
		l.writtenBy(*all[key])
	}
}

// writing is what one manager writes by one API, for one owner.
type writing struct {
	use
	fate           fate
	owner, manager string
	last           time.Time
}

func (w *writing) add(one lifecycle.APIWrite) {
	w.objects = append(w.objects, one.Object)
	if one.At.After(w.last) {
		w.last = one.At
	}
}

func (l *apiLook) writtenBy(w writing) {
	lately := !w.last.IsZero() && l.Now.Sub(w.last) <= recently
	subject := w.objects[0].String()
	if n := len(w.objects); n > 1 {
		subject = fmt.Sprintf("%d objects of %s", n, w.api)
	}
	seen := "by " + w.api.GroupVersion() + ": " + names(w.objects)
	if !w.last.IsZero() {
		seen += ", last at " + clock(w.last)
	}
	finding := lifecycle.ReadinessFinding{Rule: w.fate.rule(), Rank: w.fate.rank(lately), Subject: subject, Owner: w.owner,
		Breaks: "v" + w.api.Removed, Summary: fmt.Sprintf("%s, and %s writes by it", ends(w.api), w.manager), Seen: []string{seen}}
	if !lately {
		finding.Summary = fmt.Sprintf("%s, and %s wrote by it; whether it still does, is not known", ends(w.api), w.manager)
	}
	if use := l.instead("write", w.api); use != "" {
		finding.Remedy = fmt.Sprintf("Have %s %s: in its manifests, or by a newer release of it.", w.manager, use)
	} else {
		finding.Remedy = fmt.Sprintf("Have %s stop writing it: %s.", w.manager, l.without(w.api))
	}
	l.find(finding)
}
