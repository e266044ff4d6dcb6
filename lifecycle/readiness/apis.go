package readiness

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// apis finds what uses APIs that the target does not serve, or that later versions will not: what is asked for, what is stored, and what is
// declared.
func apis(in Input, r *report) {
	e := in.Evidence.APIs
	if e == nil {
		return
	}
	l := apiLook{Input: in, report: r, table: tableOf(APIs()), from: servedNow(in.State)}
	l.releases(e.Releases, made(e.Declared))
	l.declared(e.Declared)
	l.asked(*e)
	l.written(e.Writes)
}

// apiLook is a look at the APIs that are in use.
type apiLook struct {
	Input
	*report
	table apiTable
	// from is the version that API servers have now.
	from lifecycle.Version
	// told are the APIs that findings on a unit's release name, so that its declaration does not say them again:
	// "addon/web batch/v1beta1 CronJob".
	told map[string]bool
	// naming are which findings name an API that the declaration has, as indices of Findings, by the API's name.
	naming map[string][]int
}

// findNaming adds a finding on objects of the declaration, and keeps by which API that is.
func (l *apiLook) findNaming(a lifecycle.API, f lifecycle.ReadinessFinding) {
	if l.naming == nil {
		l.naming = map[string][]int{}
	}
	l.naming[a.String()] = append(l.naming[a.String()], len(l.Findings))
	l.find(f)
}

// servedNow is the lowest version that an API server has, or else a machine.
func servedNow(s lifecycle.State) lifecycle.Version {
	var low lifecycle.Version
	for _, srv := range s.API.Servers {
		major, rest, _ := strings.Cut(strings.TrimPrefix(srv.Version, "v"), ".")
		second, _, _ := strings.Cut(rest, ".")
		if v := minor(major + "." + second); !v.IsZero() && (low.IsZero() || v.Less(low)) {
			low = v
		}
	}
	if low.IsZero() {
		low = s.Lowest()
	}
	return low
}

// fate is what becomes of an API on the way to the target.
func (l *apiLook) fate(a lifecycle.API) fate { return fateOf(a, l.from, l.Target) }

// ends says in words when an API ends: "v1.37 no longer serves it".
func ends(a lifecycle.API) string {
	return "v" + a.Removed + " no longer serves " + a.GroupVersion() + " " + cmp.Or(a.Kind, a.Resource)
}

// successor is what to use instead: an API that is served now and by the target, for it is written before the version changes; false where
// there is none.
func (l *apiLook) successor(a lifecycle.API) (lifecycle.API, bool) {
	last := l.last(a)
	if version, kind, ok := strings.Cut(last.Replacement, " "); ok && l.begun(last.Begins) {
		next, known := l.table.kind(version, kind)
		if !known {
			group, v, grouped := strings.Cut(version, "/")
			if !grouped {
				group, v = "", version
			}
			next = lifecycle.API{Group: group, Version: v, Kind: kind}
		}
		if fateOf(next, lifecycle.Version{}, l.Target) != fateEnds {
			return next, true
		}
	}
	// another version of the same kind may bridge the time until the successor begins
	var bridge lifecycle.API
	for _, o := range l.table.kinds {
		ends := minor(o.Removed)
		if o.Group == a.Group && o.Kind == a.Kind && o.Version != a.Version && !strings.Contains(o.Version, "alpha") && l.begun(o.Introduced) &&
			l.Target.MinorsAhead(ends) < 0 && minor(bridge.Removed).MinorsAhead(ends) <= 0 && o.Version > bridge.Version {
			bridge = o
		}
	}
	return bridge, bridge.Version != ""
}

// last is the last of the APIs that take each other's place and end on the way themselves: its replacement is the one that stays.
func (l *apiLook) last(a lifecycle.API) lifecycle.API {
	for range 5 {
		version, kind, ok := strings.Cut(a.Replacement, " ")
		next, known := l.table.kind(version, kind)
		if !ok || !known || fateOf(next, lifecycle.Version{}, l.Target) != fateEnds {
			break
		}
		a = next
	}
	return a
}

// begun reports whether what begins with a minor release is served now; where that is not known, by the target.
func (l *apiLook) begun(release string) bool {
	now := l.from
	if now.IsZero() {
		now = l.Target
	}
	begins := minor(release)
	return begins.IsZero() || now.MinorsAhead(begins) >= 0
}

// without says why there is no successor: "it has no successor", or that it begins too late.
func (l *apiLook) without(a lifecycle.API) string {
	if last := l.last(a); last.Replacement != "" && !l.begun(last.Begins) {
		return fmt.Sprintf("what takes its place, %s, begins with v%s, and nothing else is served now and by %s", last.Replacement, last.Begins,
			l.Target.MinorString())
	}
	return "it has no successor"
}

// instead is the successor behind a verb: "use batch/v1", with the kind where that is another one. "" where there is nothing.
func (l *apiLook) instead(verb string, a lifecycle.API) string {
	if next, ok := l.successor(a); ok {
		if next.Kind == a.Kind {
			return verb + " " + next.GroupVersion()
		}
		return verb + " " + next.String()
	}
	return ""
}

// few are the first lines of many, with how many are left out.
func few(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return append(slices.Clone(lines[:n]), fmt.Sprintf("and %d more", len(lines)-n))
}

// mostLines is how many lines of evidence a finding has.
const mostLines = 6

// names are objects in words, the first few of them.
func names(refs []lifecycle.ObjectRef) string {
	var out []string
	for _, r := range refs {
		if s := r.String(); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return lifecycle.Few(out)
}
