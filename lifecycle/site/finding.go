package site

import (
	"kiban.dev/kiban/lifecycle"
)

// finding is what a rule found, and at which place of the merged documents. The rules are pure; locate turns the place into a
// file and a line.
type finding struct {
	at                    place
	severity              lifecycle.Severity
	summary, detail, hint string
}

func wrong(at place, summary, detail, hint string) finding {
	return finding{at, lifecycle.SeverityError, summary, detail, hint}
}

func doubtful(at place, summary, detail, hint string) finding {
	return finding{at, lifecycle.SeverityWarning, summary, detail, hint}
}

// locate makes findings diagnostics, sorted.
func (t *tree) locate(fs []finding) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, f := range fs {
		file, line := t.sources.find(f.at)
		ds = append(ds, lifecycle.Diagnostic{
			Severity: f.severity, Summary: f.summary, Detail: f.detail, Hint: f.hint, Subject: t.subject(file, line),
		})
	}
	return ds
}
