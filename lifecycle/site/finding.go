package site

import (
	"cmp"
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
}

func wrong(at overlay.Place, summary, detail, hint string) finding {
	return finding{at, lifecycle.SeverityError, summary, detail, hint}
}

func doubtful(at overlay.Place, summary, detail, hint string) finding {
	return finding{at, lifecycle.SeverityWarning, summary, detail, hint}
}

// locate makes findings diagnostics, sorted.
func locate(t *overlay.Tree, fs []finding) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, f := range fs {
		ds = append(ds, lifecycle.Findingf(f.severity, t.Where(f.at), "%s", f.summary).
			Because(f.detail).
			Try(f.hint))
	}
	return ds
}

// sortFindings orders findings as Diagnostics.Sort does, but with the lines of one file in the order of their numbers.
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
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(fileA, fileB), cmp.Compare(lineA, lineB),
			cmp.Compare(a.Summary, b.Summary))
	})
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
