package review

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// objectsTold is how many lines tell what became of a step's objects.
const objectsTold = 6

// objectsSince says, a line each, what differs between the objects that a step was to change and those that it would change now.
func objectsSince(saved, now lifecycle.Step) []string {
	var out []string
	find := func(in []lifecycle.ObjectChange, ref lifecycle.ObjectRef) (lifecycle.ObjectChange, bool) {
		i := slices.IndexFunc(in, func(o lifecycle.ObjectChange) bool { return o.ObjectRef == ref })
		if i < 0 {
			return lifecycle.ObjectChange{}, false
		}
		return in[i], true
	}
	for _, was := range saved.Objects {
		is, ok := find(now.Objects, was.ObjectRef)
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("    %s was to change (%s), and has no need to any more", was.String(), was.Change))
		case is.Change != was.Change:
			out = append(out, fmt.Sprintf("    %s: %s was planned, it would be %s now", was.String(), was.Change, is.Change))
		case !same(was, is):
			out = append(out, fieldsSince(was, is)...)
		}
	}
	for _, is := range now.Objects {
		if _, ok := find(saved.Objects, is.ObjectRef); !ok {
			out = append(out, fmt.Sprintf("    %s was to stay as it was, and would change now (%s)", is.String(), is.Change))
		}
	}
	if saved.Digest != now.Digest {
		out = append(out, "    what is declared is not what it was")
	}
	if n := len(out) - objectsTold; n > 1 {
		out = append(out[:objectsTold], "    and "+lifecycle.Count(n, "more difference"))
	}
	return out
}

// fieldsSince says what differs between two changes of one object.
func fieldsSince(was, is lifecycle.ObjectChange) []string {
	var out []string
	tell := func(format string, args ...any) {
		out = append(out, "    "+was.String()+": "+fmt.Sprintf(format, args...))
	}
	find := func(in []lifecycle.FieldChange, field string) (lifecycle.FieldChange, bool) {
		i := slices.IndexFunc(in, func(f lifecycle.FieldChange) bool { return f.Field == field })
		if i < 0 {
			return lifecycle.FieldChange{}, false
		}
		return in[i], true
	}
	shown := func(value string) string {
		if value == "" {
			return "not there"
		}
		return value
	}
	for _, f := range was.Fields {
		switch g, ok := find(is.Fields, f.Field); {
		case !ok:
			tell("%s was %s when it was planned, and is as declared now", f.Field, shown(f.From))
		case f.From != g.From:
			tell("%s was %s when it was planned, and is %s now", f.Field, shown(f.From), shown(g.From))
		case f.To != g.To:
			tell("%s was to become %s, and would become %s now", f.Field, shown(f.To), shown(g.To))
		}
	}
	for _, g := range is.Fields {
		if _, ok := find(was.Fields, g.Field); !ok {
			tell("%s was as declared when it was planned, and is %s now", g.Field, shown(g.From))
		}
	}
	return out
}
