package render

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// foldFrom is from how many on alike findings are told as one: two can be read.
const foldFrom = 3

// fold is a finding as it is shown, and what it stands for.
type fold struct {
	lifecycle.Diagnostic
	of lifecycle.Diagnostics
}

// folded puts findings together that say the same of many, and whose remedies differ in names alone: 25 disruption budgets in the way are
// one finding, with the first of them and how many there are. Places in files stay apart: each has to be gone to. The order is that of
// the first of each.
func folded(ds lifecycle.Diagnostics) []fold {
	type key struct {
		severity            lifecycle.Severity
		rule, summary, hint string
	}
	keys, groups := make([]key, len(ds)), map[key]lifecycle.Diagnostics{}
	for i, d := range ds {
		if d.Subject != "" && len(d.Subjects) == 0 && !fileLine.MatchString(d.Subject) {
			keys[i] = key{d.Severity, d.Rule, d.Summary, lifecycle.AboutAny(d.Hint, d.Subject)}
			groups[keys[i]] = append(groups[keys[i]], d)
		}
	}
	var out []fold
	shown := map[key]bool{}
	for i, d := range ds {
		switch alike := groups[keys[i]]; {
		case len(alike) < foldFrom:
			out = append(out, fold{Diagnostic: d})
		case !shown[keys[i]]:
			shown[keys[i]] = true
			out = append(out, fold{together(alike), alike})
		}
	}
	return out
}

func together(same lifecycle.Diagnostics) lifecycle.Diagnostic {
	d := same[0]
	var subjects, details []string
	for _, one := range same {
		subjects = append(subjects, one.Subject)
		if one.Hint != d.Hint {
			d.Hint = lifecycle.AndSo(same[0].Hint)
		}
		if one.Detail != "" {
			details = append(details, one.Subject+": "+strings.ReplaceAll(strings.TrimSpace(one.Detail), "\n", " "))
		}
	}
	d.Subject = lifecycle.Alike(subjects)
	if n := len(details) - seenLines; n > 0 {
		details = append(details[:seenLines], fmt.Sprintf("And %d more: -o json has all.", n))
	}
	d.Detail = strings.Join(details, "\n")
	return d
}

// unfoldMarkdown has all subjects of a finding that names some, to unfold.
func unfoldMarkdown(summary string, subjects []string) string {
	return fmt.Sprintf("\n<details><summary>%s: all %d</summary>\n\n%s\n\n</details>\n", lifecycle.Markdown(summary), len(subjects),
		lifecycle.Markdown(strings.Join(subjects, ", ")))
}

// unfold has all findings that it stands for, a line each.
func (f fold) unfold() string {
	lines := make([]string, len(f.of))
	for i, d := range f.of {
		lines[i] = "- " + lifecycle.Markdown(d.Subject+": "+lifecycle.OneLine(d.Detail))
	}
	return fmt.Sprintf("\n<details><summary>%s: all %d</summary>\n\n%s\n\n</details>\n", lifecycle.Markdown(f.Summary), len(f.of),
		strings.Join(lines, "\n"))
}

// toldApart are a plan's findings without what its readiness tells below them: of what a version breaks only that it stops the plan.
func toldApart(p lifecycle.Plan) lifecycle.Diagnostics {
	if p.Readiness == nil {
		return p.Diagnostics
	}
	again := p.Readiness.Diagnostics()
	var out lifecycle.Diagnostics
	for _, d := range p.Diagnostics {
		if tellsAlready(again, d) {
			if d.Severity == lifecycle.SeverityWarning {
				continue
			}
			d.Detail = ""
		}
		out = append(out, d)
	}
	return out
}

func tellsAlready(all lifecycle.Diagnostics, d lifecycle.Diagnostic) bool {
	for _, o := range all {
		if o.Severity == d.Severity && o.Subject == d.Subject && o.Summary == d.Summary && o.Detail == d.Detail {
			return true
		}
	}
	return false
}

// Told are a plan's findings as people read them beside its readiness: many that are alike are one, and none is told twice.
func Told(p lifecycle.Plan) lifecycle.Diagnostics {
	var out lifecycle.Diagnostics
	for _, f := range folded(toldApart(p)) {
		out = append(out, f.Diagnostic)
	}
	return out
}
