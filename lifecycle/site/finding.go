package site

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// finding is what a rule found, and at which place of the merged documents. The rules are pure; locate turns the place into a
// file and a line.
type finding struct {
	at                    overlay.Place
	severity              lifecycle.Severity
	summary, detail, hint string
	// unread: what stands there could not be read, so that the rules saw a default in its place, and what they find may follow from it.
	unread bool
}

// errUnread is the cause of such a finding.
var errUnread = errors.New("the value could not be read")

func wrong(at overlay.Place, summary, detail, hint string) finding {
	return finding{at: at, severity: lifecycle.SeverityError, summary: summary, detail: detail, hint: hint}
}

func doubtful(at overlay.Place, summary, detail, hint string) finding {
	return finding{at: at, severity: lifecycle.SeverityWarning, summary: summary, detail: detail, hint: hint}
}

// locate makes findings diagnostics, sorted.
func locate(t *overlay.Tree, fs []finding) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, f := range fs {
		d := lifecycle.Findingf(f.severity, t.Where(f.at), "%s", f.summary).Because(f.detail).Try(f.hint)
		if f.unread {
			d = d.Hiding(errUnread)
		}
		ds = append(ds, d)
	}
	return ds
}

// sortFindings orders findings as Diagnostics.Sort does, but what could not be read comes before what may follow from it, and the lines of
// one file are in the order of their numbers.
func sortFindings(ds lifecycle.Diagnostics) {
	ds.Sort()
	rank := map[lifecycle.Severity]int{} // as Sort has grouped them
	for _, d := range ds {
		if _, seen := rank[d.Severity]; !seen {
			rank[d.Severity] = len(rank)
		}
	}
	slices.SortStableFunc(ds, func(a, b lifecycle.Diagnostic) int {
		fileA, lineA := cutLine(a.Subject)
		fileB, lineB := cutLine(b.Subject)
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), unreadFirst(a, b), cmp.Compare(fileA, fileB), cmp.Compare(lineA, lineB),
			cmp.Compare(a.Summary, b.Summary))
	})
}

func unreadFirst(a, b lifecycle.Diagnostic) int {
	unread := map[bool]int{true: 0, false: 1}
	return cmp.Compare(unread[errors.Is(a.Cause, errUnread)], unread[errors.Is(b.Cause, errUnread)])
}

func cutLine(subject string) (file string, line int) {
	i := strings.LastIndexByte(subject, ':')
	if i < 0 {
		return subject, 0
	}
	n, err := strconv.Atoi(subject[i+1:])
	if err != nil {
		return subject, 0
	}
	return subject[:i], n
}
