package render

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// UnitSum counts what a step does to the objects of its unit.
type UnitSum struct {
	Changed, Relabelled, PutBack, Replaced, Created, Deleted, Kept, Unchanged int
}

func SumUnit(s lifecycle.Step) UnitSum {
	sum := UnitSum{Unchanged: s.Unchanged}
	for _, c := range s.Objects {
		switch {
		case c.Change == lifecycle.ChangeKeep:
			sum.Kept++
		case c.Drift:
			sum.PutBack++
		case c.Change == lifecycle.ChangeCreate:
			sum.Created++
		case c.Change == lifecycle.ChangeDelete:
			sum.Deleted++
		case c.Change == lifecycle.ChangeReplace:
			sum.Replaced++
		case onlyLabels(c):
			sum.Relabelled++
		default:
			sum.Changed++
		}
	}
	return sum
}

func (s UnitSum) Add(o UnitSum) UnitSum {
	return UnitSum{s.Changed + o.Changed, s.Relabelled + o.Relabelled, s.PutBack + o.PutBack, s.Replaced + o.Replaced,
		s.Created + o.Created, s.Deleted + o.Deleted, s.Kept + o.Kept, s.Unchanged + o.Unchanged}
}

// String says "3 objects change, 1 created, 20 only in labels, 1 unchanged".
func (s UnitSum) String() string {
	change := "change"
	if s.Changed == 1 {
		change = "changes"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{s.PutBack, "put back"}, {s.Deleted, "deleted"}, {s.Replaced, "deleted and made anew"}, {s.Changed, change}, {s.Created, "created"},
		{s.Relabelled, "only in labels"}, {s.Kept, "kept"}, {s.Unchanged, "unchanged"},
	} {
		switch {
		case p.n == 0:
		case len(parts) == 0:
			parts = append(parts, lifecycle.Count(p.n, "object")+" "+p.what)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// Empty reports whether no object changes.
func (s UnitSum) Empty() bool { return s == UnitSum{Unchanged: s.Unchanged} }

// replacedPods is how many workloads get new pods.
func replacedPods(s lifecycle.Step) int {
	n := 0
	for _, c := range s.Objects {
		if c.Change == lifecycle.ChangeUpdate && replacesPods(c) {
			n++
		}
	}
	return n
}

func podsText(workloads int) string {
	if workloads == 0 {
		return ""
	}
	return "; the pods of " + lifecycle.Count(workloads, "workload") + " are replaced"
}

// unitVerb is what becomes of a unit on the whole, the infinitive that ends "addon metallb to ...".
func unitVerb(s lifecycle.Step) string {
	sum := SumUnit(s)
	switch {
	case s.Action == lifecycle.ActionPrune:
		return "remove"
	case sum.PutBack > 0 && sum == UnitSum{PutBack: sum.PutBack, Unchanged: sum.Unchanged}:
		return "put right"
	case sum.Created > 0 && sum == UnitSum{Created: sum.Created}:
		return "add"
	case sum.Empty():
		return "apply again"
	}
	return "change"
}

// UnitSymbol is the sign before a unit or one of its objects.
func UnitSymbol(s lifecycle.Step) string {
	switch unitVerb(s) {
	case "remove":
		return "-"
	case "add":
		return "+"
	}
	return "~"
}

// UnitHead is the line that says what becomes of a unit: its name, its versions, its objects.
func UnitHead(s lifecycle.Step) (name, detail string) {
	var parts []string
	if s.Chart != "" {
		parts = append(parts, s.Chart)
	}
	switch sum := SumUnit(s); {
	case !sum.Empty():
		parts = append(parts, sum.String()+podsText(replacedPods(s)))
	case s.Action == lifecycle.ActionApply:
		parts = append(parts, "no object differs")
	}
	return lifecycle.UnitLabel(s.Target), strings.Join(parts, "  ")
}

// unitNotes are the lines under the head, label and text.
func unitNotes(s lifecycle.Step) [][2]string {
	var notes [][2]string
	note := func(label, text string) {
		if text != "" {
			notes = append(notes, [2]string{label, text})
		}
	}
	note("why", s.Reason)
	for i, c := range s.Changes {
		note(first(i, "changes"), c)
	}
	for i, g := range s.Before {
		note(first(i, "before"), gateText(g))
	}
	for i, g := range s.After {
		note(first(i, "after"), gateText(g))
	}
	for i, h := range hookLines(s.Hooks) {
		note(first(i, "runs"), h)
	}
	note("ignored", ignoredLine(s.Ignored))
	return notes
}

// hooksShown is how many hooks are named.
const hooksShown = 6

// hookLines are what a chart runs beside its objects, one a line.
func hookLines(hooks []string) []string {
	if len(hooks) <= hooksShown+1 {
		return hooks
	}
	more := lifecycle.Count(len(hooks)-hooksShown, "more hook")
	return append(slices.Clone(hooks[:hooksShown]), "and "+more+" of the chart (-o json shows all)")
}

// ignoredShown is how many fields that are not compared are named.
const ignoredShown = 3

func ignoredLine(ignored []string) string {
	if len(ignored) == 0 {
		return ""
	}
	shown := ignored[:min(len(ignored), ignoredShown)]
	line := strings.Join(shown, "; ")
	if n := len(ignored) - len(shown); n > 0 {
		line += fmt.Sprintf("; and %s (-o json shows all)", lifecycle.Count(n, "more field"))
	}
	return line
}
