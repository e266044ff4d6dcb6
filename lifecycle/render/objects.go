package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// How much of a unit is told before the rest is left to -o json. What is put back, deleted or made anew is never left out.
const (
	fieldsShown  = 8  // of one object
	updatesShown = 24 // objects with their fields
	createsShown = 4  // objects that are made, one a line; more are summed up by kind
	namesShown   = 80 // characters, of the names of objects of one kind that are made or change alike
)

// objectLine is one line of what becomes of a unit's objects: its sign, "" on the lines of its fields, and the text.
type objectLine struct{ sign, text string }

// objectLines tell what becomes of a unit's objects, what is dangerous first: what is put back, deleted, made anew; then what changes,
// field by field, what is made, what is kept, and in one line what chart after chart changes on every object.
func objectLines(s lifecycle.Step) []objectLine {
	var changes, drifts, deletes, replaces, creates, keeps []lifecycle.ObjectChange
	for _, c := range s.Objects {
		switch {
		case c.Change == lifecycle.ChangeKeep:
			keeps = append(keeps, c)
		case c.Drift:
			drifts = append(drifts, c)
		case c.Change == lifecycle.ChangeDelete:
			deletes = append(deletes, c)
		case c.Change == lifecycle.ChangeReplace:
			replaces = append(replaces, c)
		case c.Change == lifecycle.ChangeCreate:
			creates = append(creates, c)
		case !onlyLabels(c):
			changes = append(changes, c)
		}
	}
	var out []objectLine
	for _, c := range drifts {
		out = append(out, objectLine{"!", c.String() + "  " + driftText(c)})
		out = append(out, fieldLines(c, c.Fields, driftBy(c) == "")...)
	}
	// data goes with those that give one
	slices.SortStableFunc(deletes, func(a, b lifecycle.ObjectChange) int { return cmp.Compare(len(b.Reason), len(a.Reason)) })
	out = append(out, byKind("-", deletes, 0)...)
	for _, c := range replaces {
		out = append(out, objectLine{"-/+", c.String() + "  " + orReason(c, "can't be changed in place: it is deleted and made anew")})
		out = append(out, fieldLines(c, shownFields(c), true)...)
	}
	out = append(out, updateLines(changes)...)
	out = append(out, createLines(creates)...)
	out = append(out, byKind("=", keeps, 0)...)
	if line := labelLine(s.Objects); line != "" {
		out = append(out, objectLine{"~", line})
	}
	return out
}

// ByHand tells of each object of a unit that somebody changed in the cluster, by whom, and that it is put back.
func ByHand(s lifecycle.Step) []string {
	var out []string
	for _, c := range s.Objects {
		if c.Drift && c.Change != lifecycle.ChangeKeep {
			out = append(out, c.String()+": "+driftText(c))
		}
	}
	return out
}

// driftText says who changed an object, and that it is put back.
func driftText(c lifecycle.ObjectChange) string {
	what := "put back"
	if c.Change == lifecycle.ChangeCreate {
		what = "made again"
	}
	text := c.Reason
	if by := driftBy(c); by != "" {
		text = "changed by " + by
	} else if text == "" {
		text = "changed in the cluster"
	}
	return text + "; " + what
}

// driftBy is who changed an object, and when: "" where nobody is known, or where its fields have to say it one by one.
func driftBy(c lifecycle.ObjectChange) string {
	by := ""
	var at time.Time
	for _, f := range c.Fields {
		switch {
		case f.By == "" || by != "" && f.By != by:
			return ""
		case f.At.After(at):
			at = f.At
		}
		by = f.By
	}
	return byText(by, at)
}

func byText(by string, at time.Time) string {
	if by != "" && !at.IsZero() {
		by += ", " + at.UTC().Format("2006-01-02 15:04 UTC")
	}
	return by
}

func orReason(c lifecycle.ObjectChange, otherwise string) string {
	if c.Reason != "" {
		return c.Reason
	}
	return otherwise
}

// updateLines tell of objects that change. Those of one kind and namespace that change in the same way are told of once.
func updateLines(changes []lifecycle.ObjectChange) []objectLine {
	var out []objectLine
	var keys []string
	same := map[string][]lifecycle.ObjectChange{}
	for _, c := range changes {
		key := c.Kind + "\x00" + c.Namespace + "\x00" + c.Reason
		for _, f := range shownFields(c) {
			key += "\x00" + f.Field + "\x00" + f.From + "\x00" + f.To + "\x00" + f.By
		}
		if same[key] == nil {
			keys = append(keys, key)
		}
		same[key] = append(same[key], c)
	}
	told := 0
	for i, key := range keys {
		if i >= updatesShown {
			out = append(out, objectLine{"~", fmt.Sprintf("and %s (-o json shows all)", lifecycle.Count(len(changes)-told, "more object"))})
			break
		}
		group := same[key]
		told += len(group)
		text := group[0].String()
		if len(group) > 1 {
			text = fmt.Sprintf("%d %s  %s", len(group), group[0].Kind, names(group, namesShown))
		}
		if group[0].Reason != "" {
			text += "  " + group[0].Reason
		}
		if replacesPods(group[0]) {
			text += "  its pods are replaced"
		}
		out = append(out, objectLine{"~", text})
		out = append(out, fieldLines(group[0], shownFields(group[0]), true)...)
	}
	return out
}

// createLines tell of objects that are made: one by one when they are few, else by kind.
func createLines(creates []lifecycle.ObjectChange) []objectLine {
	if len(creates) > createsShown {
		creates = slices.Clone(creates)
		for i, c := range creates {
			if strings.HasPrefix(c.Reason, "its kind comes with ") || strings.HasPrefix(c.Reason, "its namespace comes with ") {
				creates[i].Reason = "" // the order says so
			}
		}
		return byKind("+", creates, namesShown)
	}
	var out []objectLine
	for _, c := range creates {
		text := c.String()
		if c.Reason != "" {
			text += "  " + c.Reason
		}
		out = append(out, objectLine{"+", text})
	}
	return out
}

// byKind tells of objects in a line for each kind, namespace and reason, with names in so many characters; 0 is all of them.
func byKind(sign string, changes []lifecycle.ObjectChange, room int) []objectLine {
	type kind struct{ name, namespace, reason string }
	var kinds []kind
	members := map[kind][]lifecycle.ObjectChange{}
	width := 0
	for _, c := range changes {
		k := kind{c.Kind, c.Namespace, c.Reason}
		if members[k] == nil {
			kinds = append(kinds, k)
		}
		members[k] = append(members[k], c)
	}
	label := func(k kind) string {
		if n := len(members[k]); n > 1 {
			return fmt.Sprintf("%d %s", n, k.name)
		}
		return k.name
	}
	for _, k := range kinds {
		width = max(width, len(label(k)))
	}
	var out []objectLine
	for _, k := range kinds {
		text := names(members[k], room)
		if k.reason != "" {
			text += "  " + k.reason
		}
		out = append(out, objectLine{sign, fmt.Sprintf("%-*s  %s", width, label(k), text)})
	}
	return out
}

// names are those of objects of one namespace, in order, in about so many characters; 0 is all of them.
func names(changes []lifecycle.ObjectChange, room int) string {
	var all []string
	for _, c := range changes {
		all = append(all, c.Name)
	}
	slices.Sort(all)
	if namespace := changes[0].Namespace; namespace != "" {
		if len(all) == 1 {
			return namespace + "/" + all[0]
		}
		all[0] = namespace + ": " + all[0]
	}
	shown, length := 0, 0
	for shown < len(all) && (room == 0 || shown == 0 || length+len(all[shown]) <= room) {
		length += len(all[shown]) + 2
		shown++
	}
	if n := len(all) - shown; n > 0 {
		return strings.Join(all[:shown], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(all, ", ")
}
