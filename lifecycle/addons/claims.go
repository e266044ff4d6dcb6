package addons

import (
	"cmp"
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// contested are the objects of one unit that another one, or the same once more, declares from the same two sources.
type contested struct {
	by, source, again string
	objects           []lifecycle.Object
}

// claims finds objects that more than one unit, or one unit twice, declares. A chart that is installed twice has dozens of them, so a
// finding tells of all between two sources.
func claims(units []*unit) {
	type claim struct{ unit, source string }
	first := map[string]claim{}
	for _, u := range units {
		var all []*contested
		for _, o := range u.all() {
			id := identity(o.ObjectRef)
			by, taken := first[id]
			if !taken {
				first[id] = claim{u.name, o.Source}
				continue
			}
			all = contest(all, contested{by: by.unit, source: by.source, again: o.Source}, o)
		}
		for _, c := range all {
			u.found = append(u.found, c.finding(u))
		}
	}
}

// contest adds an object to those that the same two sources declare.
func contest(all []*contested, of contested, o lifecycle.Object) []*contested {
	for _, c := range all {
		if c.by == of.by && c.source == of.source && c.again == of.again {
			c.objects = append(c.objects, o)
			return all
		}
	}
	of.objects = []lifecycle.Object{o}
	return append(all, &of)
}

// finding names the first of them, and where both come from.
func (c contested) finding(u *unit) lifecycle.Diagnostic {
	is := "is"
	what := c.objects[0].String()
	if n := len(c.objects) - 1; n > 0 {
		what, is = fmt.Sprintf("%s and %d more", what, n), "are"
	}
	d := lifecycle.Errorf(u.subject(), "%s of %s %s declared by %s too", what, u.name, is, c.by).
		Because(fmt.Sprintf("Once by %s from %s, once by %s from %s; each would undo what the other applies.",
			c.by, cmp.Or(c.source, c.by), u.name, cmp.Or(c.again, u.name))).
		Try("Take it out of one of them.")
	if len(c.objects) > 1 {
		d.Hint = "Take them out of one of the two; a chart that is installed twice needs other names (fullnameOverride)."
	}
	if c.by == u.name {
		d.Summary, d.Hint = fmt.Sprintf("%s %s declared twice", what, is), "Take one of the two away."
	}
	return d
}
