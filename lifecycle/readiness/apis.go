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

// successor is what to use instead, at the target; false where there is nothing.
func (l *apiLook) successor(a lifecycle.API) (lifecycle.API, bool) {
	for range 5 { // a successor may end as well, and have one of its own
		version, kind, ok := strings.Cut(a.Replacement, " ")
		if !ok {
			break
		}
		next, known := l.table.kind(version, kind)
		if !known {
			group, v, grouped := strings.Cut(version, "/")
			if !grouped {
				group, v = "", version
			}
			return lifecycle.API{Group: group, Version: v, Kind: kind}, true
		}
		if f := fateOf(next, lifecycle.Version{}, l.Target); f != fateEnds {
			return next, true
		}
		a = next
	}
	return lifecycle.API{}, false
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
