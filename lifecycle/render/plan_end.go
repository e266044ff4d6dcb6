package render

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// end closes a plan: what it comes to, or, where findings are in the way, that nothing is changed and why. Whoever reads the last line only
// must not take the one for the other.
func (t *planText) end(site lifecycle.Site, p lifecycle.Plan) {
	stops := p.Diagnostics.Stopping()
	switch {
	case p.Empty() && len(stops) == 0:
		return
	case !p.Empty():
		t.line("")
		label := "Plan:"
		if len(stops) > 0 {
			label = "It would be:"
		}
		t.line("%s %s", t.style.paint(codeBold, label), Totals(site, p))
		if takes := EstimateText(p.Estimate); takes != "" {
			t.line("It may take %s.", takes)
		}
		if p.Unfinished != "" {
			t.line("Another plan must follow this one: %s", p.Unfinished)
		}
	}
	if len(stops) > 0 {
		t.line("")
		t.line("%s", stopped(stops, t.style))
	}
}

// stopped says that nothing is changed, and names what is in the way.
func stopped(stops lifecycle.Diagnostics, style Style) string {
	const few = 3
	label, code := "Blocked:", codeYellow
	if stops.Has(lifecycle.SeverityError) {
		label, code = "Not possible:", codeRed
	}
	var why []string
	groups := folded(stops)
	for _, d := range groups[:min(few, len(groups))] {
		s := d.Summary
		switch {
		case len(d.of) > 0:
			s += fmt.Sprintf(" (%d alike)", len(d.of))
		case len(d.Subjects) > 1: // their names stand above
			s += fmt.Sprintf(" (%d machines)", len(d.Subjects))
		case d.Subject != "":
			s += " (" + Subject(d.Subject) + ")"
		}
		why = append(why, s)
	}
	if more := len(groups) - few; more > 0 {
		why = append(why, fmt.Sprintf("and %d more", more))
	}
	return style.paint(code, label) + " " + style.paint(codeBold, "nothing is changed, because of what stands above:") + " " +
		strings.Join(why, "; ") + "."
}
