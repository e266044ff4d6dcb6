package lifecycle

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Severity says what a diagnostic does to the verb that found it.
type Severity string

const (
	// SeverityError stops the verb: the input is wrong, or an effect failed.
	SeverityError Severity = "error"
	// SeverityBlocked stops it too, but nothing is wrong with the input: a gate, a budget, a policy or a lock says "not now".
	SeverityBlocked Severity = "blocked"
	// SeverityWarning is worth a reviewer's eye and stops nothing.
	SeverityWarning Severity = "warning"
)

// Diagnostic is the one form in which kiban tells an operator that something is wrong: validation findings, blocked gates
// and failures alike.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// Summary is one line: what is wrong.
	Summary string `json:"summary"`
	// Detail says why, in as many lines as it takes. No secrets.
	Detail string `json:"detail,omitempty"`
	// Hint says what to do next.
	Hint string `json:"hint,omitempty"`
	// Subject is where: "overlays/tokyo-prod/cluster.yaml:12", or a host's or object's name.
	Subject string `json:"subject,omitempty"`
	// Subjects are all of them where a finding says the same of several machines: see Together.
	Subjects []string `json:"subjects,omitempty"`
	// Field is the path of the declared field that it is about, in the form of FieldKey: "spec.chart.version". Whoever knows the document's
	// lines makes it the Subject.
	Field string `json:"-"`
	// Rule is the name of the readiness rule that finds the same, so that it is told once; "" where none does.
	Rule string `json:"-"`
	// Namespace is the one that it is about, for whoever tells whose that is; "" where it is about none.
	Namespace string `json:"-"`
	// Cause is the wrapped chain behind it, for errors.Is and errors.As.
	Cause error `json:"-"`
}

// ErrReadAgain is the cause of a finding of somebody who reads a document a second time, by rules that are another's. Where the first
// reading has found errors in that document, it is most likely one of them again, without its line.
var ErrReadAgain = errors.New("a second reading of the document")

// ErrUnserved is the cause of a finding that the API serves no kind of an object in the version that the object is declared in.
var ErrUnserved = errors.New("the API does not serve it in that version")

// ErrNotHere is the cause of a finding that something is out of reach of this computer, so that nothing is known of what it has.
var ErrNotHere = errors.New("out of reach from here")

// Errorf is a finding that stops the verb. Subject is where ("" when it is nowhere in particular); the format makes the summary, one line.
// What else there is to say follows: Errorf(...).Because(detail).Try(hint).From(err).
func Errorf(subject, format string, args ...any) Diagnostic {
	return Findingf(SeverityError, subject, format, args...)
}

// Blockedf is a finding that says "not now": it stops the verb, and nothing is wrong with the input.
func Blockedf(subject, format string, args ...any) Diagnostic {
	return Findingf(SeverityBlocked, subject, format, args...)
}

// Warnf is a finding that stops nothing.
func Warnf(subject, format string, args ...any) Diagnostic {
	return Findingf(SeverityWarning, subject, format, args...)
}

// Findingf is for a severity that depends on what was found; else use Errorf, Blockedf or Warnf.
func Findingf(s Severity, subject, format string, args ...any) Diagnostic {
	return Diagnostic{Severity: s, Subject: subject, Summary: fmt.Sprintf(format, args...)}
}

// Because says why, one line each; to what was said before it adds.
func (d Diagnostic) Because(lines ...string) Diagnostic {
	if d.Detail != "" {
		lines = append([]string{d.Detail}, lines...)
	}
	d.Detail = strings.Join(lines, "\n")
	return d
}

// Try says what to do next: a sentence that begins with a capital letter, or a command.
func (d Diagnostic) Try(hint string) Diagnostic {
	d.Hint = hint
	return d
}

// From puts an error behind the finding, for errors.Is and errors.As. Its text is the detail, unless Because gave one before.
func (d Diagnostic) From(cause error) Diagnostic {
	if d.Detail == "" && cause != nil {
		d.Detail = InWords(cause)
	}
	return d.Hiding(cause)
}

// Hiding is From without telling the error's text: what people read says it in better words, or may not say it.
func (d Diagnostic) Hiding(cause error) Diagnostic {
	d.Cause = cause
	return d
}

// About names the declared field that the finding is about: "spec.chart.version".
func (d Diagnostic) About(field string) Diagnostic {
	d.Field = field
	return d
}

// OfRule names the readiness rule that finds the same.
func (d Diagnostic) OfRule(rule string) Diagnostic {
	d.Rule = rule
	return d
}

// Within names the namespace that the finding is about.
func (d Diagnostic) Within(namespace string) Diagnostic {
	d.Namespace = namespace
	return d
}

// Error makes a Diagnostic an error: subject, summary and detail, without the hint.
func (d Diagnostic) Error() string {
	s := d.Summary
	if d.Subject != "" {
		s = d.Subject + ": " + s
	}
	if d.Detail != "" {
		s += ": " + strings.ReplaceAll(strings.TrimSpace(d.Detail), "\n", "; ")
	}
	return s
}

// Unwrap gives the chain behind the diagnostic.
func (d Diagnostic) Unwrap() error { return d.Cause }

// Diagnostics is what a verb found, as an error when any of it stops the verb.
type Diagnostics []Diagnostic

// Error joins the findings, one a line.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the findings, for errors.Is and errors.As.
func (ds Diagnostics) Unwrap() []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = d
	}
	return errs
}

// Has reports whether any finding is of that severity.
func (ds Diagnostics) Has(s Severity) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == s })
}

// Stopping are the findings that stop the verb: all but warnings.
func (ds Diagnostics) Stopping() Diagnostics {
	return slices.DeleteFunc(slices.Clone(ds), func(d Diagnostic) bool { return d.Severity == SeverityWarning })
}

// Err is ds when something in it stops the verb, else nil. Warnings do not.
func (ds Diagnostics) Err() error {
	if ds.Has(SeverityError) || ds.Has(SeverityBlocked) {
		return ds
	}
	return nil
}

// Sort orders findings for people and goldens: severity, then subject, then summary.
func (ds Diagnostics) Sort() {
	rank := map[Severity]int{SeverityError: 0, SeverityBlocked: 1, SeverityWarning: 2}
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Summary, b.Summary))
	})
}

// AsDiagnostics finds the diagnostics in an error's chain; of errors that were joined, those of each. An error without any becomes one,
// with its text as the detail and fallback as the summary.
func AsDiagnostics(err error, fallback string) Diagnostics {
	if err == nil {
		return nil
	}
	if ds := ofJoined(err); len(ds) > 0 {
		return ds
	}
	if ds, ok := errors.AsType[Diagnostics](err); ok {
		return ds
	}
	if d, ok := errors.AsType[Diagnostic](err); ok {
		return Diagnostics{d}
	}
	return Diagnostics{{Severity: SeverityError, Summary: fallback, Detail: InWords(err), Cause: err}}
}

// ofJoined are the diagnostics of errors that were joined: errors.AsType would find those of one. What a diagnostic hides is its own.
func ofJoined(err error) Diagnostics {
	switch e := err.(type) {
	case Diagnostics:
		return e
	case Diagnostic:
		return nil
	case interface{ Unwrap() []error }:
		var ds Diagnostics
		for _, part := range e.Unwrap() {
			if d, single := errors.AsType[Diagnostic](part); len(ofJoined(part)) > 0 {
				ds = append(ds, ofJoined(part)...)
			} else if single {
				ds = append(ds, d)
			}
		}
		return ds
	case interface{ Unwrap() error }:
		return ofJoined(e.Unwrap())
	}
	return nil
}
