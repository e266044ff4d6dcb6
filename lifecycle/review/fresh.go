package review

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// ErrStale is in the chain of the errors of CheckFresh and Check.
var ErrStale = errors.New("the plan is not the one that was saved or reviewed")

// CheckFresh compares a saved plan with the one that would be made now. They must say the same; else what was reviewed is not what
// would run, and the error says how they differ.
func CheckFresh(saved, now lifecycle.Plan) error {
	if saved.Site != now.Site {
		return stale(saved, fmt.Sprintf("it was made for site %s, not for %s", saved.Site, now.Site))
	}
	if saved.Format != now.Format {
		return stale(saved, fmt.Sprintf("its format is %q; this kiban writes %q", saved.Format, now.Format))
	}
	var why []string
	if saved.ClusterUID != now.ClusterUID {
		why = append(why, "it was made for another cluster (the UID of kube-system differs)")
	}
	if saved.SiteDigest != now.SiteDigest {
		why = append(why, "the declaration has changed since")
	}
	if saved.FactsDigest != now.FactsDigest {
		why = append(why, "the machines or the cluster have changed since")
	}
	why = append(why, planChanges(saved, now)...)
	if len(why) == 0 {
		return nil
	}
	return stale(saved, strings.Join(why, "\n"))
}

func stale(saved lifecycle.Plan, why string) error {
	return lifecycle.Errorf(saved.Site, "the saved plan no longer holds").
		Because(why).
		Try("Make a new plan, have it reviewed, and apply that one.").
		Hiding(ErrStale)
}

// planChanges names the steps that only one of the plans has, or that do not do the same in both.
func planChanges(saved, now lifecycle.Plan) []string {
	out := append(guardChanges(saved, now), paceChanges(saved, now)...)
	for _, s := range saved.Steps {
		n, ok := now.Step(s.ID)
		if !ok {
			out = append(out, "- "+s.ID+": "+s.Reason)
		} else if !same(s.Meant(), n.Meant()) {
			out = append(out, "~ "+s.ID+": "+n.Reason)
			out = append(out, stepSince(s.Meant(), n.Meant())...)
		}
	}
	for _, n := range now.Steps {
		if _, ok := saved.Step(n.ID); !ok {
			out = append(out, "+ "+n.ID+": "+n.Reason)
		}
	}
	if len(out) == 0 && saved.Meaning() != now.Meaning() {
		out = append(out, "the order or the pace of the steps differs, or where they lead")
	}
	return out
}

// guardChanges names the guards that are not the same in both plans, in a line.
func guardChanges(saved, now lifecycle.Plan) []string {
	if len(saved.Guards) == 0 && len(now.Guards) > 0 {
		return []string{"~ guards: what was reviewed does not say what guards the site: an older kiban planned it"}
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(now.Guards)) {
		if saved.Guards[name] != now.Guards[name] {
			names = append(names, name)
		}
	}
	for name := range saved.Guards {
		if _, there := now.Guards[name]; !there {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	be, they := "is", "it was"
	if len(names) > 1 {
		be, they = "are", "they were"
	}
	return []string{fmt.Sprintf("~ guards: %s %s not what %s when it was reviewed", lifecycle.Enumerate(names), be, they)}
}

// paceChanges names the stages that both plans have and that would go on otherwise.
func paceChanges(saved, now lifecycle.Plan) []string {
	var out []string
	for _, n := range now.Stages {
		s, ok := stageOf(saved, n.ID)
		if !ok {
			continue
		}
		if s.Width != n.Width {
			out = append(out, fmt.Sprintf("~ %s: going %s at once was planned, it would be %s now", n.ID, atOnce(s.Width), atOnce(n.Width)))
		}
		if s.Canary != n.Canary {
			out = append(out, fmt.Sprintf("~ %s: sending %d ahead was planned, it would be %d now", n.ID, s.Canary, n.Canary))
		}
	}
	return out
}

// stepSince says, a line each, what a step does otherwise than it was planned.
func stepSince(was, is lifecycle.Step) []string {
	var out []string
	tell := func(format string, args ...any) { out = append(out, "    "+fmt.Sprintf(format, args...)) }
	if was.From != is.From {
		tell("%s was there when it was planned, and %s is there now", k0sName(was.From), k0sName(is.From))
	}
	if was.Version != is.Version {
		tell("%s was to come, and %s would come now", k0sName(was.Version), k0sName(is.Version))
	}
	if was.Chart != is.Chart {
		tell("the chart was to go %s, and would go %s now", was.Chart, is.Chart)
	}
	for _, c := range without(was.Changes, is.Changes) {
		tell("no longer: %s", c)
	}
	for _, c := range without(is.Changes, was.Changes) {
		tell("new: %s", c)
	}
	for _, g := range without(gateNames(was), gateNames(is)) {
		tell("it does not wait any more until %s", g)
	}
	for _, g := range without(gateNames(is), gateNames(was)) {
		tell("it waits until %s", g)
	}
	if out = append(out, objectsSince(was, is)...); len(out) == 0 {
		tell("it is done at another point of the plan, or has another way back")
	}
	return out
}

func k0sName(v lifecycle.Version) string {
	if v.IsZero() {
		return "no k0s"
	}
	return "k0s " + v.String()
}

func gateNames(s lifecycle.Step) []string {
	var out []string
	for _, g := range slices.Concat(s.Before, s.After) {
		out = append(out, g.String())
	}
	return out
}

// without is what a has and b has not.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// same compares by what would be saved, which is what was reviewed.
func same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
