package lifecycle

import (
	"cmp"
	"strings"
)

// Lines are the places, "file:line", where the fields of a document stand, by their paths in the form of FieldKey: "spec.chart.version".
// Items of lists are [0], [1], and [name=x] where patches merge them by name.
type Lines map[string]string

// Where is the place of a field, or of the nearest thing around it; "" when none is known.
func (l Lines) Where(field string) string {
	for field != "" {
		if at, ok := l[field]; ok {
			return at
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return ""
}

// Where is the place where a field of the addon's document stands, or else the document.
func (a Addon) Where(field string) string { return cmp.Or(a.Lines.Where(field), a.Source) }

// Locate lets a finding about what an addon is made of name the line of the field that it is about (Diagnostic.Field), or where the addon
// is declared. What the finding is on otherwise, such as a repository, goes into its detail.
func (a Addon) Locate(d Diagnostic) Diagnostic {
	at := cmp.Or(a.Where(d.Field), a.Unit())
	if d.Subject != "" && d.Subject != at && d.Subject != a.Source && !strings.Contains(d.Detail, d.Subject) {
		d.Detail = strings.TrimSpace(d.Detail + "\nFrom " + d.Subject + ".")
	}
	d.Subject = at
	return d
}
